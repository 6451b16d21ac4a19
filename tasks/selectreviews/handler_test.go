package selectreviews_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"plumbline/blob"
	"plumbline/finding"
	"plumbline/remedy/change"
	"plumbline/ruleset"
	"plumbline/scan"
	"plumbline/tasks/selectreviews"
)

var at = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

func record(rule, id string, s finding.State) finding.Record {
	return finding.Record{Finding: finding.Finding{
		Rule: rule, Severity: finding.High, Verdict: finding.Fail, Fix: finding.FixAvailable,
		Resource: finding.Resource{Account: "111122223333", Region: "eu-west-1", Stack: "Shop", LogicalID: id, Type: "AWS::SQS::Queue"},
	}, State: s, FirstSeen: at, LastSeen: at}
}

func handle(t *testing.T, policy string, locate selectreviews.Locator, on bool, live []scan.LiveResource, records ...finding.Record) selectreviews.Out {
	t.Helper()
	p, err := ruleset.ReadPolicy("p.yaml", []byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	var blobs blob.Memory
	snap := &scan.Snapshot{Target: scan.Target{Stack: "Shop"}}
	if live != nil {
		snap.Live = &scan.Live{Resources: live}
	}
	s, err := blobs.Put(t.Context(), "work/s", snap)
	if err != nil {
		t.Fatal(err)
	}
	c, err := blobs.Put(t.Context(), "work/c", &scan.Changes{Records: records})
	if err != nil {
		t.Fatal(err)
	}
	out, err := selectreviews.New(&blobs, p, locate, on).Handle(t.Context(), selectreviews.In{Snapshot: s, Changes: c})
	if err != nil {
		t.Fatal(err)
	}
	if out.Count != len(out.Reviews) {
		t.Errorf("%d reviews, counted as %d", len(out.Reviews), out.Count)
	}
	return out
}

func queue(id, model string) scan.LiveResource {
	return scan.LiveResource{LogicalID: id, Type: "AWS::SQS::Queue", Physical: "https://sqs/" + id, Identifier: "https://sqs/" + id, Model: []byte(model)}
}

func rules(out selectreviews.Out) []string {
	var all []string
	for _, r := range out.Reviews {
		all = append(all, r.Rule+" "+r.Resource.LogicalID+" "+r.Identifier)
	}
	return all
}

func TestOnlyWhatIsNewLiveAndAllowed(t *testing.T) {
	alive := []scan.LiveResource{queue("Jobs", `{}`)}
	jobs := []string{"sqs-queue-encrypted Jobs https://sqs/Jobs"}
	for name, tc := range map[string]struct {
		policy string
		live   []scan.LiveResource
		change func(*finding.Record)
		want   []string
	}{
		"new":                         {"{}", alive, nil, jobs},
		"open again":                  {"{}", alive, func(r *finding.Record) { r.State = finding.Reopened }, jobs},
		"wrong in the template alone": {"{}", alive, func(r *finding.Record) { r.Deployed = finding.Pass }, nil},
		"wrong as deployed":           {"{}", alive, func(r *finding.Record) { r.Deployed = finding.Fail }, jobs},
		"open before":                 {"{}", alive, func(r *finding.Record) { r.State = finding.Open }, nil},
		"resolved":                    {"{}", alive, func(r *finding.Record) { r.State = finding.Resolved }, nil},
		"suppressed":                  {"{}", alive, func(r *finding.Record) { r.Suppressed = &finding.Suppression{Reason: "x"} }, nil},
		"without a fix":               {"{}", alive, func(r *finding.Record) { r.Fix = finding.FixNone }, nil},
		"a value is missing":          {"{}", alive, func(r *finding.Record) { r.Fix = finding.FixNeedsValue }, nil},
		"for the template":            {"{}", alive, func(r *finding.Record) { r.Rule = "sqs-queue-dead-letters" }, nil},
		"by approval":                 {"remediation: {modes: [{rule: sqs-queue-encrypted, mode: approval}]}", alive, nil, jobs},
		"never":                       {"remediation: {modes: [{rule: sqs-queue-encrypted, mode: never}]}", alive, nil, nil},
		"not deployed":                {"{}", nil, nil, nil},
		"no identifier":               {"{}", []scan.LiveResource{{LogicalID: "Jobs", Type: "AWS::SQS::Queue", Model: []byte("{}")}}, nil, nil},
		"gone":                        {"{}", []scan.LiveResource{{LogicalID: "Jobs", Type: "AWS::SQS::Queue", Identifier: "x", Gone: true}}, nil, nil},
		"may not be read":             {"{}", []scan.LiveResource{{LogicalID: "Jobs", Type: "AWS::SQS::Queue", Identifier: "x", Denied: "sqs:GetQueueAttributes"}}, nil, nil},
		"the account is left alone":   {`remediation: {exclude: [{accounts: ["111122223333"], reason: not ours}]}`, alive, nil, nil},
		"its tag leaves it alone":     {`remediation: {exclude: [{tags: [{key: remediation, value: "off"}], reason: they said so}]}`, []scan.LiveResource{queue("Jobs", `{"Tags":[{"Key":"remediation","Value":"off"}]}`)}, nil, nil},
		"another tag":                 {`remediation: {exclude: [{tags: [{key: remediation, value: "off"}], reason: they said so}]}`, []scan.LiveResource{queue("Jobs", `{"Tags":[{"Key":"remediation","Value":"on"}]}`)}, nil, jobs},
	} {
		t.Run(name, func(t *testing.T) {
			r := record("sqs-queue-encrypted", "Jobs", finding.New)
			if tc.change != nil {
				tc.change(&r)
			}
			if got := rules(handle(t, tc.policy, nil, true, tc.live, r)); !slices.Equal(got, tc.want) {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
	if out := handle(t, "{}", nil, false, alive, record("sqs-queue-encrypted", "Jobs", finding.New)); out.Count != 0 {
		t.Errorf("without a remediation: %+v", out)
	}
}

// TestBounded: no more than the policy allows one scan, the most severe first.
func TestBounded(t *testing.T) {
	var records []finding.Record
	var live []scan.LiveResource
	for i := range 30 {
		id := fmt.Sprintf("Q%02d", i)
		r := record("sqs-queue-encrypted", id, finding.New)
		if i == 17 {
			r.Severity = finding.Critical
		}
		records, live = append(records, r), append(live, queue(id, "{}"))
	}
	out := handle(t, "remediation: {limits: {perScan: 3}}", nil, true, live, records...)
	if out.Count != 3 || out.Left != 27 || out.Reviews[0].Resource.LogicalID != "Q17" {
		t.Errorf("%d reviews, %d left, first %+v", out.Count, out.Left, out.Reviews[0])
	}
	if out := handle(t, "{}", nil, true, live, records...); out.Count != ruleset.DefaultPerScan {
		t.Errorf("%d reviews by default", out.Count)
	}
}

// TestNames: a call that is repeated names the same change; each life of a
// violation has its own.
func TestNames(t *testing.T) {
	live := []scan.LiveResource{queue("Jobs", "{}")}
	name := func(r finding.Record) string {
		t.Helper()
		out := handle(t, "{}", nil, true, live, r)
		if out.Count != 1 {
			t.Fatalf("%+v", out)
		}
		if err := out.Reviews[0].Check(); err != nil {
			t.Error(err)
		}
		return out.Reviews[0].Change
	}
	first := record("sqs-queue-encrypted", "Jobs", finding.New)
	again := first
	again.State, again.LastSeen = finding.Reopened, at.Add(48*time.Hour)
	later := again
	later.LastSeen = at.Add(96 * time.Hour)
	a, b, c := name(first), name(again), name(later)
	if a != name(first) || a == b || b == c || b != name(again) {
		t.Errorf("%s %s %s", a, b, c)
	}
	if !regexp.MustCompile(`^change-[0-9a-f]{24}$`).MatchString(a) {
		t.Errorf("%q is no name of an execution", a)
	}
}

type found struct {
	live  selectreviews.Live
	known bool
	err   error
}

func (f found) Locate(context.Context, finding.Resource) (selectreviews.Live, bool, error) {
	return f.live, f.known, f.err
}

// TestLocated: the resource of a template without a stack is named as it is
// deployed, and the row of its finding as the scan names it.
func TestLocated(t *testing.T) {
	r := record("sqs-queue-encrypted", "Jobs", finding.New)
	r.Resource = finding.Resource{LogicalID: "Jobs", Type: "AWS::SQS::Queue"}
	r.Place.Path = "shop.yaml"
	deployed := finding.Resource{Stack: "Shop", LogicalID: "Jobs", Type: "AWS::SQS::Queue"}
	out := handle(t, "{}", found{selectreviews.Live{Resource: deployed, Identifier: "jobs", Model: []byte("{}")}, true, nil}, true, nil, r)
	want := change.Request{Rule: r.Rule, Severity: r.Severity, Resource: deployed, Identifier: "jobs", Where: "shop.yaml"}
	if len(out.Reviews) != 1 {
		t.Fatalf("%+v", out)
	}
	if got := out.Reviews[0]; got.Change == "" {
		t.Errorf("%+v", got)
	} else if got.Change = ""; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if out := handle(t, "{}", found{}, true, nil, r); out.Count != 0 {
		t.Errorf("one that is not known: %+v", out)
	}
	var blobs blob.Memory
	s, _ := blobs.Put(t.Context(), "work/s", &scan.Snapshot{})
	c, _ := blobs.Put(t.Context(), "work/c", &scan.Changes{Records: []finding.Record{r}})
	if _, err := selectreviews.New(&blobs, nil, found{err: errors.New("no folder")}, true).Handle(t.Context(), selectreviews.In{Snapshot: s, Changes: c}); err == nil {
		t.Error("an error of the locator is lost")
	}
}
