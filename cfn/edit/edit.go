// Package edit changes a template's source where a fix says so and nowhere
// else: comments, order, format and every byte that is not touched stay. It
// works by place in the text and never writes a template anew.
package edit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plumbline/cfn"
)

// Error says why a place cannot be edited: the value is not written there, so
// that another place would have to change.
type Error struct {
	Path    string // of the template
	Pos     cfn.Pos
	Message string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Pos.Line, e.Pos.Column, e.Message)
}

// Apply returns the template's source with the operations made on the
// properties of a resource as they are written, in order: SAM's of a resource
// of SAM's. Operations that find all as they would
// leave it change nothing.
//
// The result is read again before it is returned: it holds exactly the change
// asked for. The error is an *Error where the value comes from an intrinsic
// function, an anchor, a merge or a macro, and where the path does not fit
// what stands there. t is not changed. Safe for concurrent use.
func Apply(t *cfn.Template, logicalID string, ops []cfn.Op) ([]byte, error) {
	d := &document{Template: t, offsets: lineStarts(t.Source)}
	body, err := d.resource(logicalID)
	if err != nil {
		return nil, err
	}
	want := t.Root
	for _, op := range ops {
		if err := validOp(op); err != nil {
			return nil, d.fail(body.Pos, "%v", err)
		}
		at := append([]string{"Resources", logicalID, "Properties"}, op.Path...)
		if want, err = changed(want, at, op.Do, op.Value); err != nil {
			return nil, d.fail(body.Pos, "%s of %s: %v", op.Do, strings.Join(op.Path, "."), err)
		}
		src, err := d.apply(at, op)
		if err != nil {
			return nil, err
		}
		if d, err = d.again(src, want, at); err != nil {
			return nil, err
		}
	}
	return d.Source, nil
}

// Add returns the template's source with a resource added after the last one,
// under a condition; "": under none. The error is an *Error where there is one of this id, or no section to add to.
func Add(t *cfn.Template, logicalID, typ, condition string, properties map[string]any) ([]byte, error) {
	d := &document{Template: t, offsets: lineStarts(t.Source)}
	at := []string{"Resources", logicalID}
	if v := t.Root.Lookup(at...); v != nil {
		return nil, d.fail(v.Pos, "there is a resource %q already", logicalID)
	}
	value := map[string]any{"Type": typ}
	if condition != "" {
		value["Condition"] = condition
	}
	if len(properties) > 0 {
		value["Properties"] = properties
	}
	want, err := changed(t.Root, at, cfn.OpSet, value)
	if err != nil {
		return nil, d.fail(t.Root.Pos, "%v", err)
	}
	src, err := d.apply(at, cfn.Op{Do: cfn.OpSet, Value: value})
	if err != nil {
		return nil, err
	}
	if d, err = d.again(src, want, at); err != nil {
		return nil, err
	}
	return d.Source, nil
}

// Delete returns the template's source without a resource. The error is an
// *Error where something refers to it, where it is the only one, and where it
// is not written by itself.
func Delete(t *cfn.Template, logicalID string) ([]byte, error) {
	d := &document{Template: t, offsets: lineStarts(t.Source)}
	body, err := d.resource(logicalID)
	if err != nil {
		return nil, err
	}
	at := []string{"Resources", logicalID}
	if resources := t.Root.Lookup("Resources"); len(resources.Fields) == 1 {
		return nil, d.fail(body.Pos, "%s is the only resource, and a template needs one. delete the stack", logicalID)
	}
	want, err := changed(t.Root, at, cfn.OpRemove, nil)
	if err != nil {
		return nil, d.fail(body.Pos, "%v", err)
	}
	if use := reference(want, logicalID); use != nil {
		return nil, d.fail(use.Pos, "%s is referred to here: change this first", logicalID)
	}
	src, err := d.apply(at, cfn.Op{Do: cfn.OpRemove})
	if err != nil {
		return nil, err
	}
	if d, err = d.again(src, want, at); err != nil {
		return nil, err
	}
	return d.Source, nil
}

// reference is the first value of a source tree that names a resource: by Ref,
// GetAtt, Sub or DependsOn, all in their long form. nil: there is none.
func reference(v *cfn.Value, logicalID string) *cfn.Value {
	switch v.Kind {
	case cfn.List:
		for _, item := range v.Items {
			if use := reference(item, logicalID); use != nil {
				return use
			}
		}
	case cfn.Map:
		for _, f := range v.Fields {
			switch f.Key {
			case "Ref", "DependsOn", "Fn::GetAtt", "Fn::Sub":
				if names(f.Value, f.Key, logicalID) {
					return f.Value
				}
			}
			if use := reference(f.Value, logicalID); use != nil {
				return use
			}
		}
	}
	return nil
}

// names reports whether the argument of a function, or a DependsOn, names a resource.
func names(v *cfn.Value, key, logicalID string) bool {
	if v.Kind == cfn.List && len(v.Items) > 0 {
		if key == "DependsOn" {
			return slices.ContainsFunc(v.Items, func(x *cfn.Value) bool { return names(x, key, logicalID) })
		}
		v = v.Items[0]
	}
	if v.Kind != cfn.String {
		return false
	}
	switch key {
	case "Fn::GetAtt":
		id, _, _ := strings.Cut(v.Text, ".")
		return id == logicalID
	case "Fn::Sub":
		return strings.Contains(v.Text, "${"+logicalID+"}") || strings.Contains(v.Text, "${"+logicalID+".")
	}
	return v.Text == logicalID
}

