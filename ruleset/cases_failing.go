package ruleset

import (
	"io/fs"
	"strings"

	"plumbline/cfn"
	"plumbline/finding"
)

// FailingCase is a case that a rule fails, as a template of its own.
type FailingCase struct {
	Rule, Name string
	Subject    string // logical id of the resource that fails
	Source     []byte // the template, YAML
	Inputs     cfn.Inputs
	Policy     *Policy // with what the rule's fix asks of it
	Unfixed    bool    // the case says that the fix does not settle it
}

// FailingCases are those of one rule's cases that want it to fail. The error
// is that of a case file that cannot be read or of a case that is no template.
func FailingCases(rules fs.FS, r *Rule) ([]FailingCase, error) {
	file := strings.TrimSuffix(r.File, ".yaml") + caseSuffix
	src, err := fs.ReadFile(rules, file)
	if err != nil {
		return nil, err
	}
	cases, err := ReadCases(file, src)
	if err != nil {
		return nil, err
	}
	c := &caseRunner{rules: rules, file: r.File, rule: r}
	var out []FailingCase
	for i := range cases {
		k := &cases[i]
		if k.Want != finding.Fail {
			continue
		}
		typ := k.Type
		if typ == "" && len(r.Types) == 1 {
			typ = r.Types[0]
		}
		source, err := k.template(typ)
		if err != nil {
			return nil, err
		}
		policy, err := c.policy(k)
		if err != nil {
			return nil, err
		}
		out = append(out, FailingCase{
			Rule: r.ID, Name: k.Name, Subject: caseSubject, Source: source, Policy: policy, Unfixed: k.Unfixed,
			Inputs: cfn.Inputs{Parameters: k.Params, Region: k.Region, Account: k.Account, Stack: k.Stack},
		})
	}
	return out, nil
}
