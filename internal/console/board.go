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

	// What a search looks through: the texts of all rows in lower case, one behind
	// the other, and where each ends.
	text string
	ends []int

	active int
	newest time.Time // of LastSeen
	orders [orders]func() []int32

	summarize sync.Once
	summary   overviewPage // what of an overview changes with the findings alone
	measuring sync.Mutex
	terms     *sla.Report
}

// row is one life of a finding, as far as lists need it.
type row struct {
	code             [dimensions]uint32
	first, last, due int64 // Unix seconds, due 0 for none
	key              string
	logical, message string
	place            finding.Place
	account, region  string
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
	var text strings.Builder
	for r, err := range records {
		if err != nil {
			return nil, err
		}
		b.add(&r, title, &text)
	}
	b.text = text.String()
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

func (b *board) add(r *finding.Record, title func(string) string, text *strings.Builder) {
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
	for _, part := range []string{r.Resource.LogicalID, r.Message, r.Rule, title(r.Rule), r.Resource.Type, r.Where(), r.Place.Template(), r.Resource.Account, r.Resource.Region, r.Owner} {
		text.WriteString(strings.ToLower(part))
		text.WriteByte('\n')
	}
	b.ends = append(b.ends, text.Len())
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

// termsHold is for how long measured terms are shown: what is open grows older.
const termsHold = 10 * time.Minute

// measure is how long violations stay open, at most termsHold ago.
func (b *board) measure(o sla.Options) (*sla.Report, error) {
	b.measuring.Lock()
	defer b.measuring.Unlock()
	if b.terms != nil && o.Now.Sub(b.terms.At) < termsHold {
		return b.terms, nil
	}
	terms, err := sla.Measure(b.records(), o)
	if err == nil {
		b.terms = terms
	}
	return terms, err
}

// having says of each row whether it has all the words; nil for none. The longest,
// which few rows have, is looked for in the text of all rows, the others in those.
func (b *board) having(words []string) []bool {
	if len(words) == 0 {
		return nil
	}
	words = slices.SortedStableFunc(slices.Values(words), func(x, y string) int { return len(y) - len(x) })
	has := make([]bool, len(b.rows))
	for row, at := 0, 0; row < len(b.rows); row++ {
		i := strings.Index(b.text[at:], words[0])
		if i < 0 {
			break
		}
		at += i
		for b.ends[row] <= at {
			row++
		}
		has[row] = at+len(words[0]) <= b.ends[row]
		at = b.ends[row]
	}
	for row, begin := 0, 0; row < len(b.rows) && len(words) > 1; row++ {
		if has[row] {
			text := b.text[begin:b.ends[row]]
			has[row] = !slices.ContainsFunc(words[1:], func(w string) bool { return !strings.Contains(text, w) })
		}
		begin = b.ends[row]
	}
	return has
}

// validKey reports whether a text could be a finding's fingerprint.
func validKey(key string) bool {
	_, err := hex.DecodeString(key)
	return err == nil && len(key) == 32
}
