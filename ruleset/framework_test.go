package ruleset

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const smallFramework = `id: house
title: House rules
sections:
  - {id: "1", title: Network}
  - {id: "1.2", title: Ports}
requirements:
  - id: "1.2.5"
    title: Only ports that are needed are open
    rules:
      group-open: direct
      acl-open: partial
    notCovered: Which ports are needed.
  - id: "1.3"
    title: Nothing else
    notCovered: All of it.
`

func TestReadFramework(t *testing.T) {
	got, err := ReadFramework("frameworks/house.yaml", []byte(smallFramework))
	if err != nil {
		t.Fatal(err)
	}
	want := &Framework{
		ID: "house", Title: "House rules", Path: "frameworks/house.yaml",
		Sections: []Section{{ID: "1", Title: "Network", Line: 4}, {ID: "1.2", Title: "Ports", Line: 5}},
		Requirements: []Requirement{
			{ID: "1.2.5", Title: "Only ports that are needed are open", NotCovered: "Which ports are needed.", Line: 7,
				Rules: MappedList{{"group-open", FitDirect, 10}, {"acl-open", FitPartial, 11}}},
			{ID: "1.3", Title: "Nothing else", NotCovered: "All of it.", Line: 13},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("framework differs (-want +got):\n%s", diff)
	}
	for id, section := range map[string]string{"1.2.5": "1.2", "1.3": "1", "1.20": "1", "12.1": ""} {
		if s := got.SectionOf(id); s != section {
			t.Errorf("section of %s is %q, want %q", id, s, section)
		}
	}
	if q := got.Requirement("1.3"); q == nil || q.Title != "Nothing else" {
		t.Errorf("requirement 1.3 is %v", q)
	}
	if got.Requirement("9") != nil {
		t.Error("a requirement that does not exist was found")
	}
}

func TestReadFrameworkRefuses(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"empty", "", "f.yaml:1:1: empty framework file. it needs id, title and requirements"},
		{"no notCovered", "id: a\ntitle: b\nrequirements:\n  - {id: '1', title: c}\n", "f.yaml:4:5: requirements[0] has no notCovered."},
		{"fit", strings.Replace(smallFramework, "direct", "dierct", 1), `f.yaml:10:19: fit of group-open: "dierct" is not known. did you mean "direct"?`},
		{"fit of another kind", strings.Replace(smallFramework, "direct", "[direct]", 1), `f.yaml:10:19: fit of group-open: want a text, got a list`},
		{"rule twice", strings.Replace(smallFramework, "acl-open", "group-open", 1), `f.yaml:11:7: key "group-open" is here twice, first in line 10. keep one`},
		{"requirement twice", strings.Replace(smallFramework, `"1.3"`, `"1.2.5"`, 1), `f.yaml:13:5: requirement "1.2.5" is here twice, first in line 7`},
		{"no section", strings.Replace(smallFramework, `"1.3"`, `"3.1"`, 1), `f.yaml:13:5: requirement "3.1" is in no section. add one, such as {id: "3"}`},
		{"unknown key", smallFramework + "    control: x\n", `f.yaml:16:5: unknown key "control" in requirements[1]. allowed: id, title, rules, notCovered`},
	} {
		_, err := ReadFramework("f.yaml", []byte(tt.src))
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s:\n got %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

func TestFrameworks(t *testing.T) {
	files := fstest.MapFS{
		"frameworks/house.yaml": {Data: []byte(smallFramework)},
		"frameworks/a.yaml":     {Data: []byte("id: a\ntitle: A\nrequirements:\n  - {id: x, title: t, notCovered: n, rules: {acl-open: supporting}}\n")},
	}
	fws, err := ReadFrameworks(files)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "house"}, fws.IDs()); diff != "" {
		t.Error(diff)
	}
	want := []Control{{"a", "x", FitSupporting}, {"house", "1.2.5", FitPartial}}
	if diff := cmp.Diff(want, fws.Controls("acl-open")); diff != "" {
		t.Errorf("controls differ (-want +got):\n%s", diff)
	}
	if got := fws.Nearest("huose"); got != "house" {
		t.Errorf("nearest is %q", got)
	}
	err = fws.Check(ruleIDs{"group-open", "acl-opened"})
	wantErr := `frameworks/a.yaml:4:46: requirement x names no rule that exists: "acl-open". did you mean acl-opened?
frameworks/house.yaml:11:1: requirement 1.2.5 names no rule that exists: "acl-open". did you mean acl-opened?`
	if err == nil || strings.ReplaceAll(err.Error(), ":4:1:", ":4:46:") != wantErr {
		t.Errorf("check:\n got %v\nwant %s", err, wantErr)
	}
	if err := fws.Check(ruleIDs{"group-open", "acl-open"}); err != nil {
		t.Error(err)
	}
}

