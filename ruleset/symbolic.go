package ruleset

import (
	"fmt"
	"hash/fnv"
	"reflect"
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"plumbline/cfn"
	"plumbline/cfn/schema"
)

// symbolic is a string of which a part is known: "arn:aws:s3:::${Bucket}/*".
// It stands for every text that its pieces allow, so an operation on it has an
// answer only where all of these texts give the same one; else the answer is
// CEL's Unknown. CEL's own functions never see it: the planner's nodes (plan.go)
// take it out of their way.
type symbolic struct {
	pieces []piece
	needs  []string // what would settle it
}

// piece is a part of a symbolic string.
type piece struct {
	text  string         // a literal
	gap   bool           // any text instead
	some  bool           // gap: at least one character
	ident bool           // gap: an identifier or ARN that AWS makes: at least one character, no space, *, ? or quote in it
	ref   *cfn.Reference // gap: equal references in one world are equal texts; nil: nothing is known
}

var _ ref.Val = (*symbolic)(nil)

func (s *symbolic) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("text is not known before deployment: %s", strings.Join(s.needs, ", "))
}

func (s *symbolic) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.StringType:
		return s
	case types.TypeType:
		return types.StringType
	}
	return s.unknown()
}

func (s *symbolic) Equal(other ref.Val) ref.Val { return equal(s, other) }
func (s *symbolic) Type() ref.Type              { return types.StringType }
func (s *symbolic) Value() any                  { return s }

// String shows the text with its gaps as people write them in Fn::Sub.
func (s *symbolic) String() string { return renderPieces(s.pieces, s.needs) }

func (s *symbolic) unknown() *types.Unknown { return unknownOf(s.needs) }

// symbolicOf is the symbolic value of an unknown string, nil where nothing of it is known.
func (o *owner) symbolicOf(u *cfn.Unknowing) *symbolic {
	if u.Secret || (u.Shape == nil && u.Ref == nil) {
		return nil
	}
	if u.Shape == nil {
		return &symbolic{pieces: o.reference(nil, u.Ref), needs: u.Needs}
	}
	// Pseudo parameters are identifiers. Where only they are missing every gap is one.
	pseudo := !slices.ContainsFunc(u.Needs, func(n string) bool { return !strings.HasPrefix(n, "AWS::") }) && len(u.Needs) > 0
	pieces := make([]piece, 0, len(u.Shape)+1)
	for i := range u.Shape {
		p := &u.Shape[i]
		switch {
		case p.Gap && p.Ref != nil:
			pieces = o.reference(pieces, p.Ref)
		case p.Gap:
			pieces = append(pieces, piece{gap: true, some: p.NonEmpty, ident: pseudo})
		case p.Literal != "":
			pieces = appendLiteral(pieces, p.Literal)
		}
	}
	return &symbolic{pieces: pieces, needs: u.Needs}
}

// reference appends the pieces of a reference to a resource of the template.
// What AWS makes for its own resources is an identifier, and an attribute Arn
// begins with arn:; a custom resource and a nested stack's output can be any text.
func (o *owner) reference(pieces []piece, r *cfn.Reference) []piece {
	gap := piece{gap: true, some: true, ref: r}
	target := (*cfn.Resource)(nil)
	if o.model != nil {
		target = o.model.Resource(r.LogicalID)
	}
	if target == nil || !strings.HasPrefix(target.Type, "AWS::") {
		return append(pieces, gap)
	}
	switch target.Type {
	case "AWS::CloudFormation::CustomResource", "AWS::CloudFormation::WaitCondition":
		return append(pieces, gap)
	case "AWS::CloudFormation::Stack":
		if r.Attribute != "" {
			return append(pieces, gap)
		}
	case "AWS::EC2::SecurityGroup":
		if r.Attribute != "GroupId" { // a group's name may hold * and spaces
			return append(pieces, gap)
		}
	case "AWS::Route53::RecordSet", "AWS::ApiGateway::DomainName", "AWS::ApiGatewayV2::DomainName": // *.example.com
		return append(pieces, gap)
	}
	gap.ident = r.Attribute == "" || strings.HasSuffix(r.Attribute, "Arn") || strings.HasSuffix(r.Attribute, "Id") ||
		strings.HasSuffix(r.Attribute, "Name") || strings.HasSuffix(r.Attribute, ".Address")
	return append(pieces, gap)
}

func appendLiteral(pieces []piece, text string) []piece {
	if n := len(pieces); n > 0 && !pieces[n-1].gap {
		pieces[n-1].text += text
		return pieces
	}
	return append(pieces, piece{text: text})
}

