package ruleset

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"plumbline/cfn"
	"plumbline/finding"
)

// Tools whose suppressions in a template's metadata are read, as Equivalents
// names them.
const (
	toolCFNNag  = "cfn_nag"
	toolGuard   = "guard"
	toolCheckov = "checkov"
	toolCDKNag  = "cdk_nag"
)

// read collects the suppressions of one Metadata value, our own first. What
// does not count is told as a warning: a suppression without a reason, an
// expired one, one that cannot be understood.
func (m *metadata) read(v *cfn.Value) []note {
	if !v.IsKind(cfn.Map) {
		return nil
	}
	var out []note
	if ours := v.Get("plumbline"); ours.IsKind(cfn.Map) {
		for i := range ours.Fields {
			if f := &ours.Fields[i]; f.Key == "suppress" {
				out = m.own(out, f.Value)
			} else {
				m.warn(&cfn.Value{Pos: f.Pos}, "Metadata.plumbline: unknown key %q, so it does nothing. allowed: suppress", f.Key)
			}
		}
	}
	if list := v.Get("cfn_nag").Get("rules_to_suppress"); list != nil {
		out = m.foreign(out, list, toolCFNNag, "id", "reason")
	}
	if list := v.Get("guard").Get("SuppressedRules"); list != nil {
		out = m.guard(out, list)
	}
	if list := v.Get("checkov").Get("skip"); list != nil {
		out = m.foreign(out, list, toolCheckov, "id", "comment")
	}
	if list := v.Get("cdk_nag").Get("rules_to_suppress"); list != nil {
		out = m.foreign(out, list, toolCDKNag, "id", "reason")
	}
	return out
}

func (m *metadata) warn(v *cfn.Value, format string, args ...any) {
	w := &PlaceError{finding.Place{Line: v.Pos.Line, Column: v.Pos.Column}, fmt.Sprintf(format, args...)}
	if len(m.models) > 0 && m.models[0].Template != nil {
		w.Place.Path = m.models[0].Template.Path
	}
	m.warnings = append(m.warnings, w)
}

// items is a list's items; a single map stands for a list of one.
func (m *metadata) items(list *cfn.Value, what string) []*cfn.Value {
	switch {
	case list.IsKind(cfn.List):
		return list.Items
	case list.IsKind(cfn.Map):
		return []*cfn.Value{list}
	}
	m.warn(list, "%s is no list, so it suppresses nothing", what)
	return nil
}

var ownKeys = []string{"rule", "reason", "until", "approver", "control"}

// own reads `plumbline: suppress: [{rule, reason, until, approver, control}]`.
func (m *metadata) own(out []note, list *cfn.Value) []note {
	for _, item := range m.items(list, "plumbline.suppress") {
		if !item.IsKind(cfn.Map) {
			m.warn(item, "plumbline.suppress: an entry needs the keys rule and reason, so this one does not count")
			continue
		}
		misspelt := false
		for _, f := range item.Fields {
			if !slices.Contains(ownKeys, f.Key) {
				misspelt = true // what it was to limit is not known: an end, say
				m.warn(&cfn.Value{Pos: f.Pos}, "plumbline.suppress: unknown key %q, so the entry does not count.%s", f.Key, suggest(f.Key, ownKeys))
			}
		}
		n := note{ids: scalarTexts(item.Get("rule")), details: finding.Suppression{
			Reason:   scalarText(item.Get("reason")),
			Until:    scalarText(item.Get("until")),
			Approver: scalarText(item.Get("approver")),
			Control:  scalarText(item.Get("control")),
			Source:   "template metadata",
		}}
		n.at = item
		known := false
		for _, id := range n.ids {
			known = m.knownRule(item.Get("rule"), id) || known
		}
		switch {
		case misspelt:
		case len(n.ids) == 0:
			m.warn(item, "plumbline.suppress: an entry names no rule, so it does not count")
		case n.details.Reason == "":
			m.warn(item, "suppression of %s has no reason, so it does not count. add reason:", strings.Join(n.ids, ", "))
		case reasonProblem(n.details.Reason) != "":
			m.warn(item.Get("reason"), "suppression of %s does not count: reason: %s", strings.Join(n.ids, ", "), reasonProblem(n.details.Reason))
		case n.details.Until != "" && dateProblem(n.details.Until) != "":
			m.warn(item.Get("until"), "suppression of %s does not count: until: %s", strings.Join(n.ids, ", "), dateProblem(n.details.Until))
		case expired(n.details.Until, m.today):
			m.warn(item, "suppression of %s expired on %s, so it does not count. settle the finding, or renew it with a reason", strings.Join(n.ids, ", "), n.details.Until)
			if n.dead = true; known {
				out = append(out, n)
			}
		case known: // of a rule that is not known the warning has told
			out = append(out, n)
		}
	}
	return out
}

