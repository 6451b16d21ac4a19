package assess_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/blob"
	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/internal/memory"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/assess"
	"plumbline/tasks/catalog"
)

var (
	target = scan.Target{Path: "cdk.out/P.template.json", Stack: "P", Account: "111122223333", Region: "eu-west-1"}
	day1   = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
)

const source = `{"Resources": {"Cards": {"Type": "AWS::S3::Bucket"}, "Logs": {"Type": "AWS::S3::Bucket"}}}`

// violation is a failure of a rule on a resource, on a line.
func violation(rule, id string, s finding.Severity, line int) finding.Finding {
	return finding.Finding{
		Rule: rule, Severity: s, Domain: finding.Protection, Verdict: finding.Fail,
		Resource: finding.Resource{Account: "111122223333", Region: "eu-west-1", Stack: "P", LogicalID: id, Type: "AWS::S3::Bucket"},
		Place:    finding.Place{Path: target.Path, Line: line, Column: 1},
	}
}

func verdict(f finding.Finding, v finding.Verdict) finding.Finding {
	f.Verdict = v
	return f
}

// lost says that a branch failed.
type lost struct{ name, cause string }

// bench runs assess over and over against the same stores, as scan after scan would.
type bench struct {
	t     *testing.T
	blobs *blob.Memory
	table *memory.Findings
	o     assess.Options
	snap  *scan.Snapshot
	scans int
	a     *scan.Assessment
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, blobs: new(blob.Memory), table: new(memory.Findings), snap: &scan.Snapshot{Target: target, Source: []byte(source)}}
	b.o.Known = b.table
	return b
}

// scan assesses the findings a day after the last scan and writes the changes.
func (b *bench) scan(failures map[finding.Domain]lost, fs ...finding.Finding) assess.Out {
	b.t.Helper()
	at := day1.AddDate(0, 0, b.scans)
	b.scans++
	return b.scanAt(at, failures, fs...)
}

func (b *bench) scanAt(at time.Time, failures map[finding.Domain]lost, fs ...finding.Finding) assess.Out {
	b.t.Helper()
	ctx := b.t.Context()
	ref, err := b.blobs.Put(ctx, "snapshot", b.snap)
	if err != nil {
		b.t.Fatal(err)
	}
	in := assess.In{ScanID: "s1", Started: at, Snapshot: ref}
	for _, d := range finding.Domains {
		if f, ok := failures[d]; ok {
			in.RuleSets = append(in.RuleSets, assess.Branch{Domain: d, Failure: &assess.Failure{Error: f.name, Cause: f.cause}})
			continue
		}
		v := &scan.Verdicts{Domain: d, Counts: finding.Counts{"skip": 1}}
		for _, f := range fs {
			if f.Domain == d {
				v.Findings = append(v.Findings, f)
				v.Counts[string(f.Verdict)]++
			}
		}
		vr, err := b.blobs.Put(ctx, "verdicts-"+string(d), v)
		if err != nil {
			b.t.Fatal(err)
		}
		in.RuleSets = append(in.RuleSets, assess.Branch{Domain: d, Verdicts: &vr})
	}
	out, err := assess.New(b.blobs, b.o).Handle(ctx, in)
	if err != nil {
		b.t.Fatal(err)
	}
	if b.a, err = blob.Get[scan.Assessment](ctx, b.blobs, out.Assessment); err != nil {
		b.t.Fatal(err)
	}
	c, err := blob.Get[scan.Changes](ctx, b.blobs, out.Changes)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.table.Put(ctx, c.Records); err != nil {
		b.t.Fatal(err)
	}
	return out
}

// states returns the table's rows as "rule resource state".
func (b *bench) states() []string {
	b.t.Helper()
	var out []string
	for r, err := range b.table.OfStack(b.t.Context(), target.Where()) {
		if err != nil {
			b.t.Fatal(err)
		}
		out = append(out, r.Rule+" "+r.Resource.LogicalID+" "+string(r.State))
	}
	return out
}

func (b *bench) wantStates(want ...string) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.states()); diff != "" {
		b.t.Errorf("states (-want +got):\n%s", diff)
	}
}

