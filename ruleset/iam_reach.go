package ruleset

import (
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"plumbline/cfn"
)

// What wildcards in a policy come to: "arn:aws:iam::*:role/*" names no role,
// and "iam:**" is iam:*.

// extent is how much a Resource text takes in.
type extent uint8

const (
	reachNamed extent = iota // something is named: a resource, a prefix, an account
	reachKind                // all of a service, or of a kind of resource in it
	reachAll                 // everything
)

// unkinded are the services whose ARNs hold a name where others hold a kind:
// arn:aws:s3:::ledger/* is one bucket, arn:aws:dynamodb:*:*:table/* every table.
var unkinded = map[string]bool{"s3": true, "sns": true, "sqs": true, "execute-api": true, "codecommit": true}

// reachOf judges a Resource text. The partition limits nothing, and neither does
// the region; an account does, but for IAM, whose resources a policy can only
// reach in its own account anyhow.
func reachOf(text string) extent {
	text = gapless(text)
	if wildcards(text) {
		return reachAll
	}
	parts := strings.SplitN(text, ":", 6)
	last := parts[len(parts)-1]
	switch {
	case len(parts) == 1 && Glob(text, "arn:"):
		return reachAll
	case parts[0] != "arn" && !wildcards(parts[0]):
		return reachNamed
	case len(parts) <= 2:
		if strings.HasSuffix(last, "*") { // arn:*, arn:aws*
			return reachAll
		}
		return reachNamed
	case wildcards(parts[2]) && (len(parts) < 4 || wildcards(last)) && (len(parts) < 6 || limitless(parts[4])):
		return reachAll
	case len(parts) == 3 && strings.HasSuffix(last, "*"):
		return reachKind // arn:aws:s3*
	case len(parts) < 6:
		if wildcards(last) {
			return reachKind
		}
		return reachNamed
	}
	service, account := parts[2], parts[4]
	if !limitless(account) && (service != "iam" || account == "aws") {
		return reachNamed
	}
	if service == "iam" {
		for _, kind := range [...]string{"role/*", "user/*", "group/*", "policy/*"} {
			if Glob(last, kind) {
				return reachKind
			}
		}
		return reachNamed
	}
	segments := strings.FieldsFunc(last, func(r rune) bool { return r == '/' || r == ':' })
	if len(segments) > 1 && !unkinded[service] && !strings.ContainsAny(segments[0], "*?${") {
		segments = segments[1:]
	}
	for _, s := range segments {
		if !wildcards(s) {
			return reachNamed
		}
	}
	if len(segments) == 0 {
		return reachNamed
	}
	return reachKind
}

// gapless writes each ${…} as gapMark: a policy variable, or in a message a
// reference, either of which may hold colons.
func gapless(text string) string {
	if !strings.Contains(text, "${") {
		return text
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString(gapMark)
		_, text, _ = strings.Cut(rest, "}")
	}
}

// limitless reports whether an ARN's account names none.
func limitless(account string) bool { return account == "" || wildcards(account) }

// wildcards reports whether a pattern matches any text that is long enough.
func wildcards(pattern string) bool {
	return strings.Contains(pattern, "*") && strings.Trim(pattern, "*?") == ""
}

// reaches reports whether a Resource takes in as much as asked. A part of an
// ARN that is not known is taken for a name, in an account's place for an account.
func reaches(resource ref.Val, asked extent) ref.Val {
	return reachesBy(resource, func(text string) bool { return reachOf(text) >= asked })
}

// reachesBy asks of a Resource's text, which may be known in part.
func reachesBy(resource ref.Val, ask func(text string) bool) ref.Val {
	switch r := resource.(type) {
	case types.String:
		return types.Bool(ask(string(r)))
	case *symbolic:
		if ask(gapped(r.pieces)) {
			return types.True
		}
		return r.answer(r.equals("*"))
	}
	return types.MaybeNoSuchOverloadErr(resource)
}

// anyResource reports whether the statement reaches resources without naming any.
func (v *view) anyResource() ref.Val {
	if v.excepting() {
		return types.True
	}
	return anyOf(v.get("Resources"), func(r ref.Val) ref.Val { return reaches(r, reachKind) })
}

// excepting reports whether the statement says which resources it does not reach.
func (v *view) excepting() bool {
	not := v.value.Get("NotResources")
	return not != nil && not.Kind == cfn.List && len(not.Items) > 0
}

// anywhere reports whether an Allow statement grants one of the actions on
// resources that it does not name. What reaches all of a service or of a kind
// does so for the actions that know it.
func (v *view) anywhere(actions ref.Val) ref.Val {
	list, ok := actions.(traits.Lister)
	if !ok {
		list = refList{actions}
	}
	granted := v.anyGranted(list)
	if granted == types.False || v.excepting() {
		return granted
	}
	return anyOf(v.get("Resources"), func(r ref.Val) ref.Val {
		if text, plain := r.(types.String); plain && wildcards(string(text)) {
			return granted
		}
		n, _ := sizeOf(list)
		fitting := refList{}
		for i := range n {
			action, ok := elementAt(list, i).(types.String)
			if !ok {
				return undecided(elementAt(list, i))
			}
			switch on := reachesBy(r, func(text string) bool { return reachesFor(text, string(action)) }); on {
			case types.True:
				fitting = append(fitting, action)
			case types.False:
			default:
				return on
			}
		}
		return v.anyGranted(fitting)
	})
}