// knownRule tells an id or glob for which there is no rule, and reports whether there is one.
func (m *metadata) knownRule(at *cfn.Value, id string) bool {
	ids := m.rules.RuleIDs()
	switch {
	case m.rules.HasRule(id):
		return true
	case isGlob(id):
		if slices.ContainsFunc(ids, func(x string) bool { return Glob(id, x) }) {
			return true
		}
		m.warn(at, "plumbline.suppress: no rule matches %q, so it suppresses nothing", id)
	default:
		m.warn(at, "plumbline.suppress: there is no rule %q, so it suppresses nothing.%s", id, suggest(id, ids))
	}
	return false
}

// foreign reads a list of {id, reason}, as cfn_nag, checkov and cdk-nag have it.
func (m *metadata) foreign(out []note, list *cfn.Value, tool, idKey, reasonKey string) []note {
	for _, item := range m.items(list, tool+" metadata") {
		id, reason := scalarText(item.Get(idKey)), scalarText(item.Get(reasonKey))
		if scalarText(item.Get("is_reason_encoded")) == "true" { // cdk-nag encodes a reason that is not ASCII
			if plain, err := base64.StdEncoding.DecodeString(reason); err == nil {
				reason = strings.TrimSpace(string(plain))
			}
		}
		switch {
		case id == "":
			m.warn(item, "%s metadata: an entry has no %s, so it does not count", tool, idKey)
		case reason == "":
			m.warn(item, "%s suppression of %s has no %s, so it does not count", tool, id, reasonKey)
		case item.Get("applies_to") != nil || item.Get("appliesTo") != nil:
			m.warn(item, "%s suppression of %s is for a part of its findings only, so it does not count here. suppress our rule under Metadata: plumbline: suppress", tool, id)
		default:
			out = append(out, note{tool: tool, ids: []string{id}, details: finding.Suppression{Reason: reason, Source: tool + " metadata"}})
		}
	}
	return out
}

// guardReason stands where cfn-guard's form has no place for a reason.
const guardReason = "cfn-guard metadata, which holds no reason"

// guard reads cfn-guard's list of rule names.
func (m *metadata) guard(out []note, list *cfn.Value) []note {
	ids := scalarTexts(list)
	if len(ids) == 0 {
		m.warn(list, "guard.SuppressedRules names no rule, so it suppresses nothing")
		return out
	}
	return append(out, note{tool: toolGuard, ids: ids, details: finding.Suppression{Reason: guardReason, Source: "guard metadata"}})
}

// scalarText is a scalar's text without outer spaces, "" for anything else.
func scalarText(v *cfn.Value) string {
	if v.IsKind(cfn.String) || v.IsKind(cfn.Bool) || v.IsKind(cfn.Number) {
		return strings.TrimSpace(v.Text)
	}
	return ""
}

// scalarTexts is the texts of a list, or of one text; other items are left out.
func scalarTexts(v *cfn.Value) []string {
	if t := scalarText(v); t != "" {
		return []string{t}
	}
	var out []string
	if v.IsKind(cfn.List) {
		for _, item := range v.Items {
			if t := scalarText(item); t != "" {
				out = append(out, t)
			}
		}
	}
	return out
}
