package console

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"plumbline/finding"
)

func boardOf(t testing.TB, all []finding.Record) *board {
	t.Helper()
	b, err := newBoard(func(yield func(finding.Record, error) bool) {
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
	}, func(rule string) string { return "title of " + rule })
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// asked is what two frameworks ask for.
type asked struct{}

func (asked) rulesOf(framework, control string) map[string]bool {
	if framework != "fw" {
		return nil
	}
	if control == "1" {
		return map[string]bool{"iam-policy-admin": true}
	}
	return map[string]bool{"iam-policy-admin": true, "s3-bucket-versioning": true}
}

func (a asked) frameworksOf(rule string) []string {
	if a.rulesOf("fw", "")[rule] {
		return []string{"fw"}
	}
	return nil
}

// shows is the filter in the plainest words.
func shows(f *filter, r *finding.Record, now time.Time) bool {
	values := [dimensions]string{string(r.Severity), string(r.State), string(r.Domain), r.Rule, r.Resource.Type, r.Where(), r.Owner, r.Scope}
	for d, want := range f.want {
		if len(want) > 0 && !slices.Contains(want, values[d]) {
			return false
		}
	}
	if len(f.want[byState]) == 0 && !r.State.Active() {
		return false
	}
	if f.framework != "" && !(asked{}).rulesOf(f.framework, f.control)[r.Rule] {
		return false
	}
	if f.overdue && (r.Due.IsZero() || !r.Due.Before(now) || !r.State.Active()) {
		return false
	}
	text := strings.ToLower(r.Resource.LogicalID + "\n" + r.Message + "\n" + r.Rule + "\ntitle of " + r.Rule + "\n" + r.Resource.Type + "\n" + r.Where() + "\n" + r.Place.Template() + "\n111122223333\neu-west-1\n" + r.Owner)
	for _, w := range wordsOf(f.query) {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// TestFilter compares the one pass over a board with counting each thing on its own.
func TestFilter(t *testing.T) {
	all := records(400)
	b := boardOf(t, all)
	now := day1.Add(30*24*time.Hour + 200*time.Second)
	rapid.Check(t, func(t *rapid.T) {
		q := url.Values{}
		some := func(name string, from ...string) {
			for range rapid.IntRange(0, 2).Draw(t, "of "+name) {
				q.Add(name, rapid.SampledFrom(from).Draw(t, name))
			}
		}
		some("severity", "critical", "high", "medium", "low", "bogus")
		some("state", "new", "open", "resolved", "suppressed")
		some("rule", "s3-bucket-versioning", "iam-policy-admin", "gone")
		some("stack", "Stack1", "Stack2", "Stack3")
		some("owner", "payments", "platform")
		some("q", "thing", "value 1", `"value 7 is"`, "AWS::S3", "zzz")
		some("framework", "fw", "other")
		some("control", "1", "2")
		some("overdue", "1")
		some("sort", orderNames[:]...)
		f := readFilter(q)
		again := readFilter(f.values())
		if diff := cmp.Diff(f, again, cmp.AllowUnexported(filter{})); diff != "" {
			t.Fatalf("its address is another filter (-want +got):\n%s", diff)
		}
		var want []string
		for i := range all {
			if shows(&f, &all[i], now) {
				want = append(want, all[i].Fingerprint())
			}
		}
		var got []string
		page := f
		for {
			found := b.find(&page, asked{}, now)
			if found.total != len(want) || found.before != len(got) {
				t.Fatalf("%d of %d are before the page, want %d of %d", found.before, found.total, len(got), len(want))
			}
			for _, x := range found.page {
				got = append(got, x.key)
			}
			if !found.more {
				break
			}
			page.after = found.page[len(found.page)-1].key
		}
		sorted := slices.Sorted(slices.Values(got))
		slices.Sort(want)
		if diff := cmp.Diff(want, sorted); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", f.address(), diff)
		}
		found := b.find(&f, asked{}, now)
		for d := range dimensions {
			for _, x := range found.facets[d] {
				alone := f.with(d, x.Value)
				n := 0
				for i := range all {
					if shows(&alone, &all[i], now) {
						n++
					}
				}
				if n != x.Count && (d != byState || x.Count == 0 == (n == 0)) {
					t.Fatalf("%s: %s %s counts %d, want %d", f.address(), dimensionNames[d], x.Value, x.Count, n)
				}
			}
		}
	})
}

func TestGroups(t *testing.T) {
	b := boardOf(t, records(70))
	f := readFilter(url.Values{"group": {"severity"}})
	var got []string
	total := 0
	for _, g := range b.find(&f, asked{}, day1).groups {
		got = append(got, g.Value)
		total += g.Total
	}
	if diff := cmp.Diff([]string{"critical", "high", "medium", "low"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if total != 50 {
		t.Errorf("they have %d findings, want 50", total)
	}
}

func TestTheLatestLifeIsShown(t *testing.T) {
	r := records(1)[0]
	r.State = finding.Resolved
	back := r
	back.State, back.FirstSeen = finding.Reopened, r.FirstSeen.Add(time.Hour)
	b := boardOf(t, []finding.Record{back, r})
	if x := b.rows[b.byKey[r.Fingerprint()]]; b.value(&x, byState) != "reopened" {
		t.Errorf("state %s", b.value(&x, byState))
	}
}
