package evaluate_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/blob"
	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/scan"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
	"plumbline/tasks/evaluate"
)

type rules func(domain finding.Domain, models []*cfn.Model, keep func(string) bool) ([]finding.Finding, finding.Counts, error)

func (f rules) Judge(_ context.Context, d finding.Domain, m []*cfn.Model, keep func(string) bool) ([]finding.Finding, finding.Counts, error) {
	return f(d, m, keep)
}

func (f rules) Unmet(d finding.Domain, _ []*cfn.Model) ([]finding.Finding, error) {
	return []finding.Finding{{Rule: "unmet", Domain: d, Verdict: finding.Skip}}, nil
}

func (f rules) Regions() []string { return []string{"eu-*"} }

func (f rules) InForce(string) (finding.Severity, bool) { return finding.Medium, true }

var target = scan.Target{Path: "cdk.out/P.template.json", Stack: "P", Account: "111122223333", Region: "eu-west-1"}

func run(t *testing.T, r evaluate.Rules, c evaluate.Config, snap *scan.Snapshot) (*scan.Verdicts, error) {
	t.Helper()
	store := new(blob.Memory)
	ref, err := store.Put(t.Context(), "snapshot", snap)
	if err != nil {
		t.Fatal(err)
	}
	out, err := evaluate.New(r, store, c, nil).Handle(t.Context(), evaluate.In{ScanID: "s1", Snapshot: ref})
	if err != nil {
		return nil, err
	}
	if out.Domain != c.Domain {
		t.Errorf("domain = %q, want %q", out.Domain, c.Domain)
	}
	v, err := blob.Get[scan.Verdicts](t.Context(), store, out.Verdicts)
	if err != nil {
		t.Fatal(err)
	}
	if out.Verdicts.Count != len(v.Findings) {
		t.Errorf("the reference counts %d findings, there are %d", out.Verdicts.Count, len(v.Findings))
	}
	return v, nil
}

