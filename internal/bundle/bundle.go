// Package bundle is what a function on AWS judges by: the built-in rules and,
// where the deployment hands one over, a zip with the organisation's policy
// file, plumbline.yaml, at its root and the organisation's rules in any folder.
package bundle

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"plumbline/blob"
	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/rules"
	"plumbline/ruleset"
	"plumbline/scan"
)

// Version of the functions, set by the build.
var Version = "dev"

// Bundle is rules and a policy, opened. Safe for concurrent use.
type Bundle struct {
	Set    *ruleset.Set
	Policy *ruleset.Policy // nil: the default one

	key  string
	own  fs.FS // the organisation's rules; nil: none
	same ruleset.Equivalents
}

// Open reads the bundle that lies under key; "" stands for the built-in rules
// and no policy. Everything that is wrong with a bundle is told together.
func Open(ctx context.Context, blobs blob.Store, key string) (*Bundle, error) {
	b := &Bundle{key: key}
	var more []ruleset.Folder
	if key != "" {
		raw, err := blob.Get[blob.Raw](ctx, blobs, blob.Ref{Key: key})
		if err != nil {
			return nil, fmt.Errorf("read the organisation's rules: %w", err)
		}
		files, err := zip.NewReader(bytes.NewReader(*raw), int64(len(*raw)))
		if err != nil {
			return nil, fmt.Errorf("open %q: %w", key, err)
		}
		if err := b.readPolicy(files); err != nil {
			return nil, err
		}
		b.own = files
		more = append(more, ruleset.Folder{Path: key, Rules: files})
	}
	var err error
	if b.Set, err = ruleset.Open(rules.FS, b.Policy, more...); err != nil {
		return nil, err
	}
	if b.Policy != nil {
		var wrong []error
		for _, p := range b.Policy.Check(b.Set.Index()) {
			wrong = append(wrong, p)
		}
		if err := errors.Join(wrong...); err != nil {
			return nil, err
		}
	}
	b.same = b.Set.Index().Equivalents()
	return b, nil
}

func (b *Bundle) readPolicy(files fs.FS) error {
	src, err := fs.ReadFile(files, ruleset.PolicyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s of %q: %w", ruleset.PolicyFile, b.key, err)
	}
	b.Policy, err = ruleset.ReadPolicy(b.key+"/"+ruleset.PolicyFile, src)
	return err
}

// Own reports whether the set holds the organisation's rules beside the built-in ones.
func (b *Bundle) Own() bool { return b.own != nil }

// InForce reports whether a rule is judged: it exists, and no policy turns it off.
func (b *Bundle) InForce(rule string) bool {
	if _, off := b.Policy.RuleOff(rule); off {
		return false
	}
	return b.Set.Index().HasRule(rule)
}

// Suppress applies the policy's suppressions and those in the template.
func (b *Bundle) Suppress(models []*cfn.Model, findings []finding.Finding, now time.Time) (stale []finding.Finding, warnings []string) {
	s := ruleset.Suppress(b.Policy, b.same, models, findings, now)
	for _, w := range s.Warnings {
		warnings = append(warnings, w.Error())
	}
	return s.Stale, warnings
}

// InForce counts the rules that are judged under a policy, which may be nil,
// and lists those that it turns off, by id.
func InForce(set *ruleset.Set, p *ruleset.Policy) (rules int, off []scan.RuleOff) {
	for _, e := range set.Index().Entries {
		if reason, is := p.RuleOff(e.ID); is {
			off = append(off, scan.RuleOff{Rule: e.ID, Reason: reason})
			continue
		}
		rules++
	}
	slices.SortFunc(off, func(a, b scan.RuleOff) int { return strings.Compare(a.Rule, b.Rule) })
	return rules, off
}

// Provenance is what a report says of tool, rules and policy.
func (b *Bundle) Provenance() scan.Provenance {
	p := scan.Provenance{Tool: "plumbline", Version: Version}
	p.Rules, p.RulesOff = InForce(b.Set, b.Policy)
	if b.Policy != nil {
		p.PolicyPath, p.PolicyHash = b.key+"/"+ruleset.PolicyFile, b.Policy.Hash()
	}
	p.RulesHash = b.Set.Index().Hash()
	return p
}
