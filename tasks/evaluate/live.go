package evaluate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"plumbline/cfn"
	"plumbline/cfn/drift"
	"plumbline/finding"
	"plumbline/scan"
)

// judge judges the template, and what is deployed of it where that was read:
// one verdict a rule and resource. Of a live scan every verdict is made a
// finding first, since what one side says may be settled by the other.
func (h *Handler) judge(ctx context.Context, snap *scan.Snapshot, models []*cfn.Model) ([]finding.Finding, finding.Counts, error) {
	live := snap.Deployed()
	if live == nil {
		return h.rules.Judge(ctx, h.config.Domain, models, h.config.Keep)
	}
	all := func(string) bool { return true }
	written, _, err := h.rules.Judge(ctx, h.config.Domain, models, all)
	if err != nil {
		return nil, nil, err
	}
	deployed, _, err := h.rules.Judge(ctx, h.config.Domain, []*cfn.Model{live}, all)
	if err != nil {
		return nil, nil, err
	}
	merged := merge(written, deployed, models[0])
	if h.config.Domain == finding.Configuration {
		merged = append(merged, h.deployedAs(snap, models[0], live)...)
	}
	counts := finding.Counts{}
	kept := merged[:0]
	for _, f := range merged {
		counts[string(f.Verdict)]++
		if h.config.Keep(string(f.Verdict)) {
			kept = append(kept, f)
		}
	}
	return kept, counts, nil
}

// merge makes one verdict of each pair. Resources around the stack are not its
// affair.
func merge(written, deployed []finding.Finding, template *cfn.Model) []finding.Finding {
	type key struct{ rule, id string }
	at := make(map[key]int, len(deployed))
	for i, f := range deployed {
		at[key{f.Rule, f.Resource.LogicalID}] = i
	}
	out := make([]finding.Finding, 0, len(written))
	for _, w := range written {
		k := key{w.Rule, w.Resource.LogicalID}
		i, both := at[k]
		if !both {
			out = append(out, w)
			continue
		}
		delete(at, k)
		out = append(out, settle(w, deployed[i]))
	}
	for i, f := range deployed {
		if _, left := at[key{f.Rule, f.Resource.LogicalID}]; left && template.Resource(f.Resource.LogicalID) != nil {
			out = append(out, asDeployed(deployed[i]))
		}
	}
	return out
}

// settle makes one verdict of what the template and the deployed resource say.
// A violation of either is one: of the template, since the next deployment makes
// it so. What the template leaves open the deployed resource settles; an error
// of either stays, unless the other is a violation.
func settle(w, d finding.Finding) finding.Finding {
	w.Deployed, d.Deployed = d.Verdict, d.Verdict
	switch {
	case w.Verdict == finding.Fail && d.Verdict == finding.Pass:
		w.Message += ". the deployed resource is right, but the next deployment may undo that"
		return w
	case w.Verdict == finding.Fail:
		return w
	case d.Verdict == finding.Fail:
		return asDeployed(d)
	case w.Verdict == finding.Error:
		return w
	case d.Verdict == finding.Error:
		return asDeployed(d)
	case w.Verdict == finding.Unknown, d.Verdict == finding.Unknown:
		if w.Verdict == finding.Unknown && d.Verdict == finding.Unknown {
			return w
		}
		return asDeployed(d)
	case w.Verdict == finding.Skip:
		return asDeployed(d)
	}
	return w
}

// asDeployed says of a finding that it is about the live resource.
func asDeployed(f finding.Finding) finding.Finding {
	f.Deployed = f.Verdict
	if f.Verdict != finding.Pass && f.Verdict != finding.Skip {
		f.Message = "as deployed: " + f.Message
	}
	return f
}