func TestALife(t *testing.T) {
	b := newBench(t)
	v := violation("r1", "Cards", finding.Critical, 3)

	out := b.scan(nil, v)
	b.wantStates("r1 Cards new")
	if out.New != 1 || out.Open != 1 || out.Alerts.Critical != 1 || out.Alerts.Others != 0 {
		t.Errorf("first scan: %+v", out)
	}
	if diff := cmp.Diff([]string{v.Fingerprint()}, b.a.New); diff != "" {
		t.Errorf("New (-want +got):\n%s", diff)
	}

	out = b.scan(nil, v)
	b.wantStates("r1 Cards open")
	if out.New != 0 || out.Open != 1 || out.Alerts.Critical != 0 {
		t.Errorf("second scan: %+v", out)
	}

	out = b.scan(nil)
	b.wantStates("r1 Cards resolved")
	if out.Resolved != 1 || out.Open != 0 || len(b.a.Resolved) != 1 || b.a.Resolved[0].ExpiresAt.IsZero() {
		t.Errorf("third scan: %+v, %+v", out, b.a.Resolved)
	}

	if out = b.scan(nil); out.Resolved != 0 {
		t.Errorf("resolved twice: %+v", out)
	}

	out = b.scan(nil, v)
	b.wantStates("r1 Cards reopened")
	if out.New != 0 || out.Open != 1 || out.Alerts.Critical != 1 {
		t.Errorf("it returns: %+v", out)
	}
	for r := range b.table.OfStack(t.Context(), "P") {
		if !r.FirstSeen.Equal(day1) {
			t.Errorf("the clock started again: first seen %v", r.FirstSeen)
		}
	}
}

func TestWhatWasNotJudgedIsNotResolved(t *testing.T) {
	v := violation("r1", "Cards", finding.High, 3)
	for _, tc := range []struct {
		name  string
		later func(b *bench) assess.Out
	}{
		{"its domain is lost", func(b *bench) assess.Out {
			return b.scan(map[finding.Domain]lost{finding.Protection: {"States.Timeout", ""}})
		}},
		{"the template is broken", func(b *bench) assess.Out {
			b.snap = &scan.Snapshot{Target: target, Source: []byte(`{"Resources": `)}
			return b.scan(nil)
		}},
		{"a part of the template is broken", func(b *bench) assess.Out {
			b.snap = &scan.Snapshot{Target: target, Source: []byte(`{"Resources": {"Cards": {"Type": 7}, "Logs": {"Type": "AWS::S3::Bucket"}}}`)}
			return b.scan(nil)
		}},
		{"it is unknown now", func(b *bench) assess.Out { return b.scan(nil, verdict(v, finding.Unknown)) }},
		{"it is an error now", func(b *bench) assess.Out { return b.scan(nil, verdict(v, finding.Error)) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t)
			b.scan(nil, v)
			out := tc.later(b)
			b.wantStates("r1 Cards new")
			if out.Resolved != 0 || out.Open != 1 {
				t.Errorf("%+v, want one open and none resolved", out)
			}
		})
	}
}

func TestUnknownAndErrorOpenNoRow(t *testing.T) {
	b := newBench(t)
	v := violation("r1", "Cards", finding.High, 3)
	out := b.scan(nil, verdict(v, finding.Unknown), verdict(violation("r2", "Cards", finding.High, 3), finding.Error))
	b.wantStates()
	if out.New != 0 || len(b.a.Findings) != 2 {
		t.Errorf("%+v with %d findings", out, len(b.a.Findings))
	}
}

func TestADeletedStackIsResolved(t *testing.T) {
	b := newBench(t)
	b.scan(nil, violation("r1", "Cards", finding.High, 3), violation("r1", "Logs", finding.High, 5))
	b.snap = &scan.Snapshot{Target: target, Gone: true}
	if out := b.scan(nil); out.Resolved != 2 || len(b.a.Findings) != 0 {
		t.Errorf("%+v, %+v", out, b.a.Findings)
	}
}

func TestARuleThatIsNoLongerInForce(t *testing.T) {
	b := newBench(t)
	v := violation("r1", "Cards", finding.High, 3)
	b.scan(nil, v)
	b.o.InForce = func(rule string) bool { return rule != "r1" }
	if out := b.scan(nil); out.Resolved != 0 || out.Open != 0 {
		t.Errorf("turned off: %+v", out)
	}
	b.wantStates("r1 Cards suppressed")
	b.scan(nil)
	b.wantStates("r1 Cards suppressed")
	b.o.InForce = nil
	b.scan(nil, v)
	b.wantStates("r1 Cards reopened")
}

func TestOtherTargetsOfTheSameName(t *testing.T) {
	b := newBench(t)
	b.snap = &scan.Snapshot{Target: scan.Target{Path: "one/App.json", Stack: "P"}, Source: []byte(source)}
	v := violation("r1", "Cards", finding.High, 3)
	v.Resource.Account, v.Resource.Region, v.Place.Path = "", "", "one/App.json"
	b.scan(nil, v)
	b.snap = &scan.Snapshot{Target: scan.Target{Path: "two/App.json", Stack: "P"}, Source: []byte(source)}
	if out := b.scan(nil); out.Resolved != 0 {
		t.Errorf("a template of another folder resolved it: %+v", out)
	}
	b.snap = &scan.Snapshot{Target: scan.Target{Path: "two/App.json", Stack: "P", Region: "us-east-1", Account: "111122223333"}, Source: []byte(source)}
	if out := b.scan(nil); out.Resolved != 0 || out.Open != 0 {
		t.Errorf("a stack of another region touched it: %+v", out)
	}
	b.wantStates("r1 Cards new")
}