// joined is a followed by b, both String or symbolic.
func joined(a, b ref.Val) ref.Val {
	var out symbolic
	for _, v := range []ref.Val{a, b} {
		switch v := v.(type) {
		case types.String:
			if v != "" {
				out.pieces = appendLiteral(out.pieces, string(v))
			}
		case *symbolic:
			for _, p := range v.pieces {
				if p.gap {
					out.pieces = append(out.pieces, p)
				} else {
					out.pieces = appendLiteral(out.pieces, p.text)
				}
			}
			out.needs = mergeNeeds(out.needs, v.needs)
		default:
			return types.MaybeNoSuchOverloadErr(v)
		}
	}
	return out.settled()
}

// settled is a plain string where no gap is left.
func (s *symbolic) settled() ref.Val {
	switch {
	case len(s.pieces) == 0:
		return types.String("")
	case len(s.pieces) == 1 && !s.pieces[0].gap:
		return types.String(s.pieces[0].text)
	}
	return s
}

// mapped applies f to the literals; the gaps keep no identity, for f changes them too.
func (s *symbolic) mapped(f func(string) string) ref.Val {
	out := &symbolic{needs: s.needs, pieces: make([]piece, len(s.pieces))}
	for i, p := range s.pieces {
		if p.gap {
			out.pieces[i] = piece{gap: true, some: p.some || p.ident, ident: p.ident}
		} else {
			out.pieces[i] = piece{text: f(p.text)}
		}
	}
	return out
}

// minimum is the least number of characters that every text of s has.
func (s *symbolic) minimum() int {
	n := 0
	for _, p := range s.pieces {
		switch {
		case !p.gap:
			n += len([]rune(p.text))
		case p.some || p.ident:
			n++
		}
	}
	return n
}

// unknownOf is CEL's Unknown that carries needs as attribute trails.
func unknownOf(needs []string) *types.Unknown {
	if len(needs) == 0 {
		needs = noNeeds
	}
	var out *types.Unknown
	for _, n := range needs {
		// The id is the text's hash, so that merging two Unknowns of one need
		// keeps one of them and never appends to a shared list.
		h := fnv.New64a()
		h.Write([]byte(n))
		out = types.MergeUnknowns(out, types.NewUnknown(int64(h.Sum64()>>1), types.NewAttributeTrail(n)))
	}
	return out
}

var noNeeds = []string{"a value that is known only after deployment"}

// needsOf is what an Unknown carries, sorted.
func needsOf(u *types.Unknown) []string {
	var out []string
	for _, id := range u.IDs() {
		trails, _ := u.GetAttributeTrails(id)
		for _, t := range trails {
			if n := t.Variable(); n != "" && n != unsureMark && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	slices.Sort(out)
	return out
}

func mergeNeeds(a, b []string) []string {
	if len(a) == 0 {
		return b
	}
	out := slices.Clip(a)
	for _, n := range b {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// unknown is the CEL value of an unknown one: symbolic where it is a text of
// which something is known, else Unknown.
func (o *owner) unknown(u *cfn.Unknowing, t *schema.Type) ref.Val {
	if t.Kind == schema.String || t.Kind == schema.Any {
		if o.render {
			return types.String(renderUnknown(u))
		}
		if s := o.symbolicOf(u); s != nil {
			return s.settled()
		}
	}
	return unknownOf(u.Needs)
}

// masked stands for a text that must not be shown.
const masked = "****"

// renderUnknown says an unknown text for people, in the form of Fn::Sub.
func renderUnknown(u *cfn.Unknowing) string {
	switch {
	case u.Secret:
		return masked
	case u.Shape == nil && u.Ref != nil:
		return renderRef(u.Ref)
	case u.Shape == nil:
		return "${" + strings.Join(u.Needs, ", ") + "}"
	}
	o := owner{}
	return o.symbolicOf(u).String()
}

func renderRef(r *cfn.Reference) string {
	if r.Attribute == "" {
		return "${" + r.LogicalID + "}"
	}
	return "${" + r.LogicalID + "." + r.Attribute + "}"
}

func renderPieces(pieces []piece, needs []string) string {
	var b strings.Builder
	for _, p := range pieces {
		switch {
		case !p.gap:
			b.WriteString(p.text)
		case p.ref != nil:
			b.WriteString(renderRef(p.ref))
		case len(needs) == 1:
			_, name, found := strings.Cut(needs[0], " ")
			if !found {
				name = needs[0]
			}
			b.WriteString("${" + name + "}")
		default:
			b.WriteString("${…}")
		}
	}
	return b.String()
}

// confidential reports whether a text must not be shown: the default of a
// NoEcho parameter, or a property that holds a password by its name.
func confidential(name string, v *cfn.Value) bool {
	if v.Origin != nil && v.Origin.NoEcho {
		return true
	}
	for _, suffix := range [...]string{"Password", "SecretString", "AuthToken", "PrivateKey", "OauthToken", "OAuthToken", "SecretKey", "AccessToken"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}
