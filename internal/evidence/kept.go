package evidence

import (
	"path"
	"time"
)

// Kept is the report of one target as a scan stored it: those fields of
// docs/report.schema.json that evidence is made from.
type Kept struct {
	Folder     string `json:"-"` // its key prefix
	Provenance struct {
		Tool  struct{ Name, Version string }
		Rules struct {
			SHA256 string
			Off    []struct{ Rule, Reason string }
		}
		Policy    *struct{ SHA256 string }
		Finished  time.Time
		Templates []keptTarget
	}
	Frameworks []struct {
		ID           string
		Requirements []keptRequirement
	}
	Findings []keptFinding
}

type keptTarget struct {
	Path, Stack, SHA256, Scope string
	Partial                    []string
	Gone                       bool
}

type keptRequirement struct {
	ID                                      string
	Checks                                  []string
	Resources, Violations, Open, Suppressed int
}

type keptFinding struct {
	Rule, Status, Severity, Message string
	Resource                        *struct{ LogicalID, Account, Region string }
	Suppression                     *struct {
		Reason, Approver, Until string
		Control                 string `json:"compensatingControl"`
		Source                  string
	}
}

// target is the one target of the report. It is called where there is one.
func (k *Kept) target() *keptTarget { return &k.Provenance.Templates[0] }

// where names the target across scans, however its path was typed: the folder
// that its reports lie in.
func (k *Kept) where() string { return path.Dir(k.Folder) }

// name is the target's name for people.
func (k *Kept) name() string {
	t := k.target()
	if t.Stack != "" {
		return t.Stack
	}
	return t.Path
}

func (k *Kept) found(framework, requirement string) *keptRequirement {
	for _, fw := range k.Frameworks {
		if fw.ID != framework {
			continue
		}
		for i := range fw.Requirements {
			if fw.Requirements[i].ID == requirement {
				return &fw.Requirements[i]
			}
		}
	}
	return nil
}

func (k *Kept) violation(f keptFinding) Violation {
	v := Violation{Rule: f.Rule, Severity: f.Severity, Target: k.name(), Message: f.Message}
	if f.Resource != nil {
		v.Resource = f.Resource.LogicalID
	}
	return v
}
