// Package deployed reads what is deployed of a stack: the live model of each
// resource, and of the resources around it those that rules look at. What
// cannot be read is told resource by resource, with the permission that was
// missing: the rest is read all the same.
package deployed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"plumbline/cfn"
	"plumbline/cfn/schema"
	"plumbline/remedy/live"
	"plumbline/ruleset"
	"plumbline/scan"
)

// Stacks is what CloudFormation knows of stacks.
type Stacks interface {
	// Fetch reads a stack's template and parameters; see fetchstack.Source.
	Fetch(ctx context.Context, t scan.Target) (*scan.Snapshot, error)
	// Resources lists a stack's resources with their physical ids.
	Resources(ctx context.Context, t scan.Target) (scan.Owned, error)
}

// Models reads live resources, as Cloud Control does. The errors are those of
// package remedy/live: ErrGone, ErrThrottled or a *Refused.
type Models interface {
	Get(ctx context.Context, typ, identifier string) ([]byte, error)
	// List gives the identifiers of the resources of a type. Some types are listed
	// only below a parent, which within names by its property.
	List(ctx context.Context, typ string, within map[string]string) ([]string, error)
}

// Relations lists the relations by which rules look from a type; see ruleset.Set.
type Relations func(typ string) ([][]ruleset.Relation, error)

// Bounds of what is read for one stack.
const (
	// MostListed is how many resources of one type are read because some rule
	// looks for referrers among them. Of more, the relation is an error.
	MostListed = 500
	// AtOnce is how many resources are asked for at once.
	AtOnce = 8
	// Fresh is how long the list of a type is good for other stacks, at least.
	Fresh = time.Minute
	// Worth is for how many times as long a list is good as it took to make: in an
	// account of hundreds of a type, to list them anew each minute would leave no
	// time to read stacks.
	Worth = 10
)

// reserve is kept of the time there is for handing on what was read.
const reserve = 8 * time.Second

// Reader reads the stacks of one account and region. Safe for concurrent use.
type Reader struct {
	stacks    Stacks
	models    Models
	relations Relations
	now       func() time.Time

	mu     sync.Mutex
	listed map[string]*listing
}

// listing is all resources of a type.
type listing struct {
	once      sync.Once
	at        time.Time
	took      time.Duration // to list
	resources []scan.LiveResource
	why       string // not all could be read
	unlisted  bool   // none can ever be
}

// New returns a reader. relations may be nil: nothing around stacks is read.
func New(s Stacks, m Models, relations Relations, now func() time.Time) *Reader {
	return &Reader{stacks: s, models: m, relations: relations, now: now, listed: map[string]*listing{}}
}

// Fetch reads a stack and what is deployed of it. The error is of the stack as
// a whole: it cannot be read, or ctx ended, or the service asked to slow down
// until the stack's own template could not be had.
func (r *Reader) Fetch(ctx context.Context, t scan.Target) (*scan.Snapshot, error) {
	s, err := r.stacks.Fetch(ctx, t)
	if err != nil || s.Gone || s.Failed != "" {
		return s, err
	}
	models, err := s.Models()
	if err != nil || len(models) == 0 {
		return s, nil // the scan says so: it is template-readable's affair
	}
	owned, err := r.stacks.Resources(ctx, t)
	if err != nil {
		return nil, err
	}
	// What is not read in time is told, while there is time to tell it.
	whole := ctx
	if end, ok := ctx.Deadline(); ok {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadline(ctx, end.Add(-reserve))
		defer stop()
	}
	l := &scan.Live{Tags: owned.Tags}
	physical := map[string]string{}
	for _, x := range owned.Resources {
		physical[x.LogicalID] = x.Physical
	}
	for _, x := range owned.Resources {
		if !readable(x.Type) || x.Physical == "" {
			continue
		}
		res := scan.LiveResource{LogicalID: x.LogicalID, Type: x.Type, Physical: x.Physical}
		res.Identifier, res.Unreadable = identifier(x, models[0].Resource(x.LogicalID), physical)
		l.Resources = append(l.Resources, res)
	}
	r.each(l.Resources, func(x *scan.LiveResource) { r.read(ctx, x) })
	if err := r.around(ctx, l); err != nil {
		return nil, err
	}
	if whole.Err() != nil {
		return nil, whole.Err()
	}
	s.Live = l
	return s, nil
}

// readable reports whether a type is one of AWS's resources: what CDK notes of
// itself, custom resources and nested stacks have no model to read. Nested
// stacks are targets of their own.
func readable(typ string) bool {
	return len(typ) > 5 && typ[:5] == "AWS::" && !slices.Contains([]string{
		"AWS::CDK::Metadata", "AWS::CloudFormation::Stack", "AWS::CloudFormation::CustomResource", "AWS::CloudFormation::WaitCondition",
		"AWS::CloudFormation::WaitConditionHandle", "AWS::CloudFormation::Macro",
	}, typ)
}

func (r *Reader) each(list []scan.LiveResource, do func(*scan.LiveResource)) {
	var wg sync.WaitGroup
	gate := make(chan struct{}, AtOnce)
	for i := range list {
		if list[i].Unreadable != "" {
			continue
		}
		gate <- struct{}{}
		wg.Go(func() {
			defer func() { <-gate }()
			do(&list[i])
		})
	}
	wg.Wait()
}

