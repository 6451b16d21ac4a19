package ruleset

import (
	"cmp"
	"strings"

	"plumbline/finding"
)

// Glob reports whether text matches pattern, in which * stands for any
// characters, none included, and ? for one. Other characters stand for
// themselves; case counts. It does not stop at "/", so that a construct path
// or a file path needs one star only. CEL: glob(pattern, text).
func Glob(pattern, text string) bool { return glob(pattern, text, false) }

// globFold is Glob where the case of ASCII letters does not count.
func globFold(pattern, text string) bool { return glob(pattern, text, true) }

func glob(pattern, text string, fold bool) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t] || fold && lower(pattern[p]) == lower(text[t])):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// GlobAny reports whether text matches one of the patterns. CEL: glob(patterns, text).
func GlobAny(patterns []string, text string) bool {
	for _, p := range patterns {
		if Glob(p, text) {
			return true
		}
	}
	return false
}

// isGlob reports whether s holds a character that Glob gives a meaning.
func isGlob(s string) bool { return strings.ContainsAny(s, "*?") }

// Exempt reports whether the policy lets the tag with this key exempt a
// resource with these tags. Nothing is exempt unless exemptTags names the key.
// CEL: policy.exempt(tags(resource), "key").
func (p *Policy) Exempt(tags map[string]string, key string) bool {
	if p == nil {
		return false
	}
	for _, e := range p.ExemptTags {
		if e.Key != key {
			continue
		}
		value, there := tags[key]
		if !there {
			return false
		}
		if len(e.Values) == 0 {
			return true
		}
		for _, v := range e.Values {
			if v == value {
				return true
			}
		}
	}
	return false
}

// setting is what the policy says of one rule: the exact id first, then the
// first glob that matches.
func (p *Policy) setting(rule string) *RuleSetting {
	if p == nil {
		return nil
	}
	var found *RuleSetting
	for i := range p.Rules {
		s := &p.Rules[i]
		if s.Rule == rule {
			return s
		}
		if found == nil && isGlob(s.Rule) && Glob(s.Rule, rule) {
			found = s
		}
	}
	return found
}

// SeverityOf is the rule's severity after the policy's override; own is the
// rule's own.
func (p *Policy) SeverityOf(rule string, own finding.Severity) finding.Severity {
	if s := p.setting(rule); s != nil {
		return cmp.Or(s.Severity, own)
	}
	return own
}

// RuleOff reports whether the policy turns the rule off, and its reason.
func (p *Policy) RuleOff(rule string) (reason string, off bool) {
	if s := p.setting(rule); s != nil && s.Off != "" {
		return s.Off, true
	}
	return "", false
}

// Value is what the organisation supplies under this name in this region; ""
// for the region takes what holds everywhere. ok is false where the policy has
// no such value.
func (p *Policy) Value(name, region string) (text string, ok bool) {
	if p == nil {
		return "", false
	}
	if v := p.value(name); v != nil {
		text = cmp.Or(v.ByRegion[region], v.Text)
	}
	return text, text != ""
}

func (p *Policy) value(name string) *Value {
	for i := range p.Values {
		if p.Values[i].Name == name {
			return &p.Values[i]
		}
	}
	return nil
}

// ScopeOf sorts one resource into the policy's scope. Empty parts are not
// known and match no entry that asks for them. Of the entries that match, the
// strictest scope wins; without any, the default.
func (p *Policy) ScopeOf(account, stack string, tags map[string]string) Scope {
	if p == nil {
		return ScopeCDE
	}
	for _, s := range []struct {
		scope   Scope
		entries []ScopeMatch
	}{{ScopeCDE, p.Scope.CDE}, {ScopeConnected, p.Scope.Connected}, {ScopeOut, p.Scope.Out}} {
		for i := range s.entries {
			if s.entries[i].match(account, stack, tags) {
				return s.scope
			}
		}
	}
	return cmp.Or(p.Scope.Default, ScopeCDE)
}

func (m *ScopeMatch) match(account, stack string, tags map[string]string) bool {
	if len(m.Accounts) > 0 && !GlobAny(m.Accounts, account) {
		return false
	}
	if len(m.Stacks) > 0 && (stack == "" || !GlobAny(m.Stacks, stack)) {
		return false
	}
	if len(m.Tags) == 0 {
		return len(m.Accounts)+len(m.Stacks) > 0
	}
	for _, t := range m.Tags {
		if value, there := tags[t.Key]; there && (t.Value == "" || Glob(t.Value, value)) {
			return true
		}
	}
	return false
}
