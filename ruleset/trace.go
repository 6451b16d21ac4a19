package ruleset

import (
	"strconv"

	"plumbline/cfn"
)

// trace records which values an evaluation read, in order. It exists only
// where a person will look: for failures and for explain.
type trace struct {
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
	path := name
	if parent != nil {
		if p := t.paths[parent]; p != "" {
			path = p + "." + name
		}
	}
	t.name(child, path)
	t.reads = append(t.reads, read{o, path, child})
}

// name remembers the path of a value and of the items below it.
func (t *trace) name(v *cfn.Value, path string) {
	if v == nil {
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
func (t *trace) alias(from, to *cfn.Value) { t.name(to, t.paths[from]) }

// item records an item of a list.
func (t *trace) item(o *owner, item *cfn.Value) {
	t.reads = append(t.reads, read{o, t.paths[item], item})
}

// last is the place of the last value of o's resource that was read and is
// there: evaluation stops at what decides, so that is where a failure lies.
func (t *trace) last(o *owner) (cfn.Pos, bool) {
	for i := len(t.reads) - 1; i >= 0; i-- {
		r := &t.reads[i]
		if r.owner == o && r.value != nil && !r.value.Pos.IsZero() {
			return r.value.Pos, true
		}
	}
	return cfn.Pos{}, false
}