// read fills in a resource's model, or why there is none.
func (r *Reader) read(ctx context.Context, x *scan.LiveResource) {
	if s := schema.Lookup(x.Type); s != nil && !slices.Contains(s.Handlers, "read") {
		x.Unreadable = "Cloud Control has no way to read " + x.Type
		return
	}
	model, err := r.models.Get(ctx, x.Type, x.Identifier)
	var refused *live.Refused
	switch {
	case err == nil:
		x.Model = model
	case errors.Is(err, live.ErrGone):
		x.Gone = true
	case errors.As(err, &refused) && unsupported(refused.Code):
		x.Unreadable = fmt.Sprintf("Cloud Control does not read %s here: %s", x.Type, refused.Message)
	default:
		x.Denied = Why(x.Type, "read", err)
	}
}

func unsupported(code string) bool {
	return code == "UnsupportedAction" || code == "TypeNotFound" || code == "PrivateType"
}

// around reads what rules look at beside the stack's own resources. Hops are
// followed rule by rule.
func (r *Reader) around(ctx context.Context, l *scan.Live) error {
	if r.relations == nil {
		return nil
	}
	a := &surroundings{reader: r, live: l, have: map[string]bool{}}
	for i := range l.Resources {
		if l.Resources[i].Model != nil {
			a.enter(&l.Resources[i], l.Resources[i].LogicalID)
		}
	}
	for _, subject := range slices.Clone(a.all) {
		rules, err := r.relations(subject.Type)
		if err != nil {
			return err
		}
		for _, relations := range rules {
			if errors.Is(ctx.Err(), context.Canceled) {
				return ctx.Err()
			}
			a.follow(ctx, subject, relations)
		}
	}
	return nil
}

// surroundings grows as relations are followed.
type surroundings struct {
	reader *Reader
	live   *scan.Live
	all    []*cfn.Resource
	have   map[string]bool // type and name of resources that are there, or are known not to be
}

func (a *surroundings) enter(x *scan.LiveResource, id string) {
	res, err := cfn.Live(x.Type, id, x.Model)
	if err != nil {
		return // the snapshot says so
	}
	a.all = append(a.all, res)
	a.have[x.Type+"\x00"+x.Identifier] = true
	for _, name := range ruleset.Named(res) {
		a.have[x.Type+"\x00"+name] = true
	}
}

// follow reads what one rule's relations reach from a resource.
func (a *surroundings) follow(ctx context.Context, subject *cfn.Resource, relations []ruleset.Relation) {
	reached := map[string][]*cfn.Resource{"": {subject}}
	for i := range relations {
		rel := &relations[i]
		if rel.Live == "" {
			continue
		}
		for _, from := range reached[rel.Of] {
			if rel.From == "" {
				a.list(ctx, rel, from)
				continue
			}
			for _, name := range ruleset.Links(from, rel.From) {
				a.get(ctx, rel.Type, name)
			}
		}
		for _, from := range reached[rel.Of] {
			for _, x := range a.all {
				if x.Type == rel.Type && !slices.Contains(reached[rel.Name], x) && related(rel, from, x) {
					reached[rel.Name] = append(reached[rel.Name], x)
				}
			}
		}
	}
}

// related reports whether a relation leads from a resource to another.
func related(rel *ruleset.Relation, from, to *cfn.Resource) bool {
	switch {
	case rel.Any:
		return true
	case rel.By != "":
		return shares(ruleset.Links(to, rel.By), ruleset.Named(from))
	}
	return shares(ruleset.Links(from, rel.From), ruleset.Named(to))
}

func shares(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// get reads the resource that a link names. One that is not there, or is named
// by something else than its identifier, stays outside: rules see an unknown.
func (a *surroundings) get(ctx context.Context, typ, name string) {
	key := typ + "\x00" + name
	if a.have[key] || a.live.Unread[typ] != "" {
		return
	}
	a.have[key] = true
	x := scan.LiveResource{Type: typ, Identifier: name}
	a.reader.read(ctx, &x)
	switch {
	case x.Denied != "":
		a.unread(typ, x.Denied)
	case x.Model != nil:
		a.live.Around = append(a.live.Around, x)
		a.enter(&x, scan.OutsideID(typ, name))
	}
}

// list reads all resources of a type: who refers to another is not written there.
func (a *surroundings) list(ctx context.Context, rel *ruleset.Relation, from *cfn.Resource) {
	names := []string{""}
	if rel.By != "" {
		names = append(names, ruleset.Named(from)...)
	}
	key := rel.Type + "\x00list"
	if a.have[key] || a.live.Unread[rel.Type] != "" {
		return
	}
	l := a.reader.list(ctx, rel, names)
	if !l.below {
		a.have[key] = true
	}
	for i := range l.resources {
		x := &l.resources[i]
		if a.have[x.Type+"\x00"+x.Identifier] {
			continue
		}
		a.live.Around = append(a.live.Around, *x)
		a.enter(x, scan.OutsideID(x.Type, x.Identifier))
	}
	switch {
	case l.unlisted:
		if !slices.Contains(a.live.Unlisted, rel.Type) {
			a.live.Unlisted = append(a.live.Unlisted, rel.Type)
		}
	case l.why != "":
		a.unread(rel.Type, l.why)
	}
}

func (a *surroundings) unread(typ, why string) {
	if a.live.Unread == nil {
		a.live.Unread = map[string]string{}
	}
	a.live.Unread[typ] = why
}