func TestVerdictsAreStoredWithTheirPlace(t *testing.T) {
	var kept []string
	r := rules(func(d finding.Domain, models []*cfn.Model, keep func(string) bool) ([]finding.Finding, finding.Counts, error) {
		if d != finding.Network || models[0].Resource("Cards") == nil {
			t.Errorf("judged %v in domain %s", models, d)
		}
		for _, s := range []string{"pass", "fail", "unknown", "error", "skip"} {
			if keep(s) {
				kept = append(kept, s)
			}
		}
		return []finding.Finding{{Rule: "r", Verdict: finding.Fail, Resource: finding.Resource{LogicalID: "Cards"}, Place: finding.Place{Line: 2}}}, finding.Counts{"fail": 1, "pass": 4}, nil
	})
	v, err := run(t, r, evaluate.Config{Domain: finding.Network}, &scan.Snapshot{Target: target, Source: []byte(`{"Resources":{"Cards":{"Type":"AWS::S3::Bucket"}}}`)})
	if err != nil {
		t.Fatal(err)
	}
	want := &scan.Verdicts{
		Domain: finding.Network,
		Findings: []finding.Finding{{
			Rule: "r", Verdict: finding.Fail,
			Resource: finding.Resource{Account: "111122223333", Region: "eu-west-1", Stack: "P", LogicalID: "Cards"},
			Place:    finding.Place{Path: "cdk.out/P.template.json", Line: 2},
		}},
		Counts: finding.Counts{"fail": 1, "pass": 4},
	}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"fail", "unknown", "error"}, kept); diff != "" {
		t.Errorf("kept by default (-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeReadIsNotJudged(t *testing.T) {
	r := rules(func(finding.Domain, []*cfn.Model, func(string) bool) ([]finding.Finding, finding.Counts, error) {
		t.Error("judged")
		return nil, nil, nil
	})
	for name, snap := range map[string]*scan.Snapshot{
		"unreadable": {Target: target, Failed: "permission denied"},
		"broken":     {Target: target, Source: []byte("{")},
		"gone":       {Target: target, Gone: true},
	} {
		v, err := run(t, r, evaluate.Config{Domain: finding.Tagging}, snap)
		if err != nil || len(v.Findings) != 0 {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
}

func TestErrors(t *testing.T) {
	broken := rules(func(finding.Domain, []*cfn.Model, func(string) bool) ([]finding.Finding, finding.Counts, error) {
		return nil, nil, errors.New("rules/s3/x.yaml: pass: 1:9: undefined field")
	})
	_, err := run(t, broken, evaluate.Config{Domain: finding.Network}, &scan.Snapshot{Target: target, Source: []byte(`{"Resources":{"A":{"Type":"AWS::S3::Bucket"}}}`)})
	var named *tasks.Error
	if !errors.As(err, &named) || named.Name != catalog.RulesBroken || !strings.Contains(err.Error(), "undefined field") {
		t.Errorf("broken rules: %v", err)
	}
	h := evaluate.New(broken, new(blob.Memory), evaluate.Config{Domain: finding.Network}, nil)
	_, err = h.Handle(t.Context(), evaluate.In{ScanID: "s1", Snapshot: blob.Ref{Key: "nothing"}})
	if !errors.As(err, &named) || named.Name != catalog.ObjectLost {
		t.Errorf("a lost snapshot: %v", err)
	}
}

func TestACancelledJudgementIsNoBrokenRule(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	store := new(blob.Memory)
	ref, err := store.Put(ctx, "snapshot", &scan.Snapshot{Target: target, Source: []byte(`{"Resources":{"A":{"Type":"AWS::S3::Bucket"}}}`)})
	if err != nil {
		t.Fatal(err)
	}
	r := rules(func(finding.Domain, []*cfn.Model, func(string) bool) ([]finding.Finding, finding.Counts, error) {
		cancel()
		return nil, nil, errors.New("evaluation interrupted")
	})
	_, err = evaluate.New(r, store, evaluate.Config{Domain: finding.Network}, nil).Handle(ctx, evaluate.In{ScanID: "s1", Snapshot: ref})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}
}

func TestEachJudgementIsObserved(t *testing.T) {
	store := new(blob.Memory)
	ref, err := store.Put(t.Context(), "snapshot", &scan.Snapshot{Target: target, Source: []byte(`{"Resources":{"A":{"Type":"AWS::S3::Bucket"}}}`)})
	if err != nil {
		t.Fatal(err)
	}
	r := rules(func(finding.Domain, []*cfn.Model, func(string) bool) ([]finding.Finding, finding.Counts, error) {
		return nil, nil, nil
	})
	var seen []scan.Phase
	h := evaluate.New(r, store, evaluate.Config{Domain: finding.Network}, func(p scan.Phase, _ time.Duration) { seen = append(seen, p) })
	if _, err := h.Handle(t.Context(), evaluate.In{ScanID: "s1", Snapshot: ref}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]scan.Phase{scan.PhaseJudge}, seen); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestConfigFromEnv(t *testing.T) {
	for v, want := range map[string]finding.Domain{"network": finding.Network, "tagging": finding.Tagging, "": "", "Network": ""} {
		c, err := evaluate.ConfigFromEnv(func(name string) (string, bool) {
			if name == catalog.DomainVar {
				return v, v != ""
			}
			return "b", true
		})
		if c.Domain != want || (err == nil) != (want != "") {
			t.Errorf("DOMAIN=%q: %+v, %v", v, c, err)
		}
		if want == "" && !strings.Contains(err.Error(), "allowed are encryption, network") {
			t.Errorf("DOMAIN=%q: %v does not say what is allowed", v, err)
		}
	}
}

func TestRulesWithNothingToJudgeAreListedWhereSkipsAre(t *testing.T) {
	snap := &scan.Snapshot{Target: target, Source: []byte(`{"Resources": {}}`)}
	none := rules(func(finding.Domain, []*cfn.Model, func(string) bool) ([]finding.Finding, finding.Counts, error) {
		return nil, finding.Counts{}, nil
	})
	for _, c := range []struct {
		name string
		keep func(string) bool
		want int
	}{
		{"skips kept", func(string) bool { return true }, 1},
		{"attention only", nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := run(t, none, evaluate.Config{Domain: finding.Network, Keep: c.keep}, snap)
			if err != nil {
				t.Fatal(err)
			}
			if len(v.Findings) != c.want {
				t.Errorf("%d findings, want %d: %v", len(v.Findings), c.want, v.Findings)
			}
			if len(v.Counts) != 0 {
				t.Errorf("counts %v: a rule that judged nothing counts", v.Counts)
			}
		})
	}
}

func TestTheRegionIsOneOfThePolicys(t *testing.T) {
	const source = `{"Conditions": {"A": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}}, "Resources": {"Cards": {"Type": "AWS::S3::Bucket", "Condition": "A"}}}`
	r := rules(func(_ finding.Domain, models []*cfn.Model, _ func(string) bool) ([]finding.Finding, finding.Counts, error) {
		if got := models[0].Assumed; len(got) != 1 || got[0].Value != "eu-west-1" {
			t.Errorf("the first world assumes %v", got)
		}
		return nil, nil, nil
	})
	if _, err := run(t, r, evaluate.Config{Domain: finding.Network}, &scan.Snapshot{Target: scan.Target{Path: "t.json"}, Source: []byte(source)}); err != nil {
		t.Fatal(err)
	}
}
