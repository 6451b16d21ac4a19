package deployed_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/remedy/live"
	"plumbline/ruleset"
	"plumbline/scan"
	"plumbline/scan/deployed"
)

// account is a stack and live resources: type and identifier → model.
type account struct {
	template  string
	resources []scan.OwnedResource
	models    map[string]string
	fail      map[string]error // by type and identifier, or by type and "list"
	parents   map[string]string
	asked     []string
}

func (a *account) Fetch(_ context.Context, t scan.Target) (*scan.Snapshot, error) {
	return &scan.Snapshot{Target: t, Source: []byte(a.template)}, nil
}

func (a *account) Resources(context.Context, scan.Target) (scan.Owned, error) {
	return scan.Owned{Resources: a.resources}, nil
}

func (a *account) Get(_ context.Context, typ, id string) ([]byte, error) {
	if err := a.fail[typ+" "+id]; err != nil {
		return nil, err
	}
	if m, ok := a.models[typ+" "+id]; ok {
		return []byte(m), nil
	}
	return nil, live.ErrGone
}

func (a *account) List(_ context.Context, typ string, within map[string]string) ([]string, error) {
	a.asked = append(a.asked, fmt.Sprint(typ, within))
	if err := a.fail[typ+" list"]; err != nil {
		return nil, err
	}
	if p := a.parents[typ]; p != "" && within[p] == "" {
		return nil, &live.Refused{Code: "InvalidRequest", Message: "Missing or invalid ResourceModel property"}
	}
	var out []string
	for _, key := range slices.Sorted(maps.Keys(a.models)) {
		if t, id, _ := strings.Cut(key, " "); t == typ {
			out = append(out, id)
		}
	}
	return out, nil
}

const (
	bucket, policy = "AWS::S3::Bucket", "AWS::S3::BucketPolicy"
	key, alias     = "AWS::KMS::Key", "AWS::KMS::Alias"
)

// relations are: policies of a bucket; the key of its encryption, and aliases of that.
func relations(typ string) ([][]ruleset.Relation, error) {
	if typ != bucket {
		return nil, nil
	}
	return [][]ruleset.Relation{
		{{Name: "policies", Type: policy, By: "Bucket", Live: "s3"}},
		{{Name: "logs", Type: bucket, From: "LoggingConfiguration.DestinationBucketName", Live: "s3"}, {Name: "policies", Type: policy, By: "Bucket", Of: "logs", Live: "s3"}},
	}, nil
}

