package remedy_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/internal/sharedtest"
	"plumbline/remedy"
	"plumbline/ruleset"
)

// settleable is the share of failures with a complete fix that `fix --write`
// has to settle in other people's templates.
const settleable = 0.95

// TestCorpus holds what fix writes into other people's templates to its
// promises: nearly all that has a complete fix is settled, no rule that passed
// stops passing, and nothing changes outside of the resources concerned.
func TestCorpus(t *testing.T) {
	for _, row := range []struct {
		name, folder, policy string
		one                  int     // of how many templates one is looked at
		share                float64 // that is settled at least
	}{
		{measured, "labelled-dev", "", 1, settleable},
		{"with all that fixes ask of it", "labelled-dev", tagPolicy + "values: {kmsKey: alias/cards, logBucket: acme-logs, deadLetterQueueArn: arn:aws:sqs:eu-west-1:111122223333:dead}\n", 5, settleable},
		{"templates in use", "realworld-dev", lintPolicy, 8, 0.9}, // more of their values come from parameters
	} {
		t.Run(row.name, func(t *testing.T) {
			total := fixCorpus(t, sharedtest.Dir(t, "corpus/"+row.folder), tagSet(t, row.policy), row.one)
			share := float64(total.settled) / float64(total.available)
			t.Logf("%d templates, %d changed; %d failures with a complete fix, %d settled (%.1f %%)", total.files, total.changed, total.available, total.settled, 100*share)
			for _, reason := range slices.SortedFunc(maps.Keys(total.reasons), func(a, b string) int {
				return cmp.Or(cmp.Compare(total.reasons[b], total.reasons[a]), cmp.Compare(a, b))
			}) {
				t.Logf("%5d %s", total.reasons[reason], reason)
			}
			if row.name == measured {
				total.keep(t)
			}
			if total.available == 0 || share < row.share {
				t.Errorf("%.1f %% are settled. %.0f %% are asked for", 100*share, 100*row.share)
			}
		})
	}
}

// measured is the row whose figures stand in docs/remediations.md.
const measured = "without a policy file"

// figuresFile holds the figures for that page.
const figuresFile = "gen/figures.json"

var update = flag.Bool("update", false, "write the figures of the corpus anew")

