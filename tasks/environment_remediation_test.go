package tasks_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/tasks/acquirelease"
	"plumbline/tasks/anchorledger"
	"plumbline/tasks/applychange"
	"plumbline/tasks/approvalpage"
	"plumbline/tasks/askapproval"
	"plumbline/tasks/catalog"
	"plumbline/tasks/checkchange"
	"plumbline/tasks/judgeresource"
	"plumbline/tasks/planchange"
	"plumbline/tasks/readdecision"
	"plumbline/tasks/recordchange"
	"plumbline/tasks/releaseleases"
	"plumbline/tasks/settlefinding"
	"plumbline/tasks/signin"
	"plumbline/tasks/sweepapprovals"
	"plumbline/tasks/tellchange"
	"plumbline/tasks/undochange"
	"plumbline/tasks/verifychange"
)

// remediation reads the configuration of each folder of the remediation.
var remediation = map[string]func(lookup) (any, error){
	"anchorledger":   func(l lookup) (any, error) { return anchorledger.ConfigFromEnv(l) },
	"approvalpage":   func(l lookup) (any, error) { return approvalpage.ConfigFromEnv(l) },
	"signin":         func(l lookup) (any, error) { return signin.ConfigFromEnv(l) },
	"sweepapprovals": func(l lookup) (any, error) { return sweepapprovals.ConfigFromEnv(l) },
	"acquirelease":   func(l lookup) (any, error) { return acquirelease.ConfigFromEnv(l) },
	"applychange":    func(l lookup) (any, error) { return applychange.ConfigFromEnv(l) },
	"askapproval":    func(l lookup) (any, error) { return askapproval.ConfigFromEnv(l) },
	"checkchange":    func(l lookup) (any, error) { return checkchange.ConfigFromEnv(l) },
	"judgeresource":  func(l lookup) (any, error) { return judgeresource.ConfigFromEnv(l) },
	"planchange":     func(l lookup) (any, error) { return planchange.ConfigFromEnv(l) },
	"readdecision":   func(l lookup) (any, error) { return readdecision.ConfigFromEnv(l) },
	"recordchange":   func(l lookup) (any, error) { return recordchange.ConfigFromEnv(l) },
	"releaseleases":  func(l lookup) (any, error) { return releaseleases.ConfigFromEnv(l) },
	"settlefinding":  func(l lookup) (any, error) { return settlefinding.ConfigFromEnv(l) },
	"tellchange":     func(l lookup) (any, error) { return tellchange.ConfigFromEnv(l) },
	"undochange":     func(l lookup) (any, error) { return undochange.ConfigFromEnv(l) },
	"verifychange":   func(l lookup) (any, error) { return verifychange.ConfigFromEnv(l) },
}

// TestTheRemediationReadsWhatTheCatalogueSays holds its variables to those that a
// function looks up, and has each that is missing told.
func TestTheRemediationReadsWhatTheCatalogueSays(t *testing.T) {
	for _, task := range slices.Concat(catalog.Remediation, catalog.Approval) {
		t.Run(task.Name, func(t *testing.T) {
			read := remediation[task.Folder]
			if read == nil {
				t.Fatalf("folder %q has no ConfigFromEnv here", task.Folder)
			}
			var asked []string
			if _, err := read(func(name string) (string, bool) {
				asked = append(asked, name)
				return "value of " + name, true
			}); err != nil {
				t.Errorf("with everything set: %v", err)
			}
			want := slices.Concat(task.Vars, task.MaySet)
			slices.Sort(want)
			slices.Sort(asked)
			if diff := cmp.Diff(want, asked); diff != "" {
				t.Errorf("the catalogue (-) and what is looked up (+)\n%s", diff)
			}
			for _, missing := range task.Vars {
				if _, err := read(func(name string) (string, bool) {
					if name == missing {
						return "", false
					}
					return "x", true
				}); err == nil {
					t.Errorf("without %s: no error", missing)
				}
			}
		})
	}
}