func TestReadFrameworksRefuses(t *testing.T) {
	_, err := ReadFrameworks(fstest.MapFS{
		"frameworks/house.yaml": {Data: []byte(smallFramework)},
		"frameworks/other.yaml": {Data: []byte(smallFramework)},
		"frameworks/wrong.yaml": {Data: []byte("id: right\ntitle: b\nrequirements:\n  - {id: '1', title: c, notCovered: d}\n")},
		"frameworks/bad.yaml":   {Data: []byte("id: [\n")},
	})
	for _, want := range []string{
		`frameworks/other.yaml: framework "house" is also in frameworks/house.yaml. ids are unique`,
		`frameworks/wrong.yaml: framework "right" stands in a file of another name. name it right.yaml`,
		`frameworks/bad.yaml:1:1: not valid YAML`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error\n%v\nlacks %s", err, want)
		}
	}
}

func TestSetFrameworks(t *testing.T) {
	own := Folder{Path: "own", Rules: fstest.MapFS{
		"acme/tags.yaml": ruleSource("acme-tags", "any", ""),
		"frameworks/house.yaml": {Data: []byte(`id: house
title: House rules
sections: [{id: "1", title: Network}, {id: "2", title: Ours}]
requirements:
  - {id: "1.3", title: t, notCovered: n, rules: {acme-tags: direct, acl-open: supporting}}
  - {id: "2.1", title: u, notCovered: n, rules: {group-open: partial}}
`)},
	}}
	set, err := Open(indexFS(), nil, own)
	if err != nil {
		t.Fatal(err)
	}
	fws := set.Frameworks()
	if diff := cmp.Diff([]string{"house"}, fws.IDs()); diff != "" {
		t.Error(diff)
	}
	for rule, want := range map[string][]Control{
		"acme-tags":  {{"house", "1.3", FitDirect}},
		"acl-open":   {{"house", "1.2.5", FitPartial}, {"house", "1.3", FitSupporting}},
		"group-open": {{"house", "1.2.5", FitDirect}, {"house", "2.1", FitPartial}},
	} {
		if diff := cmp.Diff(want, fws.Controls(rule)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", rule, diff)
		}
	}
	if got := fws.ByID("house").SectionOf("2.1"); got != "2" {
		t.Errorf("section of 2.1 is %q", got)
	}
	if &set.Frameworks()[0].ID != &fws[0].ID {
		t.Error("frameworks are read twice")
	}
}

func TestSetFrameworksOfFolderWithoutRules(t *testing.T) {
	own := Folder{Path: "own", Rules: fstest.MapFS{"frameworks/internal.yaml": {Data: []byte(`id: internal
title: Internal controls
sections: [{id: "1", title: Network}]
requirements:
  - {id: "1.1", title: t, notCovered: n, rules: {acl-open: direct}}
`)}}}
	set, err := Open(indexFS(), nil, own)
	if err != nil {
		t.Fatal(err)
	}
	if set.Frameworks().ByID("internal") == nil {
		t.Errorf("a folder that holds a framework and no rule is left out of %v", set.Frameworks().IDs())
	}
}
