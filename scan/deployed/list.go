package deployed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"plumbline/cfn/schema"
	"plumbline/remedy/live"
	"plumbline/ruleset"
	"plumbline/scan"
)

// found is the answer of one listing.
type found struct {
	*listing
	below bool // only the resources below one parent
}

// list reads all resources of a relation's type, once for all stacks that are
// read while it is good. names are what the parent may be called where the type is
// listed below one only; the first stands for no parent.
func (r *Reader) list(ctx context.Context, rel *ruleset.Relation, names []string) found {
	var last *listing
	for i, name := range names {
		key := rel.Type
		within := map[string]string(nil)
		if name != "" {
			key += "\x00" + name
			within = map[string]string{rel.By: name}
		}
		r.mu.Lock()
		l := r.listed[key]
		if l == nil || r.now().Sub(l.at) > max(Fresh, Worth*l.took) {
			l = &listing{at: r.now()}
			r.listed[key] = l
		}
		r.mu.Unlock()
		var needs bool
		l.once.Do(func() {
			r.fill(ctx, rel.Type, within, l)
			r.mu.Lock()
			l.took = r.now().Sub(l.at)
			r.mu.Unlock()
		})
		if ctx.Err() != nil { // the next one asks again
			r.mu.Lock()
			delete(r.listed, key)
			r.mu.Unlock()
		}
		needs = strings.HasPrefix(l.why, needsParent)
		if last = l; !needs {
			return found{l, i > 0}
		}
	}
	return found{last, false}
}

// needsParent begins why a type cannot be listed by itself.
const needsParent = "it is listed below a parent only"

func (r *Reader) fill(ctx context.Context, typ string, within map[string]string, l *listing) {
	if s := schema.Lookup(typ); s != nil && !slices.Contains(s.Handlers, "list") {
		l.unlisted = true
		return
	}
	ids, err := r.models.List(ctx, typ, within)
	var refused *live.Refused
	switch {
	case err == nil:
	case errors.As(err, &refused) && refused.Code == "InvalidRequest":
		l.why = needsParent + ": " + refused.Message
		return
	case errors.As(err, &refused) && unsupported(refused.Code):
		l.unlisted = true
		return
	default:
		l.why = Why(typ, "list", err)
		return
	}
	if len(ids) > MostListed {
		l.why = fmt.Sprintf("there are %d resources of type %s. up to %d are read", len(ids), typ, MostListed)
		return
	}
	l.resources = make([]scan.LiveResource, len(ids))
	for i, id := range ids {
		l.resources[i] = scan.LiveResource{Type: typ, Identifier: id}
	}
	r.each(l.resources, func(x *scan.LiveResource) { r.read(ctx, x) })
	kept := l.resources[:0]
	for _, x := range l.resources {
		switch {
		case x.Denied != "":
			l.why = x.Denied
		case x.Unreadable != "":
			l.why = x.Unreadable
		case x.Model != nil: // else it was deleted meanwhile
			kept = append(kept, x)
		}
	}
	l.resources = kept
}

// Why says why a resource could not be read, naming the permission that was
// missing: the one that the service's message names, else those that the
// type's handler needs.
func Why(typ, handler string, err error) string {
	text := err.Error()
	var refused *live.Refused
	switch _, after, named := strings.Cut(text, "not authorized to perform: "); {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("%s could not be read in the time there was. scan it again, or more seldom", typ)
	case errors.Is(err, live.ErrThrottled):
		return fmt.Sprintf("%s could not be read: the service asked to slow down for too long. scan it again", typ)
	case named:
		action, _, _ := strings.Cut(after, " ")
		return fmt.Sprintf("%s could not be read: permission %s is missing. add it to the role that scans", typ, strings.TrimRight(action, ".,"))
	case !strings.Contains(text, "AccessDenied") && !(errors.As(err, &refused) && refused.Code == "AccessDenied"):
		return fmt.Sprintf("%s could not be read: %s", typ, text)
	}
	needs := []string{"cloudformation:GetResource"}
	if handler == "list" {
		needs[0] = "cloudformation:ListResources"
	}
	if s := schema.Lookup(typ); s != nil {
		needs = append(needs, s.Permissions(handler)...)
	}
	return fmt.Sprintf("%s could not be read: access was denied. the role that scans needs %s", typ, strings.Join(needs, ", "))
}
