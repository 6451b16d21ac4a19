// Package judge holds templates to plumbline's own rules: those of the stacks
// that deploy it, when they are synthesized and in tests.
package judge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/rules"
	"plumbline/ruleset"
)

// Result is what the rules say of a template.
type Result struct {
	Findings []finding.Finding // what did not pass, suppressed or not
	Passed   int               // checks
	Warnings []string          // suppressions that do not count
}

// Template judges a template of an account and region by all built-in rules.
func Template(ctx context.Context, name string, source []byte, account, region string) (Result, error) {
	var r Result
	set, err := ruleset.Open(rules.FS, nil)
	if err != nil {
		return r, err
	}
	t, err := cfn.Parse(name, source)
	if err != nil {
		return r, err
	}
	models := t.Worlds(cfn.Inputs{Account: account, Region: region, Stack: name})
	for _, d := range finding.Domains {
		found, counts, err := set.Judge(ctx, d, models, func(status string) bool { return status != string(finding.Pass) && status != string(finding.Skip) })
		if err != nil {
			return r, err
		}
		r.Findings = append(r.Findings, found...)
		r.Passed += counts[string(finding.Pass)]
	}
	suppressed := ruleset.Suppress(nil, set.Index().Equivalents(), models, r.Findings, time.Now())
	r.Findings = append(r.Findings, suppressed.Stale...)
	for _, w := range suppressed.Warnings {
		r.Warnings = append(r.Warnings, w.Error())
	}
	return r, nil
}

// Err joins what is neither fine nor suppressed with a reason; nil where there is nothing.
func (r Result) Err() error {
	var errs []error
	for _, f := range r.Findings {
		if f.Suppressed == nil {
			errs = append(errs, fmt.Errorf("%s: %s of %s: %s. mend the resource, or suppress the rule there with a reason", f.Verdict, f.Rule, f.Resource.LogicalID, f.Message))
		}
	}
	for _, w := range r.Warnings {
		errs = append(errs, errors.New(w))
	}
	return errors.Join(errs...)
}
