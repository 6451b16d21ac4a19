package console

import (
	"cmp"
	"encoding/hex"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"plumbline/finding"
	"plumbline/sla"
)

// dimension is a property by which findings are filtered and grouped.
type dimension int

// The dimensions, in the order in which the filter shows them.
const (
	bySeverity dimension = iota
	byState
	byDomain
	byRule
	byType
	byStack
	byOwner
	byScope
	dimensions
)

// dimensionNames are the names of the dimensions in addresses.
var dimensionNames = [dimensions]string{"severity", "state", "domain", "rule", "type", "stack", "owner", "scope"}

// board is all findings of a data folder as they stood at one time, kept so that
// a filter is one pass over memory: a list, a search and the counts beside them
// are answered from the same rows, whatever a scan writes meanwhile. A board is
// immutable and safe for concurrent use.
type board struct {
	changed int64 // of the database, when it was read
	read    time.Time
	rows    []row
	values  [dimensions][]string // by code
	codes   [dimensions]map[string]uint32
	byKey   map[string]int // the latest life of a finding, by its fingerprint

	active    int
	newest    time.Time // of LastSeen
	orders    [orders]func() []int32
	termsOnce sync.Once
	terms     *sla.Report
	termsErr  error
}

// row is one life of a finding, as far as lists need it.
type row struct {
	code             [dimensions]uint32
	first, last, due int64 // Unix seconds, due 0 for none
	key              string
	logical, message string
	place            finding.Place
	account, region  string
	text             string // what a search looks through, in lower case
	active           bool
}

// newBoard reads all records. Severities and states have the codes of their
// order, so that sorting by code sorts by urgency.
func newBoard(records iter.Seq2[finding.Record, error], title func(rule string) string) (*board, error) {
	b := &board{read: time.Now(), byKey: map[string]int{}}
	for d := range dimensions {
		b.codes[d] = map[string]uint32{}
	}
	for _, s := range finding.Severities {
		b.codeOf(bySeverity, string(s))
	}
	for _, s := range states {
		b.codeOf(byState, string(s))
	}
	for r, err := range records {
		if err != nil {
			return nil, err
		}
		b.add(&r, title)
	}
	for o := range orders {
		b.orders[o] = sync.OnceValue(func() []int32 { return b.sorted(o) })
	}
	return b, nil
}

// states in the order in which the filter lists them.
var states = []finding.State{finding.New, finding.Reopened, finding.Open, finding.Acknowledged, finding.InRemediation, finding.Resolved, finding.Suppressed}

func (b *board) codeOf(d dimension, value string) uint32 {
	code, ok := b.codes[d][value]
	if !ok {
		code = uint32(len(b.values[d])) //nolint:gosec // fewer than there are rows
		b.codes[d][value] = code
		b.values[d] = append(b.values[d], value)
	}
	return code
}

func (b *board) add(r *finding.Record, title func(string) string) {
	x := row{
		first: r.FirstSeen.Unix(), last: r.LastSeen.Unix(), key: r.Fingerprint(),
		logical: r.Resource.LogicalID, message: r.Message, place: r.Place,
		account: r.Resource.Account, region: r.Resource.Region, active: r.State.Active(),
	}
	if !r.Due.IsZero() {
		x.due = r.Due.Unix()
	}
	for d, value := range [dimensions]string{string(r.Severity), string(r.State), string(r.Domain), r.Rule, r.Resource.Type, r.Where(), r.Owner, r.Scope} {
		x.code[d] = b.codeOf(dimension(d), value)
	}
	x.text = strings.ToLower(strings.Join([]string{r.Resource.LogicalID, r.Message, r.Rule, title(r.Rule), r.Resource.Type, r.Where(), r.Place.Template(), r.Resource.Account, r.Resource.Region, r.Owner}, "\n"))
	if x.active {
		b.active++
	}
	if r.LastSeen.After(b.newest) {
		b.newest = r.LastSeen
	}
	if at, ok := b.byKey[x.key]; !ok || b.rows[at].first <= x.first {
		b.byKey[x.key] = len(b.rows)
	}
	b.rows = append(b.rows, x)
}

// value is a row's value in a dimension.
func (b *board) value(x *row, d dimension) string { return b.values[d][x.code[d]] }

// order is an order of the list.
type order int

// The orders.
const (
	mostSevere order = iota
	newestFirst
	oldestFirst
	dueFirst
	orders
)

// orderNames are the names of the orders in addresses; the first is the default.
var orderNames = [orders]string{"severity", "newest", "oldest", "due"}

// sorted returns the numbers of all rows in an order, which is total: a page
// that begins behind a row begins at the same place each time.
func (b *board) sorted(o order) []int32 {
	out := make([]int32, len(b.rows))
	for i := range out {
		out[i] = int32(i) //nolint:gosec // a folder has fewer than two thousand million findings
	}
	slices.SortFunc(out, func(i, j int32) int {
		x, y := &b.rows[i], &b.rows[j]
		first := 0
		switch o {
		case mostSevere:
			first = cmp.Compare(x.code[bySeverity], y.code[bySeverity])
		case newestFirst:
			first = cmp.Compare(y.first, x.first)
		case oldestFirst:
			first = cmp.Compare(x.first, y.first)
		case dueFirst:
			first = cmp.Compare(dueOrNever(x), dueOrNever(y))
		}
		return cmp.Or(first, cmp.Compare(x.code[bySeverity], y.code[bySeverity]), cmp.Compare(x.code[byState], y.code[byState]),
			cmp.Compare(x.first, y.first), strings.Compare(x.key, y.key), cmp.Compare(i, j))
	})
	return out
}

func dueOrNever(x *row) int64 {
	if x.due == 0 || !x.active {
		return 1<<63 - 1
	}
	return x.due
}

// records yields rows as records, as far as measuring terms needs them.
func (b *board) records() iter.Seq2[finding.Record, error] {
	return func(yield func(finding.Record, error) bool) {
		for i := range b.rows {
			x := &b.rows[i]
			r := finding.Record{
				Finding: finding.Finding{
					Rule: b.value(x, byRule), Severity: finding.Severity(b.value(x, bySeverity)), Verdict: finding.Fail, Owner: b.value(x, byOwner), Place: x.place,
					Resource: finding.Resource{Account: x.account, Region: x.region, Stack: b.value(x, byStack), LogicalID: x.logical},
				},
				State: finding.State(b.value(x, byState)), FirstSeen: time.Unix(x.first, 0).UTC(), LastSeen: time.Unix(x.last, 0).UTC(),
			}
			if x.due != 0 {
				r.Due = time.Unix(x.due, 0).UTC()
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// measure is how long violations stay open, worked out when first asked for.
func (b *board) measure(o sla.Options) (*sla.Report, error) {
	b.termsOnce.Do(func() { b.terms, b.termsErr = sla.Measure(b.records(), o) })
	return b.terms, b.termsErr
}

// validKey reports whether a text could be a finding's fingerprint.
func validKey(key string) bool {
	_, err := hex.DecodeString(key)
	return err == nil && len(key) == 32
}