func validOp(op cfn.Op) error {
	switch {
	case len(op.Path) == 0:
		return errors.New("an operation needs a path below Properties")
	case op.Do != cfn.OpSet && op.Do != cfn.OpAdd && op.Do != cfn.OpRemove:
		return fmt.Errorf("operation %q is not known. allowed are %s, %s and %s", op.Do, cfn.OpSet, cfn.OpAdd, cfn.OpRemove)
	}
	return nil
}

// document is a source that is being edited.
type document struct {
	*cfn.Template
	offsets []int // of each line's first byte
}

func (d *document) fail(at cfn.Pos, format string, args ...any) error {
	return &Error{d.Path, at, fmt.Sprintf(format, args...)}
}

// resource is the body of a resource that is written in the template.
func (d *document) resource(logicalID string) (*cfn.Value, error) {
	for _, r := range d.Resources {
		if r.LogicalID != logicalID || r.ForEach != nil {
			continue
		}
		return r.Body, nil
	}
	return nil, d.fail(cfn.Pos{Line: 1, Column: 1}, "resource %q is not written in the text: a macro or Fn::ForEach makes it", logicalID)
}

// again reads an edited source, and holds it to what was meant.
func (d *document) again(src []byte, want *cfn.Value, at []string) (*document, error) {
	if bytes.Equal(src, d.Source) {
		return d, nil
	}
	t, err := cfn.Parse(d.Path, src)
	if err != nil || !equal(t.Root, want) {
		pos := d.Root.Lookup(at[:2]...)
		place := cfn.Pos{Line: 1, Column: 1}
		if pos != nil {
			place = pos.Pos
		}
		return nil, d.fail(place, "%s cannot be edited by itself: what stands there is shared (an anchor or a merge), or written in a way that an edit does not know. change it by hand", strings.Join(at[2:], "."))
	}
	return &document{Template: t, offsets: lineStarts(t.Source)}, nil
}

// apply makes one operation in the text.
func (d *document) apply(at []string, op cfn.Op) ([]byte, error) {
	w, rest, err := d.walk(at)
	if err != nil {
		return nil, err
	}
	here := w.value()
	switch {
	case op.Do == cfn.OpRemove:
		if len(rest) > 0 {
			return d.Source, nil // not there: as it should be
		}
		return d.remove(w)
	case len(rest) > 0:
		return d.insert(w, rest, op)
	case op.Do == cfn.OpAdd:
		if here.Kind == cfn.Null {
			return d.replace(w, []any{op.Value})
		}
		if here.Kind != cfn.List {
			return nil, d.fail(here.Pos, "%s is no list, so nothing can be added to it", at[len(at)-1])
		}
		if slices.ContainsFunc(here.Items, func(v *cfn.Value) bool { return equal(v, cfn.FromPlain(op.Value)) }) {
			return d.Source, nil
		}
		return d.appendItem(w, op.Value)
	}
	if equal(here, cfn.FromPlain(op.Value)) {
		return d.Source, nil
	}
	if function := intrinsic(here); function != "" {
		return nil, d.computed(here, function)
	}
	return d.replace(w, op.Value)
}

// insert makes what is missing below the last value that is there.
func (d *document) insert(w walk, rest []string, op cfn.Op) ([]byte, error) {
	value := op.Value
	if op.Do == cfn.OpAdd {
		value = []any{value}
	}
	for _, key := range slices.Backward(rest[1:]) {
		if isIndex(key) {
			return nil, d.fail(w.value().Pos, "there is no item %s to change", key)
		}
		value = map[string]any{key: value}
	}
	here := w.value()
	switch {
	case isIndex(rest[0]) && here.Kind == cfn.List:
		return nil, d.fail(here.Pos, "there is no item %s to change", rest[0])
	case here.Kind == cfn.Null:
		return d.replace(w, map[string]any{rest[0]: value})
	case here.Kind != cfn.Map:
		return nil, d.fail(here.Pos, "%s cannot be set in what is no mapping", rest[0])
	}
	return d.appendField(w, rest[0], value)
}

// computed is the refusal of a value that an intrinsic function gives.
func (d *document) computed(v *cfn.Value, function string) error {
	what := function
	if arg := v.Fields[0].Value; function == "Ref" && arg.IsKind(cfn.String) {
		what = "Ref of " + arg.Text
		for _, p := range d.Parameters {
			if p.Name == arg.Text {
				return d.fail(v.Pos, "the value comes from parameter %s, declared in line %d: change its default there, or give it another value", p.Name, p.Pos.Line)
			}
		}
	}
	return d.fail(v.Pos, "the value comes from %s: change what it gives", what)
}

// intrinsic is the function that a value of the source tree calls, "" for none.
func intrinsic(v *cfn.Value) string {
	if v == nil || v.Kind != cfn.Map || len(v.Fields) != 1 {
		return ""
	}
	if key := v.Fields[0].Key; key == "Ref" || strings.HasPrefix(key, "Fn::") {
		return key
	}
	return ""
}

func isIndex(key string) bool {
	_, err := strconv.Atoi(key)
	return err == nil
}