// deployedAs holds each resource to the two reserved rules of live scans: it
// can be read, and it is as the template has it.
func (h *Handler) deployedAs(snap *scan.Snapshot, template, live *cfn.Model) []finding.Finding {
	var out []finding.Finding
	physical := map[string]string{}
	for i := range snap.Live.Resources {
		physical[snap.Live.Resources[i].LogicalID] = snap.Live.Resources[i].Physical
	}
	readable, readOn := h.rules.InForce(finding.LiveReadable)
	matches, matchOn := h.rules.InForce(finding.LiveMatchesTemplate)
	for i := range snap.Live.Resources {
		r := &snap.Live.Resources[i]
		written := template.Resource(r.LogicalID)
		f := finding.Finding{
			Rule: finding.LiveReadable, Severity: readable, Domain: finding.Configuration, Verdict: finding.Pass, Fix: finding.FixNone,
			Resource: finding.Resource{LogicalID: r.LogicalID, Type: r.Type}, Message: "the deployed resource can be read",
		}
		if written != nil {
			f.Resource.ConstructPath, f.Place.Line, f.Place.Column = written.ConstructPath, written.Pos.Line, written.Pos.Column
		}
		switch {
		case r.Denied != "":
			f.Verdict, f.Message = finding.Error, r.Denied
			f.Remediation = "Give the role that scans the permission, and scan again. Until then the template alone is judged."
		case r.Unreadable != "":
			f.Verdict, f.Message, f.Needs = finding.Unknown, r.Unreadable+". the template alone is judged", []string{"the live model of " + r.LogicalID}
		}
		if readOn {
			out = append(out, f)
		}
		if !matchOn || f.Verdict != finding.Pass || written == nil {
			continue
		}
		f.Rule, f.Severity, f.Verdict, f.Message = finding.LiveMatchesTemplate, matches, finding.Pass, "the deployed resource is as the template has it"
		var differences []drift.Difference
		if have := live.Resource(r.LogicalID); have != nil {
			differences = drift.Compare(written, have, snap.Live.Tags, func(id string) string { return physical[id] })
		}
		switch {
		case r.Gone:
			f.Verdict, f.Message = finding.Fail, fmt.Sprintf("%s was deleted, not by CloudFormation", r.Physical)
			f.Remediation = "Find out who deleted it, then take it out of the stack or make it again."
		case len(differences) > 0:
			f.Verdict, f.Message = finding.Fail, words(differences, written)
			f.Remediation = "Take the change over into the template, or undo it: deploy the stack again with a change to these properties."
		}
		out = append(out, f)
	}
	return out
}

// mostNamed is how many differences a message names.
const mostNamed = 5

// words names differences. A value that a template has by a NoEcho parameter is not shown.
func words(differences []drift.Difference, written *cfn.Resource) string {
	var parts []string
	for i := range differences {
		d := &differences[i]
		if i == mostNamed {
			parts = append(parts, fmt.Sprintf("and %d more", len(differences)-i))
			break
		}
		switch {
		case secret(d.Want):
			parts = append(parts, d.Name()+" differs")
		case d.Unset && d.Want == nil:
			parts = append(parts, fmt.Sprintf("%s is %s, and the template leaves it out", d.Name(), drift.Text(d.Have)))
		case d.Unset:
			parts = append(parts, fmt.Sprintf("%s is %s, and the template leaves it at its default, %s", d.Name(), drift.Text(d.Have), drift.Text(d.Want)))
		default:
			parts = append(parts, fmt.Sprintf("%s is %s, and the template has %s", d.Name(), drift.Text(d.Have), drift.Text(d.Want)))
		}
	}
	return strings.Join(slices.Compact(parts), "; ")
}

func secret(v *cfn.Value) bool {
	switch {
	case v == nil:
		return false
	case v.Origin != nil && v.Origin.NoEcho, v.Kind == cfn.Unknown && v.Unknown.Secret:
		return true
	}
	return slices.ContainsFunc(v.Items, secret) || slices.ContainsFunc(v.Fields, func(f cfn.Field) bool { return secret(f.Value) })
}
