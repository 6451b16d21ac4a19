package remedy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline/cfn"
	"plumbline/internal/sharedtest"
	"plumbline/remedy"
)

// TestCorpusLint asks cfn-lint of other people's templates before and after
// their fixes: no fix brings an error that was not there. `make lint-fixes`
// installs cfn-lint and names it in PLUMBLINE_CFN_LINT.
func TestCorpusLint(t *testing.T) {
	program := os.Getenv("PLUMBLINE_CFN_LINT")
	if program == "" {
		t.Skip("PLUMBLINE_CFN_LINT does not name cfn-lint. make lint-fixes does")
	}
	root := sharedtest.Dir(t, "corpus/labelled-dev")
	set := tagSet(t, lintPolicy)
	before, after := t.TempDir(), t.TempDir()
	var names []string
	rules := map[string][]string{} // by file: those whose fix was made
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		template, err := cfn.Parse(path, src)
		if err != nil {
			return nil
		}
		_, failures := verdicts(t, set, template)
		p, err := remedy.Template(context.Background(), set, template, cfn.Inputs{}, failures)
		if err != nil || bytes.Equal(p.Before, p.After) {
			return err
		}
		name := strings.ReplaceAll(strings.TrimPrefix(path, root+string(filepath.Separator)), string(filepath.Separator), "__")
		names = append(names, name)
		for _, c := range p.Made {
			rules[name] = append(rules[name], c.Finding.Rule+" of "+c.Finding.Resource.LogicalID)
		}
		if err := os.WriteFile(filepath.Join(before, name), p.Before, 0o600); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(after, name), p.After, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	old, _ := lint(t, program, before, names)
	now, said := lint(t, program, after, names)
	added := 0
	for _, name := range names {
		for _, problem := range slices.Sorted(maps.Keys(now[name])) {
			if now[name][problem] > old[name][problem] {
				added++
				t.Errorf("%s: new: %s: %s\n  made: %s", name, problem, said[problem], strings.Join(rules[name], ", "))
			}
		}
	}
	t.Logf("%d changed templates, %d new errors", len(names), added)
}

// lintPolicy gives what fixes ask of a policy file, in the form that the
// properties take.
const lintPolicy = tagPolicy + `
values:
  kmsKey: arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f
  logBucket: acme-logs
  deadLetterQueueArn: arn:aws:sqs:eu-west-1:111122223333:dead
  egressNetwork: 10.0.0.0/8
  notificationTopicArn: arn:aws:sns:eu-west-1:111122223333:stacks
  trailLogGroupArn: arn:aws:logs:eu-west-1:111122223333:log-group:trail:*
  trailLogRoleArn: arn:aws:iam::111122223333:role/trail
  monitoringRoleArn: arn:aws:iam::111122223333:role/monitoring
  maintenanceWindow: sun:03:00-sun:04:00
  flowLogDestination: arn:aws:s3:::acme-flow-logs
  rotationFunctionArn: arn:aws:lambda:eu-west-1:111122223333:function:rotate
  deliveryLogRoleArn: arn:aws:iam::111122223333:role/delivery
`

// lint counts the errors of each file by rule and place, and says what was last said of each.
func lint(t *testing.T, program, dir string, names []string) (out map[string]map[string]int, said map[string]string) {
	t.Helper()
	out = map[string]map[string]int{}
	said = map[string]string{}
	for batch := range slices.Chunk(names, 200) {
		c := exec.Command(program, append([]string{"--non-zero-exit-code", "none", "--format", "json", "--"}, batch...)...)
		c.Dir = dir
		var answer, complaint bytes.Buffer
		c.Stdout, c.Stderr = &answer, &complaint
		if err := c.Run(); err != nil {
			t.Fatalf("%v: %s", err, complaint.Bytes())
		}
		var list []struct {
			Filename, Level, Message string
			Rule                     struct{ ID string }
			Location                 struct{ Path []any }
		}
		if err := json.Unmarshal(answer.Bytes(), &list); err != nil {
			t.Fatalf("%v: %s", err, answer.Bytes())
		}
		for _, p := range list {
			if p.Level != "Error" {
				continue
			}
			if out[p.Filename] == nil {
				out[p.Filename] = map[string]int{}
			}
			// The message shows what stands there, which a fix may have changed.
			where := make([]string, len(p.Location.Path))
			for i, key := range p.Location.Path {
				if where[i] = fmt.Sprint(key); strings.Trim(where[i], "0123456789") == "" {
					where[i] = "*"
				}
			}
			if len(where) == 3 && where[2] == "Properties" {
				where = where[:2] // what a resource without any lacks is said of the resource
			}
			problem := p.Rule.ID + " " + strings.Join(where, ".")
			said[problem] = p.Message
			out[p.Filename][problem]++
		}
	}
	return out, said
}