func TestFetch(t *testing.T) {
	base := func() *account {
		return &account{
			template:  `{"Resources":{"Cards":{"Type":"AWS::S3::Bucket"},"Meta":{"Type":"AWS::CDK::Metadata"}}}`,
			resources: []scan.OwnedResource{{LogicalID: "Cards", Type: bucket, Physical: "cards"}, {LogicalID: "Meta", Type: "AWS::CDK::Metadata", Physical: "m"}},
			models: map[string]string{
				bucket + " cards": `{"BucketName":"cards","LoggingConfiguration":{"DestinationBucketName":"logs"}}`,
				bucket + " logs":  `{"BucketName":"logs"}`,
				policy + " logs":  `{"Bucket":"logs"}`,
			},
			fail: map[string]error{},
		}
	}
	denied := &live.Refused{Code: "AccessDenied", Message: "User is not authorized to perform: s3:GetBucketTagging on resource: x"}
	for _, tc := range []struct {
		name   string
		change func(*account)
		want   string // of the bucket: how it was read
		around []string
		unread map[string]string
	}{
		{"a link, and who refers to what it leads to", func(*account) {}, "read", []string{policy + " logs", bucket + " logs"}, nil},
		{"gone", func(a *account) { delete(a.models, bucket+" cards") }, "gone", nil, nil},
		{"denied", func(a *account) { a.fail[bucket+" cards"] = denied }, "AWS::S3::Bucket could not be read: permission s3:GetBucketTagging is missing. add it to the role that scans", nil, nil},
		{"denied without a word", func(a *account) { a.fail[bucket+" cards"] = &live.Refused{Code: "AccessDenied"} }, "the role that scans needs cloudformation:GetResource, s3:", nil, nil},
		{"slow", func(a *account) { a.fail[bucket+" cards"] = live.ErrThrottled }, "asked to slow down for too long", nil, nil},
		{"no such type there", func(a *account) {
			a.fail[bucket+" cards"] = &live.Refused{Code: "UnsupportedAction", Message: "no READ"}
		}, "Cloud Control does not read AWS::S3::Bucket here: no READ", nil, nil},
		{"a list is denied", func(a *account) { a.fail[policy+" list"] = denied }, "read", []string{bucket + " logs"}, map[string]string{policy: "AWS::S3::BucketPolicy could not be read: permission s3:GetBucketTagging is missing. add it to the role that scans"}},
		{"what a link names is denied", func(a *account) { a.fail[bucket+" logs"] = denied }, "read", []string{policy + " logs"}, map[string]string{bucket: "AWS::S3::Bucket could not be read: permission s3:GetBucketTagging is missing. add it to the role that scans"}},
		{"listed below a parent only", func(a *account) { a.parents = map[string]string{policy: "Bucket"} }, "read", []string{policy + " logs", bucket + " logs"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := base()
			tc.change(a)
			s, err := deployed.New(a, a, relations, time.Now).Fetch(t.Context(), scan.Target{Stack: "P", Region: "eu-west-1"})
			if err != nil {
				t.Fatal(err)
			}
			if len(s.Live.Resources) != 1 {
				t.Fatalf("resources %+v", s.Live.Resources)
			}
			r := s.Live.Resources[0]
			got := r.Denied + r.Unreadable
			switch {
			case r.Gone:
				got = "gone"
			case r.Model != nil:
				got = "read"
			}
			if !strings.Contains(got, tc.want) {
				t.Errorf("the bucket: %q, want %q", got, tc.want)
			}
			var around []string
			for _, x := range s.Live.Around {
				around = append(around, x.Type+" "+x.Identifier)
			}
			slices.Sort(around)
			slices.Sort(tc.around)
			if diff := cmp.Diff(tc.around, around); diff != "" {
				t.Errorf("around (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.unread, s.Live.Unread); diff != "" {
				t.Errorf("unread (-want +got):\n%s", diff)
			}
		})
	}
}

// TestListsAreSharedByStacks: a type is listed once for the stacks of a scan.
func TestListsAreSharedByStacks(t *testing.T) {
	a := &account{
		template:  `{"Resources":{"Cards":{"Type":"AWS::S3::Bucket"}}}`,
		resources: []scan.OwnedResource{{LogicalID: "Cards", Type: bucket, Physical: "cards"}},
		models:    map[string]string{bucket + " cards": `{"BucketName":"cards"}`},
	}
	now := time.Now()
	r := deployed.New(a, a, relations, func() time.Time { return now })
	for range 3 {
		if _, err := r.Fetch(t.Context(), scan.Target{Stack: "P"}); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.asked) != 1 {
		t.Errorf("listed %v", a.asked)
	}
	now = now.Add(2 * deployed.Fresh)
	if _, err := r.Fetch(t.Context(), scan.Target{Stack: "P"}); err != nil || len(a.asked) != 2 {
		t.Errorf("listed %v after a while, %v", a.asked, err)
	}
}

// TestAListIsGoodForWhatItIsWorth: where listing takes minutes, it is not done
// again each minute.
func TestAListIsGoodForWhatItIsWorth(t *testing.T) {
	a := &account{
		template:  `{"Resources":{"Cards":{"Type":"AWS::S3::Bucket"}}}`,
		resources: []scan.OwnedResource{{LogicalID: "Cards", Type: bucket, Physical: "cards"}},
		models:    map[string]string{bucket + " cards": `{"BucketName":"cards"}`},
	}
	now, asked := time.Now(), 0
	r := deployed.New(a, a, relations, func() time.Time {
		if len(a.asked) > asked { // what was asked took three minutes
			asked = len(a.asked)
			now = now.Add(3 * time.Minute)
		}
		return now
	})
	for _, tc := range []struct {
		after time.Duration
		lists int
	}{{0, 1}, {26 * time.Minute, 1}, {5 * time.Minute, 2}, {20 * time.Minute, 2}} {
		now = now.Add(tc.after)
		if _, err := r.Fetch(t.Context(), scan.Target{Stack: "P"}); err != nil || len(a.asked) != tc.lists {
			t.Errorf("listed %d times after another %v, want %d, %v", len(a.asked), tc.after, tc.lists, err)
		}
	}
}

func TestIdentifiersOfSeveralParts(t *testing.T) {
	a := &account{
		template: `{"Parameters":{"P":{"Type":"String"}},"Resources":{"Api":{"Type":"AWS::ApiGateway::RestApi"},
"Known":{"Type":"AWS::ApiGateway::Resource","Properties":{"RestApiId":{"Ref":"Api"},"PathPart":"p","ParentId":"r"}},
"Open":{"Type":"AWS::ApiGateway::Resource","Properties":{"RestApiId":{"Ref":"P"},"PathPart":"p","ParentId":"r"}}}}`,
		resources: []scan.OwnedResource{{LogicalID: "Api", Type: "AWS::ApiGateway::RestApi", Physical: "api1"}, {LogicalID: "Known", Type: "AWS::ApiGateway::Resource", Physical: "res1"}, {LogicalID: "Open", Type: "AWS::ApiGateway::Resource", Physical: "res2"}},
	}
	s, err := deployed.New(a, a, nil, time.Now).Fetch(t.Context(), scan.Target{Stack: "P"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range s.Live.Resources {
		got = append(got, r.Identifier+r.Unreadable)
	}
	want := []string{"api1", "api1|res1", "AWS::ApiGateway::Resource is read by RestApiId and ResourceId, and the template does not tell its RestApiId"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOne(t *testing.T) {
	a := &account{models: map[string]string{bucket + " cards": `{"BucketName":"cards"}`, policy + " cards": `{"Bucket":"cards"}`}}
	r := deployed.New(nil, a, relations, time.Now)
	m, id, err := r.One(t.Context(), bucket, "", "other", "cards")
	if err != nil || id != "cards" || m.Resource(deployed.Subject) == nil || len(m.Resources) != 2 {
		t.Errorf("%v %q %v", m, id, err)
	}
	if _, _, err := r.One(t.Context(), bucket, "other"); !errors.Is(err, live.ErrGone) {
		t.Errorf("error = %v", err)
	}
}
