package scan

import (
	"encoding/json"

	"plumbline/cfn"
	"plumbline/cfn/schema"
)

// Live is what is deployed of a stack, and what stands around it.
type Live struct {
	Resources []LiveResource    // of the stack
	Around    []LiveResource    // of no stack or another: what rules look at beside the stack's own
	Unread    map[string]string // types of which not all could be read, and why; relations to them are errors
	Unlisted  []string          // types that cannot be listed at all; relations to them are unknown
	Tags      map[string]string // of the stack, which CloudFormation puts on its resources
}

// Owned is what a stack is made of, by CloudFormation.
type Owned struct {
	Resources []OwnedResource
	Tags      map[string]string // of the stack
}

// OwnedResource is one resource as CloudFormation knows it.
type OwnedResource struct{ LogicalID, Type, Physical string }

// Owner is the stack that a resource belongs to, and what it is called there.
type Owner struct {
	Stack, StackID string // name, and ARN
	LogicalID      string
}

// LiveResource is one deployed resource.
type LiveResource struct {
	LogicalID  string // "" for one that is not of the stack
	Type       string
	Physical   string          // CloudFormation's physical id
	Identifier string          // Cloud Control's; "" where it cannot be told
	Model      json.RawMessage // its properties; nil where one of the next three is set
	Gone       bool            // it was deleted outside of CloudFormation
	Denied     string          // why it could not be read, with the missing permission
	Unreadable string          // why nobody can read it: there is no way to
}

// resource is the deployed resource as rules take it.
func (r *LiveResource) resource() (*cfn.Resource, error) {
	id := r.LogicalID
	if id == "" {
		id = OutsideID(r.Type, r.Identifier)
	}
	return cfn.Live(r.Type, id, r.Model)
}

// OutsideID stands for the logical id of a resource that is not of the stack.
// No template can have it: logical ids are letters and digits.
func OutsideID(typ, identifier string) string { return typ + " " + identifier }

// Deployed is the model of the resources that were read, those around the
// stack last; nil where the snapshot has no live part, or no template. Places
// and construct paths are the template's. A property that a read does not
// return has the template's value: CloudFormation set it so.
func (s *Snapshot) Deployed() *cfn.Model {
	models, err := s.Models()
	if s.Live == nil || err != nil || len(models) == 0 {
		return nil
	}
	s.deploy.Do(func() {
		m := &cfn.Model{Determined: true, Unread: s.Live.Unread, Unlisted: s.Live.Unlisted, Inputs: models[0].Inputs}
		for i := range s.Live.Resources {
			r := &s.Live.Resources[i]
			if r.Model == nil {
				continue
			}
			live, err := r.resource()
			if err != nil {
				r.Unreadable, r.Model = err.Error(), nil
				continue
			}
			if written := models[0].Resource(r.LogicalID); written != nil {
				live.ConstructPath, live.Pos, live.TypePos, live.Metadata, live.Attributes = written.ConstructPath, written.Pos, written.TypePos, written.Metadata, written.Attributes
				live.Properties = withWriteOnly(r.Type, written.Properties, live.Properties)
			}
			m.Resources = append(m.Resources, live)
		}
		for i := range s.Live.Around {
			if live, err := s.Live.Around[i].resource(); err == nil {
				m.Resources = append(m.Resources, live)
			}
		}
		s.deployed = m
	})
	return s.deployed
}

// withWriteOnly adds to a live model the properties that a read never returns.
// Only those at the top are added: a part of a nested object cannot be told
// from one that was removed with it.
func withWriteOnly(typ string, written, live *cfn.Value) *cfn.Value {
	s := schema.Lookup(typ)
	if s == nil {
		return live
	}
	out := live
	for _, name := range s.WriteOnly {
		if v := written.Get(name); v != nil && live.Get(name) == nil {
			if out == live {
				c := *live
				c.Fields = append([]cfn.Field(nil), live.Fields...)
				out = &c
			}
			out.Fields = append(out.Fields, cfn.Field{Key: name, Value: v})
		}
	}
	return out
}
