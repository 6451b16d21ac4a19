package ruleset

import (
	"slices"
	"strconv"

	"plumbline/cfn"
)

// trace records which values an evaluation read, in order. Every evaluation
// keeps the place of its last read, since there lies a failure; the whole list
// is kept only where a person will look at it, by explain.
type trace struct {
	only  *owner  // not nil: nothing is kept but the place of the last read of this owner's resource
	place cfn.Pos // with only; zero: nothing that is there was read

	// varying are the parameters whose allowed values may be others than those
	// in the model, and that what was read depends on; with only.
	varying []string

	reads []read
	paths map[*cfn.Value]string // of the maps, lists and items met so far
}

// read is one property that was looked at.
type read struct {
	owner *owner
	path  string     // VersioningConfiguration.Status, SecurityGroupIngress[0].CidrIp
	value *cfn.Value // nil: not set
}

func newTrace() *trace { return &trace{paths: map[*cfn.Value]string{}} }

// read records a property or key of parent.
func (t *trace) read(o *owner, parent *cfn.Value, name string, child *cfn.Value) {
	if t.only != nil {
		t.seen(o, child)
		return
	}
	path := name
	if parent != nil {
		if p := t.paths[parent]; p != "" {
			path = p + "." + name
		}
	}
	t.name(child, path)
	t.reads = append(t.reads, read{o, path, child})
}

// seen keeps the place of a value that is there.
func (t *trace) seen(o *owner, v *cfn.Value) {
	if o == t.only && v != nil && !v.Pos.IsZero() {
		t.place = v.Pos
	}
}

// vary keeps the parameters that a value which was read is taken from. Where
// parts of it are read one by one (whole is false), these count by themselves.
func (t *trace) vary(o *owner, parent *cfn.Value, name string, child *cfn.Value, whole bool) {
	if t.only == nil || !whole && o.varying[child] != nil {
		return
	}
	here := o.varying[parent]
	for _, list := range [...][]string{here[name], here[""]} {
		for _, p := range list {
			if !slices.Contains(t.varying, p) {
				t.varying = append(t.varying, p)
			}
		}
	}
}

// name remembers the path of a value and of the items below it.
func (t *trace) name(v *cfn.Value, path string) {
	if v == nil || t.only != nil {
		return
	}
	t.paths[v] = path
	if v.Kind == cfn.List {
		for i, item := range v.Items {
			t.name(item, path+"["+strconv.Itoa(i)+"]")
		}
	}
}

// alias gives a normalised value the path of the one it was made from.
func (t *trace) alias(from, to *cfn.Value) {
	if t.only == nil {
		t.name(to, t.paths[from])
	}
}

// item records an item of a list.
func (t *trace) item(o *owner, item *cfn.Value) {
	if t.only != nil {
		t.seen(o, item)
		return
	}
	t.reads = append(t.reads, read{o, t.paths[item], item})
}