func TestPersonsDecisionsStay(t *testing.T) {
	for _, s := range []finding.State{finding.Acknowledged, finding.InRemediation} {
		b := newBench(t)
		v := violation("r1", "Cards", finding.High, 3)
		if err := b.table.Put(t.Context(), []finding.Record{{Finding: v, State: s, FirstSeen: day1.AddDate(0, 0, -9), LastSeen: day1.AddDate(0, 0, -1)}}); err != nil {
			t.Fatal(err)
		}
		if out := b.scan(nil, v); out.New != 0 || out.Alerts.High != 0 || out.Open != 1 {
			t.Errorf("%s: %+v", s, out)
		}
		b.wantStates("r1 Cards " + string(s))
	}
}

func TestSuppressions(t *testing.T) {
	b := newBench(t)
	suppressed := true
	b.o.Suppress = func(models []*cfn.Model, fs []finding.Finding, now time.Time) ([]finding.Finding, []string) {
		if len(models) == 0 || models[0].Resource("Cards") == nil {
			t.Error("suppressions do not see the models")
		}
		for i := range fs {
			if fs[i].Rule == "r1" && suppressed {
				fs[i].Suppressed = &finding.Suppression{Reason: "archive"}
			}
		}
		return nil, []string{"plumbline.yaml:3: expired"}
	}
	v, w := violation("r1", "Cards", finding.High, 3), violation("r2", "Cards", finding.Low, 3)
	out := b.scan(nil, v, w)
	b.wantStates("r1 Cards suppressed", "r2 Cards new")
	if out.New != 1 || out.Open != 1 || out.Alerts.High != 0 || out.Alerts.Low != 1 || out.Alerts.Others != 1 {
		t.Errorf("%+v", out)
	}
	if diff := cmp.Diff(finding.Counts{"fail": 1, "suppressed": 1, "skip": 7, "pass": 1}, b.a.Counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"plumbline.yaml:3: expired"}, b.a.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	suppressed = false
	if out := b.scan(nil, v, w); out.Alerts.High != 1 || out.Open != 2 {
		t.Errorf("the suppression is gone: %+v", out)
	}
	b.wantStates("r1 Cards reopened", "r2 Cards open")
}

func TestTheScopeIsTheTargets(t *testing.T) {
	b := newBench(t)
	b.scan(nil)
	if b.a.Scope != "" {
		t.Errorf("scope %q, and nobody said it", b.a.Scope)
	}
	b.o.Scope = func(t scan.Target, models []*cfn.Model) (string, map[string]string) {
		if len(models) == 0 {
			t.Stack = "nothing"
		}
		return "scope of " + t.Stack, map[string]string{"Cards": "tagged"}
	}
	b.scan(nil, violation("r1", "Cards", finding.High, 3), violation("r1", "Other", finding.High, 9))
	if got := []string{b.a.Findings[0].Scope, b.a.Findings[1].Scope}; got[0] != "tagged" || got[1] != b.a.Scope {
		t.Errorf("scopes of the findings: %q", got)
	}
	if want := "scope of " + b.snap.Target.Stack; b.a.Scope != want {
		t.Errorf("scope %q, want %q", b.a.Scope, want)
	}
}

func TestALostDomainMakesTheScanPartial(t *testing.T) {
	b := newBench(t)
	out := b.scan(map[finding.Domain]lost{finding.Network: {"RulesBroken", `{"errorMessage":"x.yaml: pass: 1:9","errorType":"RulesBroken"}`}}, violation("r1", "Cards", finding.High, 3))
	if diff := cmp.Diff([]finding.Domain{finding.Network}, b.a.Partial); diff != "" || out.Lost != 1 {
		t.Errorf("Partial (-want +got), lost %d:\n%s", out.Lost, diff)
	}
	want := []scan.Failure{{ScanID: "s1", Target: target, Domain: finding.Network, Error: "RulesBroken", Cause: "x.yaml: pass: 1:9", Time: day1}}
	if diff := cmp.Diff(want, b.a.Failures); diff != "" {
		t.Errorf("Failures (-want +got):\n%s", diff)
	}
	if len(b.a.Findings) != 1 {
		t.Errorf("the other domains' findings: %+v", b.a.Findings)
	}
}

