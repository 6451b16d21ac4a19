package remedy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/cfn/schema"
	"plumbline/finding"
	"plumbline/remedy"
	"plumbline/rules"
	"plumbline/ruleset"
)

const tagPolicy = `
requiredTags:
  - {key: owner, default: payments}
  - {key: class, values: [internal]}
`

func tagSet(t *testing.T, policy string) *ruleset.Set {
	t.Helper()
	p, err := ruleset.ReadPolicy("plumbline.yaml", []byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	set, err := ruleset.Open(rules.FS, p)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestTagsOfEveryType: whatever a type calls its tags and whatever shape it
// gives them, missing ones are written into the template, wrong ones set right,
// those of others stay, and the same is done to the live resource and undone.
func TestTagsOfEveryType(t *testing.T) {
	const rule = "tagging-required-tags"
	set := tagSet(t, tagPolicy)
	ctx := context.Background()
	shapes := map[string]int{}
	for typ := range schema.Taggable() {
		s := schema.Lookup(typ)
		var tags any = map[string]any{"team": "cards", "class": "secret"}
		if !s.TagsAsMap {
			item := func(key, value string) map[string]any {
				tag := map[string]any{"Key": key, "Value": value}
				if s.Type.Property(s.TagProperty).Type.Elem.Property("PropagateAtLaunch") != nil {
					tag["PropagateAtLaunch"] = false
				}
				return tag
			}
			tags = []any{item("team", "cards"), item("class", "secret")}
		}
		shapes[fmt.Sprint(s.TagProperty, " as map: ", s.TagsAsMap)]++
		for _, properties := range []map[string]any{{}, {s.TagProperty: tags}} {
			src, err := json.Marshal(map[string]any{"Resources": map[string]any{"R": map[string]any{"Type": typ, "Properties": properties}}})
			if err != nil {
				t.Fatal(err)
			}
			template, err := cfn.Parse("t.json", src)
			if err != nil {
				t.Fatal(err)
			}
			f, err := set.Verdict(ctx, rule, "R", template.Worlds(cfn.Inputs{}))
			if err != nil {
				t.Fatal(err)
			}
			if f.Verdict != finding.Fail || f.Fix != finding.FixAvailable {
				t.Errorf("%s: %s, fix %s", typ, f.Verdict, f.Fix)
				continue
			}
			tagTemplate(t, set, template, f, properties[s.TagProperty] != nil)
			if !strings.HasPrefix(typ, "AWS::Serverless::") { // of those none is ever deployed
				tagLive(t, set, f, properties)
			}
		}
	}
	t.Logf("%d shapes of tags: %v", len(shapes), shapes)
}

func tagTemplate(t *testing.T, set *ruleset.Set, template *cfn.Template, f finding.Finding, others bool) {
	t.Helper()
	typ := f.Resource.Type
	p, err := remedy.Template(context.Background(), set, template, cfn.Inputs{}, []finding.Finding{f})
	if err != nil {
		t.Fatal(err)
	}
	if typ == "AWS::ApiGateway::RestApi" && strings.Contains(string(template.Source), "AWS::Serverless::Api") {
		return // SAM gives the tags to the stage, and the API none
	}
	if len(p.Left) > 0 {
		t.Errorf("%s: left: %s", typ, p.Left[0].Reason)
		return
	}
	made, err := cfn.Parse("t.json", p.After)
	if err != nil {
		t.Fatal(err)
	}
	now, err := set.Verdict(context.Background(), f.Rule, "R", made.Worlds(cfn.Inputs{}))
	if err != nil || now.Verdict != finding.Pass {
		t.Errorf("%s: %s %s %v\n%s", typ, now.Verdict, now.Message, err, p.After)
	}
	if others && !strings.Contains(string(p.After), "cards") {
		t.Errorf("%s: a tag of somebody else is gone\n%s", typ, p.After)
	}
}

func tagLive(t *testing.T, set *ruleset.Set, f finding.Finding, properties map[string]any) {
	t.Helper()
	model, err := json.Marshal(properties)
	if err != nil {
		t.Fatal(err)
	}
	p, err := remedy.Make(context.Background(), set, f, "id", model, nil)
	if err != nil {
		t.Errorf("%s: %v", f.Resource.Type, err)
		return
	}
	back := canonical(t, applyPatch(t, p.After, p.Undo))
	if diff := cmp.Diff(canonical(t, p.Before), back); diff != "" {
		t.Errorf("%s: the undo leaves something (-want +got)\n%s", f.Resource.Type, diff)
	}
}

// TestTagsWithoutAValue: a tag of which the policy says no value is left to people.
func TestTagsWithoutAValue(t *testing.T) {
	set := tagSet(t, "requiredTags:\n  - {key: owner}\n  - {key: class, values: [a, b]}\n  - {key: kept, except: ['AWS::SQS::*']}\n")
	template, err := cfn.Parse("t.yaml", []byte("Resources: {Q: {Type: AWS::SQS::Queue}}"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := set.Verdict(context.Background(), "tagging-required-tags", "Q", template.Worlds(cfn.Inputs{}))
	if err != nil {
		t.Fatal(err)
	}
	if f.Fix != finding.FixNeedsValue {
		t.Errorf("fix is %s", f.Fix)
	}
	p, err := remedy.Template(context.Background(), set, template, cfn.Inputs{}, []finding.Finding{f})
	if err != nil {
		t.Fatal(err)
	}
	want := "needs policy default of required tag owner, policy default of required tag class"
	if len(p.Left) != 1 || p.Left[0].Reason != want {
		t.Errorf("left %+v, want %s", p.Left, want)
	}
}
