package console

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"plumbline/finding"
)

// findingsPage is a list of findings, or of groups of them.
type findingsPage struct {
	Filter     filterForm
	Total      int
	Severities []count
	Chosen     []chosen
	Items      []item
	From, To   int
	First      string // address of the first page, "" on it
	Next       string // "" on the last
	Group      string
	Groups     []group
	GroupsLeft int // how many are not listed
}

// chosen is a part of the filter, and the address of the list without it.
type chosen struct{ Label, Value, Without string }

// item is a finding in a list.
type item struct {
	Key, Rule, Title, Severity, State, Type, Where string
	Name, Message, Owner                           string
	First                                          time.Time
	Due                                            time.Time
	Overdue                                        bool
}

// group is a group of findings in a list.
type group struct {
	Value, Title, Address string
	Total                 int
	Severities            []count
}

// filterForm is the filter as a form shows it.
type filterForm struct {
	Query                 string
	Boxes                 []choices // few values: a box each
	Menus                 []choices // many values: a menu
	Framework             string
	Frameworks            []frameworkChoice
	Control               string
	Overdue               bool
	Group, Sort           string
	GroupNames, SortNames []named
}

type named struct{ Value, Label string }

type frameworkChoice struct {
	ID, Title string
	Count     int
}

// choices are the values of a dimension.
type choices struct {
	Name, Label string
	Any         string // what it means that none is chosen
	Values      []facet
	Left        int // values that are not listed
	Chosen      bool
}

// labels are the names of the dimensions for people.
var labels = [dimensions]string{"Severity", "State", "Domain", "Rule", "Resource type", "Stack or template", "Owner", "PCI DSS scope"}

// menuLongest is how many values a menu lists; the search finds the others.
const menuLongest = 300

// groupsLongest is how many groups a page lists.
const groupsLongest = 500

func (s *Server) findings(r *http.Request, b *board) (*view, error) {
	f := readFilter(r.URL.Query())
	now := s.o.Now()
	found := b.find(&f, s.asked, now)
	p := &findingsPage{Filter: s.form(&f, found), Total: found.total, Group: f.group}
	for i, x := range finding.Severities {
		p.Severities = append(p.Severities, count{string(x), string(x), f.with(bySeverity, string(x)).address(), found.severities[i]})
	}
	p.Chosen = s.chosen(&f)
	if f.group != "" {
		s.listGroups(p, &f, found)
	} else {
		p.From, p.To = found.before+1, found.before+len(found.page)
		for _, x := range found.page {
			p.Items = append(p.Items, s.item(b, x, now))
		}
		if f.after != "" {
			first := f
			first.after = ""
			p.First = first.address()
		}
		if found.more {
			next := f
			next.after = found.page[len(found.page)-1].key
			p.Next = next.address()
		}
	}
	return &view{name: "findings", Title: plural(found.total, "finding", "findings"), Data: p}, nil
}

func (s *Server) item(b *board, x *row, now time.Time) item {
	i := item{
		Key: x.key, Rule: b.value(x, byRule), Severity: b.value(x, bySeverity), State: b.value(x, byState), Type: b.value(x, byType), Where: b.value(x, byStack),
		Name: x.logical, Message: x.message, Owner: b.value(x, byOwner), First: time.Unix(x.first, 0),
	}
	i.Title = s.titleOf(i.Rule)
	if i.Name == "" {
		i.Name = x.place.Path
	}
	if x.due != 0 && x.active {
		i.Due, i.Overdue = time.Unix(x.due, 0), x.due < now.Unix()
	}
	return i
}

// titleOf is a rule's title, its id where it is not known.
func (s *Server) titleOf(id string) string {
	if r := s.o.Describe(id); r != nil && r.Title != "" {
		return r.Title
	}
	return id
}

func (s *Server) listGroups(p *findingsPage, f *filter, found *result) {
	d := dimension(slices.Index(dimensionNames[:], f.group))
	p.GroupsLeft = max(0, len(found.groups)-groupsLongest)
	for _, g := range found.groups[:min(len(found.groups), groupsLongest)] {
		in := f.with(d, g.Value)
		in.group = ""
		x := group{Value: g.Value, Address: in.address(), Total: g.Total}
		if d == byRule {
			x.Title = s.titleOf(g.Value)
		}
		for i, sev := range finding.Severities {
			if n := g.Severities[i]; n > 0 {
				x.Severities = append(x.Severities, count{string(sev), string(sev), in.with(bySeverity, string(sev)).address(), n})
			}
		}
		p.Groups = append(p.Groups, x)
	}
}

// chosen lists the parts of the filter, so that each can be taken away.
func (s *Server) chosen(f *filter) []chosen {
	var out []chosen
	for d := range dimensions {
		for _, v := range f.want[d] {
			out = append(out, chosen{labels[d], v, f.without(d, v).address()})
		}
	}
	less := func(label, value string, change func(*filter)) {
		g := *f
		g.after = ""
		change(&g)
		out = append(out, chosen{label, value, g.address()})
	}
	if f.control != "" {
		less("Requirement", f.control, func(g *filter) { g.control = "" })
	}
	if f.framework != "" {
		less("Framework", f.framework, func(g *filter) { g.framework, g.control = "", "" })
	}
	if f.query != "" {
		less("Search", f.query, func(g *filter) { g.query = "" })
	}
	if f.overdue {
		less("Term", "overdue", func(g *filter) { g.overdue = false })
	}
	return out
}

func (s *Server) form(f *filter, found *result) filterForm {
	x := filterForm{Query: f.query, Framework: f.framework, Control: f.control, Overdue: f.overdue, Group: f.group, Sort: orderNames[f.order]}
	for d := range dimensions {
		c := choices{Name: dimensionNames[d], Label: labels[d], Any: "any", Values: found.facets[d], Chosen: len(f.want[d]) > 0}
		if d == byState {
			c.Any = "any that wants attention"
		}
		if d == bySeverity || d == byState || d == byDomain {
			x.Boxes = append(x.Boxes, c)
			continue
		}
		if len(c.Values) == 0 || len(c.Values) == 1 && c.Values[0].Value == "" {
			continue // nobody knows owners, or scopes
		}
		if d == byStack || d == byRule || d == byType { // by name, as a menu is read
			kept := c.Values[:min(len(c.Values), menuLongest)]
			for _, v := range c.Values[len(kept):] {
				if v.Checked {
					kept = append(kept, v)
				}
			}
			c.Left = len(c.Values) - len(kept)
			slices.SortFunc(kept, func(a, b facet) int { return strings.Compare(a.Value, b.Value) })
			c.Values = kept
		}
		x.Menus = append(x.Menus, c)
	}
	for i := range s.asked.frameworks {
		fw := &s.asked.frameworks[i]
		x.Frameworks = append(x.Frameworks, frameworkChoice{fw.ID, fw.Title, found.frameworks[fw.ID]})
	}
	for d := range dimensions {
		x.GroupNames = append(x.GroupNames, named{dimensionNames[d], strings.ToLower(labels[d])})
	}
	x.SortNames = []named{{"severity", "most severe first"}, {"newest", "newest first"}, {"oldest", "oldest first"}, {"due", "due first"}}
	return x
}
