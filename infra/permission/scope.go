package permission

import (
	"slices"

	"plumbline/tasks/catalog"
	"plumbline/workflows"
)

// Scope is what of a deployment roles depend on. The zero value is that of an
// account that is only scanned, and tells people by mail alone.
type Scope struct {
	// Changes are the types of resources that may be changed; none: none of the
	// functions and state machines of the remediation is there.
	Changes []string
	// Page: people decide on changes on a page of their own; without it they do by
	// command. It is there only with Changes.
	Page bool
	// Secrets are the names of the secrets of ticketing systems, chats and
	// webhooks; none: the function that delivers to them is not there.
	Secrets []string
}

// Tasks lists the functions that are there.
func (s Scope) Tasks() []catalog.Task {
	out := slices.Clone(catalog.Tasks)
	if len(s.Changes) > 0 {
		out = append(out, catalog.Remediation...)
		if s.Page {
			out = append(out, catalog.Approval...)
		}
	}
	if len(s.Secrets) > 0 {
		out = append(out, catalog.Delivery...)
	}
	return out
}

// Machines lists the state machines that are there.
func (s Scope) Machines() []workflows.Machine {
	if len(s.Changes) == 0 {
		return slices.Clone(workflows.Machines)
	}
	return workflows.All()
}

// lacks reports whether a resource is a state machine that is not there.
func (s Scope) lacks(resource string) bool {
	is := func(m workflows.Machine) bool { return m.Placeholder() == resource }
	return slices.ContainsFunc(workflows.All(), is) && !slices.ContainsFunc(s.Machines(), is)
}

// Outside reports whether a function is outside of the VPC, whence alone it
// reaches the Internet.
func Outside(t catalog.Task) bool {
	return t.Name == "SignIn" || slices.ContainsFunc(catalog.Delivery, func(d catalog.Task) bool { return d.Name == t.Name })
}