// keep holds the figures that the page shows to those that were measured, to a
// point of the share, or writes them anew.
func (c *tally) keep(t *testing.T) {
	t.Helper()
	now, err := json.Marshal(map[string]int{"templates": c.files, "changed": c.changed, "available": c.available, "settled": c.settled})
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(figuresFile, append(now, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	src, err := os.ReadFile(figuresFile)
	if err != nil {
		t.Fatal(err)
	}
	var was struct{ Available, Settled float64 }
	if err := json.Unmarshal(src, &was); err != nil {
		t.Fatal(err)
	}
	if d := was.Settled/was.Available - float64(c.settled)/float64(c.available); d > 0.01 || d < -0.01 {
		t.Errorf("the figures are %s, and the page says %s. run: go test ./remedy -run TestCorpus -update && make generate", now, src)
	}
}

// fixCorpus fixes one of so many templates below a folder.
func fixCorpus(t *testing.T, root string, set *ruleset.Set, one int) *tally {
	t.Helper()
	total := &tally{reasons: map[string]int{}}
	n := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if n++; n%one != 0 {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		template, err := cfn.Parse(name, src)
		if err != nil {
			return nil // not a template: nothing is fixed in it
		}
		total.files++
		total.template(t, set, template)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return total
}

// tally counts what became of a corpus.
type tally struct {
	files, changed, available, settled int
	reasons                            map[string]int // why some stay, and how many
}

// pair is a rule and a resource.
type pair struct{ rule, id string }

func (c *tally) template(t *testing.T, set *ruleset.Set, template *cfn.Template) {
	t.Helper()
	before, failures := verdicts(t, set, template)
	p, err := remedy.Template(context.Background(), set, template, cfn.Inputs{}, failures)
	if err != nil {
		t.Errorf("%s: %v", template.Path, err)
		return
	}
	after := before
	if !bytes.Equal(p.Before, p.After) {
		c.changed++
		made, err := cfn.Parse(template.Path, p.After)
		if err != nil {
			t.Errorf("%s: the changed template cannot be read: %v", template.Path, err)
			return
		}
		after, _ = verdicts(t, set, made)
		for _, part := range strayed(template, made, p) {
			t.Errorf("%s: %s is changed, and nothing of it is settled", template.Path, part)
		}
	}
	deleted := map[string]bool{}
	for _, made := range p.Made {
		deleted[made.Finding.Resource.LogicalID] = deleted[made.Finding.Resource.LogicalID] || made.Deleted
	}
	left := map[pair]string{}
	for _, l := range p.Left {
		left[pair{l.Finding.Rule, l.Finding.Resource.LogicalID}] = l.Reason
	}
	for _, f := range failures {
		if f.Fix != finding.FixAvailable {
			continue
		}
		key := pair{f.Rule, f.Resource.LogicalID}
		c.available++
		if after[key] == finding.Pass || deleted[key.id] {
			c.settled++
			continue
		}
		c.reasons[fmt.Sprintf("%s: %s: %s %s", f.Rule, after[key], template.Path, left[key])]++
	}
	for key, was := range before {
		if deleted[key.id] {
			continue
		}
		if was == finding.Pass && after[key] != finding.Pass {
			t.Errorf("%s: %s of %s passed and is %q now", template.Path, key.rule, key.id, after[key])
		}
	}
}

// verdicts judges all of a template.
func verdicts(t *testing.T, set *ruleset.Set, template *cfn.Template) (map[pair]finding.Verdict, []finding.Finding) {
	t.Helper()
	out := map[pair]finding.Verdict{}
	var failures []finding.Finding
	models := template.Worlds(cfn.Inputs{})
	for _, domain := range finding.Domains {
		list, _, err := set.Judge(context.Background(), domain, models, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range list {
			out[pair{f.Rule, f.Resource.LogicalID}] = f.Verdict
			if f.Verdict == finding.Fail {
				failures = append(failures, f)
			}
		}
	}
	return out, failures
}

// strayed are the resources and sections of a template, none of whose findings
// a patch settles, that it changes all the same.
func strayed(template, made *cfn.Template, p *remedy.Patch) []string {
	settled := map[string]bool{}
	for _, c := range p.Made {
		settled[c.Written] = true
		for _, o := range c.Others {
			settled[o.LogicalID] = true
		}
	}
	after := parts(made)
	var out []string
	for id, text := range parts(template) {
		if !settled[id] && after[id] != text {
			out = append(out, id)
		}
	}
	return out
}

// parts are the texts of a template's resources, by logical id, and of its
// other sections, by name and a colon, without what stands between two.
func parts(t *cfn.Template) map[string]string {
	type start struct {
		at cfn.Pos
		id string
	}
	var starts []start
	for _, f := range t.Root.Fields {
		if f.Key != "Resources" {
			starts = append(starts, start{f.Pos, f.Key + ":"})
			continue
		}
		for _, r := range f.Value.Fields {
			starts = append(starts, start{r.Pos, r.Key})
		}
	}
	slices.SortFunc(starts, func(a, b start) int { return cmp.Or(a.at.Line-b.at.Line, a.at.Column-b.at.Column) })
	lines := strings.SplitAfter(string(t.Source), "\n")
	out := map[string]string{}
	for i, s := range starts {
		end := cfn.Pos{Line: len(lines), Column: len([]rune(lines[len(lines)-1])) + 1}
		if i+1 < len(starts) {
			end = starts[i+1].at
		}
		var b strings.Builder
		for n := s.at.Line; n <= end.Line; n++ {
			line := []rune(lines[n-1])
			from, to := 0, len(line)
			if n == s.at.Line {
				from = min(s.at.Column-1, to)
			}
			if n == end.Line {
				to = min(end.Column-1, to)
			}
			b.WriteString(string(line[min(from, to):to]))
		}
		// A line of its own before the next part may be about that.
		text := strings.TrimRight(b.String(), " \t\r\n,{}\"")
		if j := strings.LastIndex(text, "\n"); j >= 0 && strings.HasPrefix(strings.TrimSpace(text[j:]), "#") {
			text = strings.TrimRight(text[:j], " \t\r\n")
		}
		out[s.id] = text
	}
	return out
}
