package cfn

import (
	_ "embed" // SAM's policy templates
	"strconv"
	"strings"
	"sync"
)

// samPolicies holds the statements of SAM's policy templates by name: the
// policy_templates.json of aws-sam-translator 1.115 (Apache-2.0) without
// descriptions.
//
//go:embed sam_policies.json
var samPolicies []byte

// samManaged lists the policies that AWS manages outside the root path, one a
// line, from the same source.
//
//go:embed sam_managed.txt
var samManaged string

// policyTemplates decodes samPolicies when a template first names one.
var policyTemplates = sync.OnceValue(func() *Value {
	v, err := parseJSON(samPolicies, Pos{})
	if err != nil { // a test reads them all
		return nil
	}
	return v
})

// addPolicies adds what the Policies property names: managed policies, policy
// documents, policy templates.
func (b *samBuilder) addPolicies(p *policies, v *Value) {
	switch {
	case v == nil:
	case v.Kind == List:
		for i, item := range v.Items {
			b.addPolicy(p, item, i)
		}
	case v.Kind == Unknown && v.Unknown.Shape == nil:
		p.unknown = v
	default:
		b.addPolicy(p, v, 0)
	}
}

func (b *samBuilder) addPolicy(p *policies, v *Value, i int) {
	if v.Kind != Map {
		if v.Kind == String {
			p.addManaged(b.namedPolicy(v))
			return
		}
		p.managed = append(p.managed, v)
		return
	}
	document := v
	if v.Get("Statement") == nil {
		if len(v.Fields) != 1 {
			return
		}
		document = b.policyTemplate(&v.Fields[0])
	}
	p.inline = append(p.inline, b.object(
		Field{Key: "PolicyName", Value: b.text(b.from.LogicalID + "RolePolicy" + strconv.Itoa(i))},
		Field{Key: "PolicyDocument", Value: document},
	))
}

// policyTemplate is the policy document of a template with its parameters; of
// one that we do not know, nothing is.
func (b *samBuilder) policyTemplate(f *Field) *Value {
	statements := policyTemplates().Get(f.Key)
	if statements == nil {
		return newUnknown(f.Pos, "SAM policy template "+f.Key)
	}
	for _, parameter := range f.Value.fields() {
		s := substitution{name: parameter.Key, refOnly: true, unknown: parameter.Value}
		statements = s.value(statements)
	}
	recording := b.r.recording
	statements = b.r.value(statements)
	b.r.recording = recording
	place := &Value{Kind: Map, Pos: f.Pos, Fields: []Field{
		{Key: "Statement", Pos: f.Pos, Value: placedAt(statements, f.Pos)},
	}}
	return place
}

// placedAt is a copy of a tree in which what has no place stands at pos.
func placedAt(v *Value, pos Pos) *Value {
	if v == nil || !v.Pos.IsZero() {
		return v
	}
	c := *v
	c.Pos = pos
	c.Items = make([]*Value, len(v.Items))
	for i, item := range v.Items {
		c.Items[i] = placedAt(item, pos)
	}
	c.Fields = make([]Field, len(v.Fields))
	for i, f := range v.Fields {
		c.Fields[i] = Field{Key: f.Key, Pos: pos, Value: placedAt(f.Value, pos)}
	}
	return &c
}

// addManaged adds a managed policy once.
func (p *policies) addManaged(v *Value) {
	for _, have := range p.managed {
		if v.Kind == String && have.Kind == String && have.Text == v.Text {
			return
		}
	}
	p.managed = append(p.managed, v)
}

// managedPolicy is the ARN of a policy that AWS manages.
func (b *samBuilder) managedPolicy(path string) *Value {
	return b.text("arn:" + b.r.partition() + ":iam::aws:policy/" + path)
}

// tracingPolicy is the policy that lets a role write traces.
func (b *samBuilder) tracingPolicy() string {
	if b.r.partition() == "aws" {
		return "AWSXrayWriteOnlyAccess"
	}
	return "AWSXRayDaemonWriteAccess"
}

// namedPolicy is the ARN of a managed policy that the template names: SAM looks
// a bare name up among those of AWS.
func (b *samBuilder) namedPolicy(v *Value) *Value {
	if strings.HasPrefix(v.Text, "arn:") {
		return v
	}
	path := v.Text
	for _, folder := range [...]string{"service-role/", "job-function/"} {
		if strings.Contains(samManaged, folder+v.Text+"\n") {
			path = folder + v.Text
		}
	}
	c := *v
	c.Text = b.managedPolicy(path).Text
	return &c
}
