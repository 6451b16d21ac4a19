package ruleset

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"plumbline/cfn/schema"
	"plumbline/finding"
	"plumbline/internal/nearest"
)

// Set is the rules of one run: the built-in ones and the user's, under one
// policy. A rule's file is read and compiled when a resource of its type is
// first met. Safe for concurrent use.
type Set struct {
	policy  *Policy // defaults filled in
	record  func() *view
	judging sync.Map            // domainType → []*active
	spent   atomic.Int64        // nanoseconds of reading and compiling rules
	entries []*entry            // sorted by id
	byType  map[string][]*entry // rules for listed types
	wide    []*entry            // rules for taggable or any types
	index   *Index
	sources []fs.FS // the built-in rules', then those of the user's folders
}

// entry is one rule of a set, read and compiled when it is needed.
type entry struct {
	IndexEntry
	fs     fs.FS
	prefix string // of the file's path in messages

	read sync.Once
	rule *Rule
	err  error

	checked *checkedTexts // of its file system; nil for a user's
	spent   *atomic.Int64 // of its set: nanoseconds spent on reading and compiling rules

	mu       sync.Mutex
	compiled map[string]*compileResult // by resource type; "" for rules of open types
}

type compileResult struct {
	compiled *compiled
	err      error
}

// Folder is rules of the user's own, beside the built-in ones.
type Folder struct {
	Path  string // as the user named it; begins the paths in messages
	Rules fs.FS
}

// Open reads the list of rules: from the generated index where the file system
// has one, else by reading every rule file. p may be nil for the defaults; its
// rule ids and globs are not checked (see Policy.Check). Rules of more folders
// are read and compiled at once, so that a mistake in them is told before a
// scan begins. An id that is used twice is an error. Where only folders have
// mistakes, the set of all other rules is returned beside a *FolderError, so
// that a caller may judge by those and say which are left out.
func Open(rules fs.FS, p *Policy, more ...Folder) (*Set, error) {
	s := &Set{policy: p.WithDefaults(), byType: map[string][]*entry{}}
	s.record = sync.OnceValue(func() *view {
		return &view{recordValue(reflect.ValueOf(*s.policy)), policyType(), &owner{policy: s.policy}}
	})
	index, err := openIndex(rules)
	if err != nil {
		return nil, err
	}
	s.index = index
	checked, err := readChecked(rules)
	if err != nil {
		return nil, err
	}
	s.sources = append(s.sources, rules)
	for i := range index.Entries {
		s.add(&entry{IndexEntry: index.Entries[i], fs: rules, checked: checked})
	}
	var errs []error
	for _, f := range more {
		own, err := BuildIndex(f.Rules, s.index)
		if err != nil {
			errs = append(errs, below(f.Path, err))
		}
		s.sources = append(s.sources, f.Rules)
		all := &Index{Entries: slices.Clone(s.index.Entries)}
		for i := range own.Entries {
			e := &entry{IndexEntry: own.Entries[i], fs: f.Rules, prefix: f.Path, spent: &s.spent}
			if s.index.HasRule(e.ID) {
				errs = append(errs, fmt.Errorf("%s: id %q is taken by another rule. ids are unique", path.Join(f.Path, e.File), e.ID))
				continue
			}
			if err := s.check(e); err != nil {
				errs = append(errs, err)
				continue
			}
			s.add(e)
			all.Entries = append(all.Entries, e.IndexEntry)
		}
		slices.SortFunc(all.Entries, func(a, b IndexEntry) int { return strings.Compare(a.ID, b.ID) })
		s.index = all
	}
	slices.SortFunc(s.entries, func(a, b *entry) int { return strings.Compare(a.ID, b.ID) })
	if err := errors.Join(errs...); err != nil {
		return s, &FolderError{err}
	}
	return s, nil
}

// FolderError is what is wrong in folders of users' rules. It joins a
// *PlaceError for each mistake; the rules that have one are in no set.
type FolderError struct{ err error }

func (e *FolderError) Error() string   { return e.err.Error() }
func (e *FolderError) Unwrap() []error { return []error{e.err} }

// below puts a folder before the paths of the errors that err joins.
func below(folder string, err error) error {
	var place *PlaceError
	switch joined, ok := err.(interface{ Unwrap() []error }); {
	case ok:
		var out []error
		for _, e := range joined.Unwrap() {
			out = append(out, below(folder, e))
		}
		return errors.Join(out...)
	case errors.As(err, &place):
		moved := *place
		moved.Place.Path = path.Join(folder, moved.Place.Path)
		return &moved
	}
	return fmt.Errorf("rules of %q: %w", folder, err)
}

func openIndex(rules fs.FS) (*Index, error) {
	src, err := fs.ReadFile(rules, IndexFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return BuildIndex(rules)
	case err != nil:
		return nil, fmt.Errorf("read rule index: %w", err)
	}
	return ReadIndex(src)
}

// Compiling is how much time was spent on reading and compiling rules so far,
// added up over goroutines. Judge does it for each rule and type that it meets.
func (s *Set) Compiling() time.Duration { return time.Duration(s.spent.Load()) }

func (s *Set) add(e *entry) {
	e.spent = &s.spent
	s.entries = append(s.entries, e)
	if e.Match != MatchTypes {
		s.wide = append(s.wide, e)
		return
	}
	for _, t := range e.Types {
		s.byType[t] = append(s.byType[t], e)
	}
}

// Policy is the policy that the set judges by, defaults filled in.
func (s *Set) Policy() *Policy { return s.policy }

