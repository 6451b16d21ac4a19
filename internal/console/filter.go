package console

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"
)

// filter is what a list of findings shows. Its address is all there is to it,
// so a list can be shared.
type filter struct {
	want      [dimensions][]string // one of these; none: any, and of states those that want attention
	framework string
	control   string // of framework
	query     string
	overdue   bool
	group     string // a dimension's name, "" for none
	order     order
	after     string // fingerprint of the last finding of the page before
}

// longestQuery is how long a search may be, in bytes.
const longestQuery = 200

// readFilter reads an address. What it does not know it leaves out: an address
// that was shared long ago still shows something.
func readFilter(q url.Values) filter {
	var f filter
	for d := range dimensions {
		for _, v := range q[dimensionNames[d]] {
			if v != "" && !slices.Contains(f.want[d], v) && len(f.want[d]) < 50 {
				f.want[d] = append(f.want[d], v)
			}
		}
		slices.Sort(f.want[d])
	}
	f.framework, f.control = q.Get("framework"), q.Get("control")
	if f.framework == "" {
		f.control = ""
	}
	f.query = strings.ToValidUTF8(strings.TrimSpace(q.Get("q")), "")
	f.query = f.query[:min(len(f.query), longestQuery)]
	f.overdue = q.Get("overdue") != ""
	if g := q.Get("group"); slices.Contains(dimensionNames[:], g) {
		f.group = g
	}
	f.order = order(max(0, slices.Index(orderNames[:], q.Get("sort"))))
	if validKey(q.Get("after")) {
		f.after = q.Get("after")
	}
	return f
}

// values are the filter as an address has it, in one spelling.
func (f filter) values() url.Values {
	q := url.Values{}
	for d := range dimensions {
		for _, v := range f.want[d] {
			q.Add(dimensionNames[d], v)
		}
	}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("framework", f.framework)
	set("control", f.control)
	set("q", f.query)
	if f.overdue {
		q.Set("overdue", "1")
	}
	set("group", f.group)
	if f.order != mostSevere {
		q.Set("sort", orderNames[f.order])
	}
	set("after", f.after)
	return q
}

// address is where the list stands.
func (f filter) address() string {
	if q := f.values().Encode(); q != "" {
		return "/findings?" + q
	}
	return "/findings"
}

// with returns the filter with one value in a dimension, from the first page on.
func (f filter) with(d dimension, value string) filter {
	f.want[d] = []string{value}
	f.after = ""
	return f
}

// without returns the filter without a value in a dimension.
func (f filter) without(d dimension, value string) filter {
	f.want[d] = slices.DeleteFunc(slices.Clone(f.want[d]), func(v string) bool { return v == value })
	f.after = ""
	return f
}

// facet is a value of a dimension with how many findings have it, all other
// parts of the filter holding.
type facet struct {
	Value   string
	Count   int
	Checked bool
}

// groupRow is a value of the dimension that a list is grouped by.
type groupRow struct {
	Value      string
	Total      int
	Severities []int // by rank
}

// result is what a filter finds.
type result struct {
	total      int
	page       []*row
	more       bool
	before     int // how many findings stand before this page
	facets     [dimensions][]facet
	frameworks map[string]int // by id, all other parts of the filter holding
	groups     []groupRow
	severities []int // of all that is found, by rank
}

// pageSize is how many findings, or groups, a page lists.
const pageSize = 50

// asks says which rules a framework, or one requirement of it, asks for.
type asks interface {
	rulesOf(framework, control string) map[string]bool
	frameworksOf(rule string) []string
}

