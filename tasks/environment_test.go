package tasks_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/finding"
	"plumbline/tasks"
	"plumbline/tasks/assess"
	"plumbline/tasks/catalog"
	"plumbline/tasks/checkcompliance"
	"plumbline/tasks/checkhook"
	"plumbline/tasks/evaluate"
	"plumbline/tasks/fetchstack"
	"plumbline/tasks/intake"
	"plumbline/tasks/listtargets"
	"plumbline/tasks/measuresla"
	"plumbline/tasks/notify"
	"plumbline/tasks/persistfindings"
	"plumbline/tasks/recordfailure"
	"plumbline/tasks/selectreviews"
	"plumbline/tasks/summarize"
	"plumbline/tasks/writereport"
)

type lookup = func(string) (string, bool)

// configs reads each folder's configuration.
var configs = map[string]func(lookup) (any, error){
	"assess": func(l lookup) (any, error) { return assess.ConfigFromEnv(l) },
	"evaluate": func(l lookup) (any, error) {
		c, err := evaluate.ConfigFromEnv(l)
		return []any{c.Domain, c.Bucket, c.Bundle}, err
	},
	"checkhook":       func(l lookup) (any, error) { return checkhook.ConfigFromEnv(l) },
	"checkcompliance": func(l lookup) (any, error) { return checkcompliance.ConfigFromEnv(l) },
	"fetchstack":      func(l lookup) (any, error) { return fetchstack.ConfigFromEnv(l) },
	"intake":          func(l lookup) (any, error) { return intake.ConfigFromEnv(l) },
	"measuresla":      func(l lookup) (any, error) { return measuresla.ConfigFromEnv(l) },
	"listtargets":     func(l lookup) (any, error) { return listtargets.ConfigFromEnv(l) },
	"notify":          func(l lookup) (any, error) { return notify.ConfigFromEnv(l) },
	"persistfindings": func(l lookup) (any, error) { return persistfindings.ConfigFromEnv(l) },
	"recordfailure":   func(l lookup) (any, error) { return recordfailure.ConfigFromEnv(l) },
	"selectreviews":   func(l lookup) (any, error) { return selectreviews.ConfigFromEnv(l) },
	"summarize":       func(l lookup) (any, error) { return summarize.ConfigFromEnv(l) },
	"writereport":     func(l lookup) (any, error) { return writereport.ConfigFromEnv(l) },
}

// formed are values of variables that do not take any text.
var formed = map[string]string{catalog.BlockingVar: "critical,high", catalog.ChannelsVar: "[]"}

// TestTheCatalogueIsWhatFunctionsRead holds the catalogue's variables to those
// that a function looks up: the deployment sets nothing else.
func TestTheCatalogueIsWhatFunctionsRead(t *testing.T) {
	for _, task := range catalog.Tasks {
		t.Run(task.Name, func(t *testing.T) {
			read := configs[task.Folder]
			if read == nil {
				t.Fatalf("folder %q has no ConfigFromEnv here", task.Folder)
			}
			var asked []string
			set := func(name string) (string, bool) {
				asked = append(asked, name)
				if v, ok := task.Env[name]; ok {
					return v, true
				}
				if v, ok := formed[name]; ok {
					return v, true
				}
				return "value of " + name, true
			}
			if _, err := read(set); err != nil {
				t.Errorf("with everything set: %v", err)
			}
			want := slices.Concat(task.Vars, task.MaySet)
			for name := range task.Env {
				want = append(want, name)
			}
			slices.Sort(want)
			slices.Sort(asked)
			if diff := cmp.Diff(want, asked); diff != "" {
				t.Errorf("the catalogue (-) and what is looked up (+):\n%s", diff)
			}
			for _, missing := range task.Vars {
				_, err := read(func(name string) (string, bool) {
					if name == missing {
						return "", false
					}
					return set(name)
				})
				if err == nil || !strings.Contains(err.Error(), "environment variable "+missing+" is not set. give the ") {
					t.Errorf("without %s: %v", missing, err)
				}
			}
			for _, optional := range task.MaySet {
				if _, err := read(func(name string) (string, bool) {
					if name == optional {
						return "", false
					}
					return set(name)
				}); err != nil {
					t.Errorf("without %s: %v", optional, err)
				}
			}
		})
	}
}

func TestConfigs(t *testing.T) {
	env := map[string]string{
		catalog.BucketVar: "bucket", catalog.FindingsVar: "findings", catalog.EventsVar: "events", catalog.ScanVar: "scan",
		catalog.EstateVar: "estate", catalog.CriticalVar: "critical", catalog.WarningVar: "warning", catalog.BundleVar: "bundle", catalog.DomainVar: "network",
	}
	want := map[string]any{
		"assess": assess.Config{Bucket: "bucket", Table: "findings", Bundle: "bundle"}, "evaluate": []any{finding.Network, "bucket", "bundle"},
		"checkhook": checkhook.Config{Bucket: "bucket", Bundle: "bundle", Exempt: checkhook.Exempt}, "checkcompliance": checkcompliance.Config{Bucket: "bucket", Bundle: "bundle"}, "fetchstack": fetchstack.Config{Bucket: "bucket", Bundle: "bundle"}, "intake": intake.Config{Table: "events", Scan: "scan", Estate: "estate"},
		"measuresla": measuresla.Config{Bucket: "bucket", Table: "findings", Bundle: "bundle"}, "listtargets": listtargets.Config{Bucket: "bucket"}, "notify": notify.Config{Critical: "critical", Warning: "warning", Bucket: "bucket"},
		"persistfindings": persistfindings.Config{Bucket: "bucket", Table: "findings"}, "recordfailure": recordfailure.Config{Bucket: "bucket"},
		"selectreviews": selectreviews.Config{Bucket: "bucket", Bundle: "bundle"}, "summarize": summarize.Config{Bucket: "bucket", Bundle: "bundle"}, "writereport": writereport.Config{Bucket: "bucket", Bundle: "bundle"},
	}
	got := map[string]any{}
	for folder, read := range configs {
		c, err := read(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
		if err != nil {
			t.Errorf("%s: %v", folder, err)
		}
		got[folder] = c
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatIsMissingIsToldTogether(t *testing.T) {
	var a, b, c string
	err := tasks.Environment(func(name string) (string, bool) { return "", name == "B" },
		tasks.Variable{Name: "A", Value: &a, Meaning: "one"}, tasks.Variable{Name: "B", Value: &b, Meaning: "two"}, tasks.Variable{Name: "C", Value: &c, Optional: true})
	const want = "environment variable A is not set. give one\nenvironment variable B is not set. give two"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestEveryTaskHasAMain: a folder of the catalogue without one could not be deployed.
func TestEveryTaskHasAMain(t *testing.T) {
	for _, task := range catalog.Tasks {
		src, err := os.ReadFile(filepath.Join(task.Folder, "lambda", "main.go"))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, want := range []string{task.Folder + ".ConfigFromEnv(os.LookupEnv)", "lambda.Start(tasks.Of(" + task.Folder + ".New("} {
			if !strings.Contains(string(src), want) {
				t.Errorf("%s: its main has no %s", task.Folder, want)
			}
		}
	}
}