// reachesFor reports whether a Resource text reaches, without naming any, the
// resources that the action is about.
func reachesFor(text, action string) bool {
	extent := reachOf(text)
	if extent != reachKind {
		return extent == reachAll
	}
	service, name, _ := strings.Cut(strings.ToLower(action), ":")
	if service == "sts" {
		service = "iam" // roles are assumed
	}
	parts := strings.SplitN(gapless(text), ":", 6)
	if !Glob(parts[2], service) && !Glob(service, parts[2]) {
		return false
	}
	if service == "iam" && len(parts) == 6 && (name == "passrole" || strings.HasPrefix(name, "assumerole")) {
		return Glob(parts[5], "role/*")
	}
	return true
}

// onARN reports whether the statement's Resource covers the ARN of a resource
// of the template, with what follows it.
func (v *view) onARN(resource ref.Val, suffix string) ref.Val {
	r, ok := resource.(*view)
	if !ok || r.owner.resource == nil {
		return types.NewErr("onResource is asked of a resource")
	}
	literals, open := names(r.owner.resource)
	return anyOf(v.get("Resources"), func(p ref.Val) ref.Val { return coversARN(p, r, literals, open, suffix) })
}

func coversARN(pattern ref.Val, r *view, literals []string, open []*cfn.Unknowing, suffix string) ref.Val {
	switch p := pattern.(type) {
	case types.String:
		text := string(p)
		// Whatever the name is: a star stands for it.
		if reachOf(text) == reachAll {
			return types.True
		}
		parts := strings.SplitN(text, ":", 6)
		if len(parts) < 6 || !sameService(parts[2], r.owner.resource.Type) {
			return types.Bool(reachOf(text) >= reachKind && len(parts) > 2 && sameService(parts[2], r.owner.resource.Type))
		}
		if Glob(parts[5], "*"+suffix) {
			return types.True
		}
		for _, name := range literals {
			if Glob(parts[5], name+suffix) {
				return types.True
			}
		}
		if len(open) > 0 {
			return unknownOf(open[0].Needs)
		}
		return types.False
	case *symbolic:
		return coversSymbolic(p, r, literals, open, suffix)
	}
	return types.MaybeNoSuchOverloadErr(pattern)
}

// coversSymbolic is coversARN of a text such as "${Bucket.Arn}/*".
func coversSymbolic(p *symbolic, r *view, literals []string, open []*cfn.Unknowing, suffix string) ref.Val {
	pieces := p.pieces
	// Gap, or "arn:aws:s3:::" and gap; the partition in it may be a gap too.
	for i := range pieces {
		at := &pieces[i]
		if !at.gap || at.ref == nil {
			continue
		}
		if at.ref.LogicalID != r.owner.resource.LogicalID {
			return types.False
		}
		head, tail := pieces[:i], pieces[i+1:]
		whole := strings.HasSuffix(at.ref.Attribute, "Arn")
		if whole != (len(head) == 0) {
			return types.False // "arn:aws:s3:::${Bucket.Arn}", or a bare name
		}
		if !whole && strings.Count(gapped(head), ":") != 5 {
			return types.False
		}
		if slices.ContainsFunc(tail, func(t piece) bool { return t.gap }) {
			end := &symbolic{pieces: tail, needs: p.needs}
			return end.answer(end.asPattern(suffix))
		}
		return types.Bool(Glob(gapped(tail), suffix))
	}
	// The name may be made of the same parameters as the resource's own.
	text := gapped(pieces)
	if reachOf(text) == reachAll {
		return types.True
	}
	if parts := strings.SplitN(text, ":", 6); len(parts) == 6 {
		if Glob(parts[5], "*"+suffix) && sameService(parts[2], r.owner.resource.Type) {
			return types.True // arn:${AWS::Partition}:s3:::*
		}
		for _, name := range literals {
			if Glob(parts[5], name+suffix) {
				return types.True
			}
		}
		for _, u := range open {
			if name := r.owner.symbolicOf(u); name != nil && needsWithin(name.needs, p.needs) && Glob(parts[5], gapped(name.pieces)+suffix) {
				return types.True
			}
		}
		if !strings.Contains(parts[5], gapMark) {
			if len(open) > 0 {
				return unknownOf(open[0].Needs)
			}
			return types.False
		}
	}
	if len(literals)+len(open) == 0 { // nobody can have written down the name that CloudFormation will make
		return p.answer(p.equals("*"))
	}
	return p.unknown()
}

// gapMark stands for a gap where a text is taken apart.
const gapMark = "${}"

func gapped(pieces []piece) string {
	var b strings.Builder
	for _, p := range pieces {
		if p.gap {
			b.WriteString(gapMark)
		} else {
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// needsWithin reports whether all of what would settle a is among what would settle b.
func needsWithin(a, b []string) bool {
	for _, n := range a {
		found := false
		for _, m := range b {
			found = found || n == m
		}
		if !found {
			return false
		}
	}
	return len(a) > 0
}

// sameService reports whether an ARN's service is the one of a resource type.
func sameService(service, resourceType string) bool {
	parts := strings.SplitN(resourceType, "::", 3)
	return len(parts) == 3 && Glob(strings.ToLower(service), strings.ToLower(parts[1]))
}

// wholeService reports whether an Action takes in every action of a service:
// *, s3:*, s3*, iam:**.
func wholeService(action string) bool {
	if service, name, found := strings.Cut(action, ":"); found {
		return service != "" && wildcards(name)
	}
	before := strings.TrimRight(action, "*")
	return before != action && !strings.Contains(before, "*")
}