func TestADomainWithoutABranchIsLost(t *testing.T) {
	b := newBench(t)
	ref, err := b.blobs.Put(t.Context(), "snapshot", b.snap)
	if err != nil {
		t.Fatal(err)
	}
	out, err := assess.New(b.blobs, assess.Options{}).Handle(t.Context(), assess.In{ScanID: "s1", Snapshot: ref, RuleSets: []assess.Branch{{Domain: finding.Network}}})
	if err != nil || out.Lost != len(finding.Domains) {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestTemplateReadable(t *testing.T) {
	all := func(string) bool { return true }
	for _, tc := range []struct {
		name, source, failed string
		keep                 func(string) bool
		want                 []string // verdict, and whether it has a place
		counts               finding.Counts
	}{
		{"readable, passes not kept", source, "", nil, nil, finding.Counts{"pass": 1, "skip": 7}},
		{"readable, passes kept", source, "", all, []string{"pass"}, finding.Counts{"pass": 1, "skip": 7}},
		{"broken", "{", "", nil, []string{"error"}, finding.Counts{"error": 1, "skip": 7}},
		{"not read", "", "permission denied", nil, []string{"error"}, finding.Counts{"error": 1, "skip": 7}},
		{"a type that is not known", `{"Resources": {"A": {"Type": "AWS::S3::Bucke"}}}`, "", nil, []string{"unknown"}, finding.Counts{"pass": 1, "unknown": 1, "skip": 7}},
		{"a macro", `{"Transform": ["Macro"], "Resources": {"A": {"Type": "AWS::S3::Bucket"}}}`, "", nil, []string{"unknown"}, finding.Counts{"pass": 1, "unknown": 1, "skip": 7}},
		{"two parts broken", `{"Resources": {"A": {"Type": 7}, "B": {"Type": "AWS::S3::Bucket"}, "C": 3}}`, "", nil, []string{"error", "error"}, finding.Counts{"error": 2, "skip": 7}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t)
			b.o.Keep = tc.keep
			b.snap = &scan.Snapshot{Target: target, Source: []byte(tc.source), Failed: tc.failed}
			b.scan(nil)
			var got []string
			for _, f := range b.a.Findings {
				got = append(got, string(f.Verdict))
				if f.Rule != finding.TemplateReadable || f.Place.Path != target.Path || f.Place.Line < 1 || f.Message == "" {
					t.Errorf("%+v is not complete", f)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.counts, b.a.Counts); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFindingsAreSortedByPlaceThenRule(t *testing.T) {
	b := newBench(t)
	other := violation("r1", "Logs", finding.Low, 2)
	other.Domain = finding.Encryption
	b.scan(nil, violation("r2", "Cards", finding.Low, 9), violation("r3", "Cards", finding.Low, 2), violation("r1", "Cards", finding.Low, 2), other)
	var got []string
	for _, f := range b.a.Findings {
		got = append(got, f.Rule+" "+f.Resource.LogicalID)
	}
	if diff := cmp.Diff([]string{"r1 Cards", "r1 Logs", "r3 Cards", "r2 Cards"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRunAgainItComesToTheSame(t *testing.T) {
	b := newBench(t)
	v := violation("r1", "Cards", finding.Critical, 3)
	first := b.scanAt(day1, nil, v)
	again := b.scanAt(day1, nil, v) // after its own write
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("(-first +again):\n%s", diff)
	}
	b.wantStates("r1 Cards new")

	resolved := b.scanAt(day1.AddDate(0, 0, 1), nil)
	again = b.scanAt(day1.AddDate(0, 0, 1), nil)
	if diff := cmp.Diff(resolved, again); diff != "" || again.Resolved != 1 || len(b.a.Resolved) != 1 {
		t.Errorf("%d resolved (-first +again):\n%s", again.Resolved, diff)
	}
	b.wantStates("r1 Cards resolved")
}

func TestWithoutATableNothingIsNew(t *testing.T) {
	b := newBench(t)
	b.o.Known = nil
	out := b.scan(nil, violation("r1", "Cards", finding.Critical, 3))
	if out.New != 0 || out.Alerts.Critical != 0 || out.Changes.Count != 0 || len(b.a.Findings) != 1 {
		t.Errorf("%+v", out)
	}
}

func TestErrors(t *testing.T) {
	b := newBench(t)
	ref, err := b.blobs.Put(t.Context(), "snapshot", b.snap)
	if err != nil {
		t.Fatal(err)
	}
	gone := blob.Ref{Key: "nothing"}
	for _, tc := range []struct {
		in   assess.In
		want string
	}{
		{assess.In{ScanID: "s1", Snapshot: gone}, catalog.ObjectLost},
		{assess.In{Snapshot: ref}, catalog.BadInput},
		{assess.In{ScanID: "s1", Snapshot: ref, RuleSets: []assess.Branch{{Domain: finding.Network, Verdicts: &gone}}}, catalog.ObjectLost},
	} {
		_, err := assess.New(b.blobs, b.o).Handle(t.Context(), tc.in)
		var named *tasks.Error
		if !errors.As(err, &named) || named.Name != tc.want {
			t.Errorf("%+v: %v, want %s", tc.in, err, tc.want)
		}
	}
}