// find runs the filter: one pass over the rows in their order. Each row is
// counted in a dimension's facet where it fails the filter in no other way.
func (b *board) find(f *filter, ask asks, now time.Time) *result {
	r := &result{frameworks: map[string]int{}, severities: make([]int, len(b.values[bySeverity]))}
	m := b.match(f, ask, now)
	start := -1 // where the page begins, in the order
	list := b.orders[f.order]()
	if at, ok := b.byKey[f.after]; ok {
		start = slices.Index(list, int32(at)) //nolint:gosec // as sorted has it
	}
	group, grouped := dimension(slices.Index(dimensionNames[:], f.group)), f.group != ""
	var groups []groupRow
	if grouped {
		groups = make([]groupRow, len(b.values[group]))
	}
	var counts [dimensions][]int
	for d := range dimensions {
		counts[d] = make([]int, len(b.values[d]))
	}
	ofRule := make([]int, len(b.values[byRule])) // for the frameworks
	for n, i := range list {
		x := &b.rows[i]
		failed, how := m.failures(int(i), x)
		switch {
		case failed == 0:
			for d := range dimensions {
				counts[d][x.code[d]]++
			}
			ofRule[x.code[byRule]]++
			r.total++
			if s := int(x.code[bySeverity]); s < len(r.severities) {
				r.severities[s]++
			}
			switch {
			case grouped:
				g := &groups[x.code[group]]
				if g.Severities == nil {
					g.Severities = make([]int, len(r.severities))
				}
				g.Total++
				g.Severities[x.code[bySeverity]]++
			case n <= start:
				r.before++
			case len(r.page) < pageSize:
				r.page = append(r.page, x)
			default:
				r.more = true
			}
		case failed == 1 && how < int(dimensions):
			counts[how][x.code[how]]++
		case failed == 1 && how == failsFramework:
			ofRule[x.code[byRule]]++
		}
	}
	for code, n := range ofRule {
		if n > 0 {
			for _, fw := range ask.frameworksOf(b.values[byRule][code]) {
				r.frameworks[fw] += n
			}
		}
	}
	for d := range dimensions {
		r.facets[d] = b.facets(d, counts[d], f.want[d])
	}
	for code := range groups {
		if g := groups[code]; g.Total > 0 {
			g.Value = b.values[group][code]
			r.groups = append(r.groups, g)
		}
	}
	slices.SortStableFunc(r.groups, compareGroups)
	return r
}

// compareGroups puts the group with the most severe findings first.
func compareGroups(x, y groupRow) int {
	return cmp.Or(slices.Compare(y.Severities, x.Severities), strings.Compare(x.Value, y.Value))
}

// facets lists the values of a dimension that something has, or that are chosen:
// severities and states in their order, others by how many have them.
func (b *board) facets(d dimension, counts []int, chosen []string) []facet {
	var out []facet
	for code, n := range counts {
		value := b.values[d][code]
		checked := slices.Contains(chosen, value)
		if n > 0 || checked {
			out = append(out, facet{value, n, checked})
		}
	}
	for _, v := range chosen {
		if _, known := b.codes[d][v]; !known { // of an address that was shared before it went
			out = append(out, facet{v, 0, true})
		}
	}
	if d != bySeverity && d != byState {
		slices.SortStableFunc(out, func(x, y facet) int { return cmp.Or(cmp.Compare(y.Count, x.Count), strings.Compare(x.Value, y.Value)) })
	}
	return out
}

// matcher is a filter made ready for a board's codes.
type matcher struct {
	want   [dimensions][]bool // by code; nil: any
	rules  []bool             // by code of the rule, for a framework; nil: any
	text   []bool             // by row, for a search; nil: any
	due    int64              // overdue is what was due before; 0: any
	active bool               // only what wants attention
}

// What a row can fail in beside the dimensions.
const (
	failsFramework = int(dimensions) + iota
	failsText
	failsDue
)

func (b *board) match(f *filter, ask asks, now time.Time) *matcher {
	m := &matcher{text: b.having(wordsOf(f.query)), active: len(f.want[byState]) == 0}
	for d := range dimensions {
		if len(f.want[d]) == 0 {
			continue
		}
		m.want[d] = make([]bool, len(b.values[d]))
		for _, v := range f.want[d] {
			if code, ok := b.codes[d][v]; ok {
				m.want[d][code] = true
			}
		}
	}
	if f.framework != "" {
		m.rules = make([]bool, len(b.values[byRule]))
		for rule := range ask.rulesOf(f.framework, f.control) {
			if code, ok := b.codes[byRule][rule]; ok {
				m.rules[code] = true
			}
		}
	}
	if f.overdue {
		m.due = now.Unix()
	}
	return m
}

// failures counts in how many ways a row fails the filter, up to two, and says
// in which it failed last.
func (m *matcher) failures(i int, x *row) (failed, how int) {
	for d := range dimensions {
		ok := true
		if m.want[d] != nil {
			ok = m.want[d][x.code[d]]
		} else if d == byState && m.active {
			ok = x.active
		}
		if !ok {
			if failed++; failed > 1 {
				return failed, int(d)
			}
			how = int(d)
		}
	}
	fail := func(way int) { failed, how = failed+1, way }
	if m.rules != nil && !m.rules[x.code[byRule]] {
		fail(failsFramework)
	}
	if m.due != 0 && (x.due == 0 || x.due >= m.due || !x.active) {
		fail(failsDue)
	}
	if m.text != nil && !m.text[i] {
		fail(failsText)
	}
	return failed, how
}

// wordsOf splits a search into what must all be found, in lower case: words, and
// between double quotes several of them in that order.
func wordsOf(query string) []string {
	var out []string
	for i, part := range strings.Split(strings.ToLower(query), `"`) {
		if i%2 == 0 {
			out = append(out, strings.Fields(part)...)
		} else if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
