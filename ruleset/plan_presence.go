package ruleset

import (
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"

	"plumbline/cfn"
)

// propertyNode is has(a.b), source(a.b) or plaintext(a.b): a question about
// the property, not about its value.
type propertyNode struct {
	id          int64
	operand     interpreter.InterpretableV2
	name        interpreter.InterpretableV2
	ask         func(p property) ref.Val
	presentOnly bool // only presence is asked, which any map can answer
}

// property is what is found under a name: the value as the template has it.
type property struct {
	value *cfn.Value // nil: not set
	owner *owner
}

func (n *propertyNode) ID() int64 { return n.id }
func (n *propertyNode) Eval(a interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(a, n.Exec)
}

func (n *propertyNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	operand, name := n.operand.Exec(frame), n.name.Exec(frame)
	if v := strict(operand, name); v != nil {
		return v
	}
	if o, ok := operand.(*types.Optional); ok {
		if !o.HasValue() {
			return n.ask(property{})
		}
		operand = o.GetValue()
	}
	var parent *cfn.Value
	var own *owner
	switch o := operand.(type) {
	case *view:
		parent, own = o.value, o.owner
	case *mapView:
		if v := o.unsure(name); v != nil {
			return v
		}
		parent, own = o.value, o.owner
	case *listView:
		i, err := types.GetOrError(name)
		if err != nil || i < 0 || i >= len(o.items) {
			return n.ask(property{})
		}
		return n.ask(property{o.items[i], o.owner})
	case absent:
		return n.ask(property{})
	case traits.Mapper:
		if n.presentOnly {
			_, found := o.Find(name)
			return types.Bool(found)
		}
		return types.NewErr("the value was made by the rule, so it has no source")
	default:
		return types.NewErr("no such key: %v", name)
	}
	key, ok := name.(types.String)
	if !ok {
		if s, isSymbolic := name.(*symbolic); isSymbolic {
			return s.unknown()
		}
		return types.NewErr("no such key: %v", name)
	}
	child := parent.Get(string(key))
	if own.trace != nil {
		own.trace.read(own, parent, string(key), child)
	}
	if child != nil && child.Kind == cfn.Null {
		child = nil
	}
	return n.ask(property{child, own})
}

// propertyNodes are the questions by the internal function's name.
var propertyNodes = map[string]func(property) ref.Val{
	hasFunction:       func(p property) ref.Val { return types.Bool(p.value != nil) },
	sourceFunction:    func(p property) ref.Val { return types.String(p.source()) },
	plaintextFunction: property.plaintext,
	writtenFunction:   property.written,
}

// The sources of a value, as source() tells them.
const (
	sourceAbsent           = "absent"            // the property is not set
	sourceLiteral          = "literal"           // written in the template, mappings included
	sourceParameterDefault = "parameter-default" // the default of a parameter
	sourceNoEchoDefault    = "noecho-default"    // the default of a NoEcho parameter
	sourceParameter        = "parameter"         // a parameter without default, or a value that was given
	sourceNoEcho           = "noecho"            // a NoEcho parameter without default, or a value that was given
	sourceDynamic          = "dynamic"           // a dynamic reference to Secrets Manager or a secure parameter of Parameter Store
	sourceSSM              = "ssm"               // a plain parameter of Parameter Store, by a dynamic reference or by a parameter's type
	sourceReference        = "reference"         // Ref or GetAtt of a resource
	sourceImport           = "import"            // another stack's export
	sourceUnknown          = "unknown"           // a macro, or a text put together from several of these
)