// Regions are those in which the policy lets resources stand, as names or globs;
// none: any. It must not be changed.
func (s *Set) Regions() []string { return s.policy.AllowedRegions }

// Index lists the rules without reading their files.
func (s *Set) Index() *Index { return s.index }

// Rules reads every rule, the reserved ones included, sorted by id. The error
// joins those of files that cannot be read; the others are there.
func (s *Set) Rules() ([]*Rule, error) {
	out := []*Rule{LiveMatchesTemplate, LiveReadable, SuppressionCurrent, TemplateReadable}
	var errs []error
	for _, e := range s.entries {
		r, err := e.load()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *Rule) int { return strings.Compare(a.ID, b.ID) })
	return out, errors.Join(errs...)
}

// Rule returns the rule with this id. A *UnknownRuleError says that there is
// none; another error that its file cannot be read.
func (s *Set) Rule(id string) (*Rule, error) {
	if r := reserved(id); r != nil {
		return r, nil
	}
	e := s.entry(id)
	if e == nil {
		return nil, &UnknownRuleError{ID: id, Nearest: s.Nearest(id)}
	}
	return e.load()
}

// UnknownRuleError says that no rule has this id.
type UnknownRuleError struct {
	ID      string
	Nearest string // the id most likely meant, "" for none
}

func (e *UnknownRuleError) Error() string {
	if e.Nearest != "" {
		return fmt.Sprintf("unknown rule %q. did you mean %s?", e.ID, e.Nearest)
	}
	return fmt.Sprintf("unknown rule %q. plumbline rules list shows all", e.ID)
}

// Nearest is the rule id most like id, "" where none is.
func (s *Set) Nearest(id string) string {
	return nearest.Of(id, append(s.index.RuleIDs(), finding.Reserved...))
}

// Builtin reports whether the rule is one of plumbline's own, not of a user's folder.
func (s *Set) Builtin(id string) bool {
	e := s.entry(id)
	return reserved(id) != nil || e != nil && e.prefix == ""
}

func (s *Set) entry(id string) *entry {
	i, found := slices.BinarySearchFunc(s.entries, id, func(e *entry, id string) int { return strings.Compare(e.ID, id) })
	if !found {
		return nil
	}
	return s.entries[i]
}

// Check reads and compiles every rule for every one of its types. The error
// joins what is wrong with any of them.
func (s *Set) Check() error {
	var errs []error
	for _, e := range s.entries {
		errs = append(errs, s.check(e))
	}
	return errors.Join(errs...)
}

func (s *Set) check(e *entry) error {
	r, err := e.load()
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	var errs []error
	keep := func(err error) {
		// Several types usually share their mistakes.
		if err != nil && !seen[err.Error()] {
			seen[err.Error()] = true
			errs = append(errs, err)
		}
	}
	kinds := r.Types
	if r.Match != MatchTypes {
		kinds = []string{""}
	}
	for _, typ := range kinds {
		c, err := e.compile(typ)
		keep(err)
		if err == nil {
			keep(c.rest())
		}
	}
	return errors.Join(errs...)
}

// load reads the rule's file once.
func (e *entry) load() (*Rule, error) {
	e.read.Do(func() {
		name := path.Join(e.prefix, e.File)
		src, err := fs.ReadFile(e.fs, e.File)
		if err != nil {
			e.err = fmt.Errorf("read rule %q: %w", e.ID, err)
			return
		}
		if e.checked == nil {
			e.rule, e.err = ReadRule(name, src)
		} else {
			e.rule, e.err = e.checked.read(name, src)
		}
		if e.err == nil && e.rule.ID != e.ID {
			e.err = fmt.Errorf("%s: id is %q, and the index says %q. generate the index again", name, e.rule.ID, e.ID)
		}
	})
	return e.rule, e.err
}

// compile compiles the rule for a resource type once; rules for open types once for all.
func (e *entry) compile(typ string) (*compiled, error) {
	start := time.Now()
	r, err := e.load()
	if err != nil {
		return nil, err
	}
	if r.Match != MatchTypes {
		typ = ""
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.compiled[typ]; c != nil {
		return c.compiled, c.err
	}
	c := &compileResult{}
	c.compiled, c.err = r.compile(typ)
	e.spent.Add(int64(time.Since(start)))
	if e.compiled == nil {
		e.compiled = map[string]*compileResult{}
	}
	e.compiled[typ] = c
	return c.compiled, c.err
}

// rulesFor are the rules of a domain for a resource type, ids in order.
func (s *Set) rulesFor(domain finding.Domain, typ string) []*entry {
	var out []*entry
	for _, e := range s.byType[typ] {
		if e.Domain == domain {
			out = append(out, e)
		}
	}
	for _, e := range s.wide {
		if e.Domain != domain {
			continue
		}
		switch r := schema.Lookup(typ); {
		case e.Match == MatchUnknown:
			if r == nil && unheard(typ) {
				out = append(out, e)
			}
		case r == nil: // nothing is known of custom resources
		case e.Match == MatchAny || r.TagProperty != "":
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b *entry) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// unheard reports that a type which the schema does not have should be there:
// it is AWS's own, and no custom resource, module or private type.
func unheard(typ string) bool {
	return strings.HasPrefix(typ, "AWS::") && strings.Count(typ, "::") == 2 && typ != "AWS::CloudFormation::CustomResource" && !strings.HasSuffix(typ, "::MODULE")
}

// policyView is the variable `policy`.
func (s *Set) policyView() *view { return s.record() }
