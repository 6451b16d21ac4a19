package dynamo_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"plumbline/finding"
	"plumbline/finding/findingtest"
	"plumbline/internal/dynamo"
	"plumbline/tasks/intake"
	"plumbline/tasks/intake/intaketest"
)

func findings() *table {
	return &table{hash: "resourceId", sort: "timestamp", page: 50, indexes: map[string][2]string{
		dynamo.ByStack: {"stack", "position"}, dynamo.OpenBySeverity: {"openSeverity", "age"},
	}}
}

func events() *table { return &table{hash: "id", page: 50} }

func TestFindings(t *testing.T) {
	findingtest.Run(t, func(*testing.T) findingtest.Store { return dynamo.NewFindings(findings(), "findings") })
}

func TestEvents(t *testing.T) {
	intaketest.Run(t, func(*testing.T) intake.Events { return dynamo.NewEvents(events(), "events") })
}

var start = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

func record() finding.Record {
	return finding.Record{
		Finding: finding.Finding{
			Rule: "s3-bucket-versioning", Severity: finding.High, Verdict: finding.Fail, Remediation: "Turn versioning on.",
			Resource: finding.Resource{Account: "111122223333", Region: "eu-west-1", Stack: "Payments", LogicalID: "Cards"},
		},
		State: finding.New, FirstSeen: start, LastSeen: start,
	}
}

func put(t *testing.T, s *dynamo.Findings, r finding.Record) {
	t.Helper()
	if err := s.Put(t.Context(), []finding.Record{r}); err != nil {
		t.Fatal(err)
	}
}

func TestRowsAsPeopleSeeThem(t *testing.T) {
	db := findings()
	s := dynamo.NewFindings(db, "findings")
	put(t, s, record())
	got := map[string]string{}
	for _, name := range []string{"resourceId", "timestamp", "stack", "violationType", "severity", "status", "openSeverity", "remediationSteps", "lastSeen", "expiresAt"} {
		got[name] = db.text(name)
	}
	want := map[string]string{
		"resourceId": "111122223333/eu-west-1/Payments/Cards", "timestamp": "2026-03-01T06:00:00.000000000Z#s3-bucket-versioning", "stack": "Payments",
		"violationType": "s3-bucket-versioning", "severity": "high", "status": "new", "openSeverity": "high",
		"remediationSteps": "Turn versioning on.", "lastSeen": "2026-03-01T06:00:00Z", "expiresAt": "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	gone := record()
	gone.State, gone.LastSeen, gone.ExpiresAt = finding.Resolved, start.Add(time.Hour), start.Add(finding.Retention)
	put(t, s, gone)
	if db.text("openSeverity") != "" || db.text("age") != "" {
		t.Error("a resolved finding is in the index of open ones")
	}
	if want := strconv.FormatInt(gone.ExpiresAt.Unix(), 10); db.text("expiresAt") != want {
		t.Errorf("expiresAt = %q, want %s seconds", db.text("expiresAt"), want)
	}
}

func TestADecisionThatChangedTheStatusAlone(t *testing.T) {
	db := findings()
	s := dynamo.NewFindings(db, "findings")
	put(t, s, record())
	db.set("status", "acknowledged")
	db.set("ticket", "SEC-12") // of another tool
	seen := record()
	seen.State, seen.LastSeen = finding.Open, start.Add(time.Hour)
	put(t, s, seen)
	if db.text("status") != "acknowledged" || db.text("lastSeen") != "2026-03-01T07:00:00Z" || db.text("ticket") != "SEC-12" {
		t.Errorf("status %q, last seen %q, ticket %q", db.text("status"), db.text("lastSeen"), db.text("ticket"))
	}
}

// interfering changes the row between a writer's look and its write.
type interfering struct {
	*table
	times int
}

func (i *interfering) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	if i.times > 0 && !strings.HasPrefix(*in.ConditionExpression, "attribute_not_exists") {
		i.times--
		i.set("status", "acknowledged"+strconv.Itoa(i.times))
	}
	return i.table.UpdateItem(ctx, in, opts...)
}

func TestARowThatChangesMeanwhile(t *testing.T) {
	later := record()
	later.LastSeen, later.State = start.Add(time.Hour), finding.Open
	for _, tc := range []struct {
		times     int
		throttled bool
	}{{3, false}, {1000, true}} {
		db := &interfering{table: findings(), times: tc.times}
		s := dynamo.NewFindings(db, "findings")
		put(t, s, record())
		err := s.Put(t.Context(), []finding.Record{later})
		if (err != nil) != tc.throttled || errors.Is(err, finding.ErrThrottled) != tc.throttled {
			t.Errorf("changed %d times: %v", tc.times, err)
		}
		if err == nil && db.text("lastSeen") != "2026-03-01T07:00:00Z" {
			t.Errorf("last seen %q", db.text("lastSeen"))
		}
	}
}

func TestErrors(t *testing.T) {
	for _, tc := range []struct {
		err       error
		throttled bool
	}{
		{&types.ProvisionedThroughputExceededException{}, true}, {&types.RequestLimitExceeded{}, true},
		{&types.ResourceNotFoundException{}, false}, {errors.New("connection reset"), false},
	} {
		db := &table{fail: tc.err}
		s, e := dynamo.NewFindings(db, "findings"), dynamo.NewEvents(db, "events")
		_, claim := e.Claim(t.Context(), "a", start)
		got := map[string]error{
			"Put":   s.Put(t.Context(), []finding.Record{record(), record(), record()}),
			"Claim": claim, "Release": e.Release(t.Context(), "a"),
		}
		for _, err := range s.OfStack(t.Context(), "Payments") {
			got["OfStack"] = err
		}
		for _, err := range s.Open(t.Context(), "") {
			got["Open"] = err
		}
		for what, err := range got {
			if !errors.Is(err, tc.err) || errors.Is(err, finding.ErrThrottled) != tc.throttled {
				t.Errorf("%s with %T: %v", what, tc.err, err)
			}
		}
	}
}

func TestARowThatIsNoRecord(t *testing.T) {
	for name, value := range map[string]string{"record": "{", "": ""} {
		db := findings()
		s := dynamo.NewFindings(db, "findings")
		put(t, s, record())
		if name == "" {
			for _, row := range db.items {
				delete(row, "record")
			}
		} else {
			db.set(name, value)
		}
		if err := s.Put(t.Context(), []finding.Record{record()}); err == nil || !strings.Contains(err.Error(), `table "findings"`) {
			t.Errorf("Put: %v", err)
		}
		for _, err := range s.History(t.Context(), record().ResourceID()) {
			if err == nil {
				t.Error("History yields it")
			}
		}
	}
}

func TestIdsOfEventsExpire(t *testing.T) {
	db := events()
	if _, err := dynamo.NewEvents(db, "events").Claim(t.Context(), "a", start); err != nil {
		t.Fatal(err)
	}
	if want := strconv.FormatInt(start.Add(dynamo.Remembered).Unix(), 10); db.text("expiresAt") != want || db.text("at") != "2026-03-01T06:00:00Z" {
		t.Errorf("expiresAt = %q, want %s; at = %q", db.text("expiresAt"), want, db.text("at"))
	}
}