func (p property) source() string {
	v := p.value
	if v == nil {
		return sourceAbsent
	}
	if v.Kind != cfn.Unknown {
		o := v.Origin
		switch {
		case o == nil || o.Parameter == "":
			return sourceLiteral
		case o.NoEcho && o.Default:
			return sourceNoEchoDefault
		case o.NoEcho:
			return sourceNoEcho
		case o.Default:
			return sourceParameterDefault
		}
		return sourceParameter
	}
	u := v.Unknown
	for _, need := range u.Needs {
		switch {
		case strings.HasPrefix(need, "dynamic reference ssm:"), strings.HasPrefix(need, "SSM parameter "):
			return sourceSSM
		case strings.HasPrefix(need, "dynamic reference "):
			return sourceDynamic
		}
	}
	switch {
	case p.stored():
		return sourceSSM // not even NoEcho hides what Parameter Store holds
	case u.Secret:
		return sourceNoEcho
	case u.Ref != nil:
		return sourceReference
	case len(u.Needs) != 1 || len(u.Shape) > 1:
		return sourceUnknown
	case strings.HasPrefix(u.Needs[0], "parameter "):
		return sourceParameter
	case strings.HasPrefix(u.Needs[0], "import "):
		return sourceImport
	}
	return sourceUnknown
}

// stored reports whether the value is that of a template parameter whose type
// reads Parameter Store. CloudFormation reads plain entries so, never secure ones.
func (p property) stored() bool {
	o := p.value.Origin
	if o == nil || o.Parameter == "" || p.owner == nil || p.owner.model == nil || p.owner.model.Template == nil {
		return false
	}
	declared := p.owner.model.Template.Parameter(o.Parameter)
	return declared != nil && strings.HasPrefix(declared.Type, "AWS::SSM::Parameter::Value<")
}

// plaintext reports whether the value stands in the template for all to read.
// What a macro makes may or may not be written there. A literal that is the name
// of a parameter may be a forgotten reference: where the parameter has no default,
// only its author knows whether the value is meant.
func (p property) plaintext() ref.Val {
	if one := p.sole(); one != nil {
		p.value = one
	}
	switch p.source() {
	case sourceLiteral, sourceParameterDefault, sourceNoEchoDefault:
		if declared := p.namesParameter(); declared != nil && (declared.Default == nil || declared.Default.IsKind(cfn.String) && declared.Default.Text == "") {
			return unknownOf([]string{"a Ref to parameter " + declared.Name + ", whose name is written here"})
		}
		return types.Bool(!p.value.IsKind(cfn.String) || p.value.Text != "")
	case sourceUnknown:
		for _, need := range p.value.Unknown.Needs {
			if strings.HasPrefix(need, "transform ") {
				return unknownOf(p.value.Unknown.Needs)
			}
		}
	}
	return types.False
}

// namesParameter is the parameter whose name stands where a value is asked for;
// nil where the value is anything else.
func (p property) namesParameter() *cfn.Parameter {
	if !p.value.IsKind(cfn.String) || p.value.Origin != nil || p.owner == nil || p.owner.model == nil || p.owner.model.Template == nil {
		return nil
	}
	return p.owner.model.Template.Parameter(p.value.Text)
}

// sole is the one item of a list that stands where a text is asked for: whatever
// a service makes of the list, what it holds was not written by its brackets.
func (p property) sole() *cfn.Value {
	if p.value.IsKind(cfn.List) && len(p.value.Items) == 1 {
		return p.value.Items[0]
	}
	return nil
}

// gap stands in a written text for each part that is not known.
const gap = "…"

// written is the text that the template shows of the value. What a macro makes
// may or may not be written there.
func (p property) written() ref.Val {
	v := p.value
	if v == nil {
		return types.String("")
	}
	if v.Origin != nil && v.Origin.Plain != nil {
		v = v.Origin.Plain
	}
	if v.Kind != cfn.Unknown {
		if v.Kind == cfn.List || v.Kind == cfn.Map {
			return types.NewErr("written takes a text, not %s", describeValue(v))
		}
		return types.String(v.Text)
	}
	for _, need := range v.Unknown.Needs {
		if strings.HasPrefix(need, "transform ") {
			return unknownOf(v.Unknown.Needs)
		}
	}
	if len(v.Unknown.Shape) == 0 {
		return types.String(gap)
	}
	var text strings.Builder
	for _, piece := range v.Unknown.Shape {
		if text.WriteString(piece.Literal); piece.Gap {
			text.WriteString(gap)
		}
	}
	return types.String(text.String())
}
