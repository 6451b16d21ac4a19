package ruleset

import (
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"plumbline/cfn"
	"plumbline/cfn/schema"
)

func textFunctions() []Function {
	return []Function{{
		Name: "glob", Group: "Text",
		Signature: []string{"glob(pattern string, text string) bool", "glob(patterns list(string), text string) bool"},
		Doc:       "Whether the text matches the pattern, or one of the patterns: * stands for any characters, ? for one.",
		Examples:  []string{`glob("db.t4g.*", "db.t4g.micro")`, "glob(policy.instanceClasses.rds, resource.DBInstanceClass)"},
		whole:     true,
		overloads: []overload{
			{args: []*cel.Type{cel.StringType, cel.StringType}, result: cel.BoolType, call: func(a ...ref.Val) ref.Val { return globMatch(a[0], a[1]) }},
			{args: []*cel.Type{cel.ListType(cel.StringType), cel.StringType}, result: cel.BoolType, call: func(a ...ref.Val) ref.Val {
				return anyOf(a[0], func(p ref.Val) ref.Val { return globMatch(p, a[1]) })
			}},
		},
	}, {
		Name: "json", Group: "Text",
		Signature: []string{"json(text string) dyn"},
		Doc:       "The value that a JSON text holds; an error where it is none. \"\" is null.",
		Examples:  []string{`json('{"a": [1]}').a[0] == 1`},
		overloads: []overload{{args: []*cel.Type{cel.StringType}, result: cel.DynType, call: func(a ...ref.Val) ref.Val {
			s := string(a[0].(types.String))
			if strings.TrimSpace(s) == "" {
				return absent{}
			}
			v, err := parseJSON(s)
			if err != nil {
				return types.WrapErr(err)
			}
			return (&owner{}).convert(v, anyType, "")
		}}},
	}, {
		Name: "versionAtLeast", Group: "Text",
		Signature: []string{"versionAtLeast(version string, minimum string) bool"},
		Doc:       "Compares dotted version numbers part by part; letters before the digits are skipped, a missing part is 0.",
		Examples:  []string{`versionAtLeast("1.30", "1.29")`, `!versionAtLeast("8.0.9", "8.0.28")`, `versionAtLeast("OpenSearch_2.11", "1.3")`},
		overloads: []overload{{args: []*cel.Type{cel.StringType, cel.StringType}, result: cel.BoolType, call: func(a ...ref.Val) ref.Val {
			return types.Bool(compareVersions(string(a[0].(types.String)), string(a[1].(types.String))) >= 0)
		}}},
	}, {
		Name: "namesSecret", Group: "Text",
		Signature: []string{"namesSecret(name string) bool"},
		Doc:       "Whether a name says that its value is a credential: password, secret, token, api key, private key, passphrase … as a word of it; a name that ends in arn, name, id, path, url or the like points at one and is not.",
		Examples:  []string{`namesSecret("DB_PASSWORD")`, `!namesSecret("SECRET_ARN")`},
		overloads: []overload{{args: []*cel.Type{cel.StringType}, result: cel.BoolType, call: func(a ...ref.Val) ref.Val {
			return types.Bool(namesSecret(string(a[0].(types.String))))
		}}},
	}}
}

func globMatch(pattern, text ref.Val) ref.Val {
	p, ok := pattern.(types.String)
	if !ok {
		return undecided(pattern)
	}
	switch t := text.(type) {
	case types.String:
		return types.Bool(Glob(string(p), string(t)))
	case *symbolic:
		if prefix, found := strings.CutSuffix(string(p), "*"); found && !isGlob(prefix) {
			return t.answer(t.startsWith(prefix))
		}
		if !overlap(t.tokens(), globTokens(string(p))) {
			return types.False
		}
		return t.unknown()
	}
	return types.MaybeNoSuchOverloadErr(text)
}

// parseJSON reads JSON text through the template's own reader, so that numbers
// keep their form.
func parseJSON(s string) (*cfn.Value, error) {
	n := cfn.Normalize(text(`{"v":`+s+`}`, cfn.Pos{}), anyMap)
	if v := n.Get("v"); v != nil && len(n.Fields) == 1 {
		return v, nil
	}
	return nil, errNotJSON
}

type notJSON struct{}

func (notJSON) Error() string { return "the text is not valid JSON" }

var errNotJSON = notJSON{}

// compareVersions is negative, 0 or positive as a is before, at or after b.
func compareVersions(a, b string) int {
	x, y := versionParts(a), versionParts(b)
	for i := range max(len(x), len(y)) {
		var p, q int
		if i < len(x) {
			p = x[i]
		}
		if i < len(y) {
			q = y[i]
		}
		if p != q {
			return p - q
		}
	}
	return 0
}

func versionParts(s string) []int {
	if i := strings.IndexAny(s, "0123456789"); i >= 0 {
		s = s[i:]
	}
	var out []int
	for part := range strings.SplitSeq(s, ".") {
		end := 0
		for end < len(part) && part[end] >= '0' && part[end] <= '9' {
			end++
		}
		n, _ := strconv.Atoi(part[:end])
		out = append(out, n)
	}
	return out
}

var (
	secretWords = map[string]bool{"password": true, "passwd": true, "pwd": true, "passphrase": true, "secret": true, "token": true,
		"apikey": true, "privatekey": true, "secretkey": true, "accesskey": true, "credentials": true, "credential": true, "authtoken": true}
	// pointerWords end names of things that point at a secret, or say something of it.
	pointerWords = map[string]bool{"arn": true, "name": true, "id": true, "path": true, "url": true, "uri": true, "endpoint": true, "file": true,
		"ttl": true, "length": true, "policy": true, "enabled": true, "expiry": true, "expiration": true, "timeout": true, "type": true,
		"parameter": true, "param": true, "ref": true, "version": true, "region": true, "bucket": true, "table": true, "rotation": true}
)

func namesSecret(name string) bool {
	words := splitName(name)
	if len(words) == 0 || pointerWords[words[len(words)-1]] {
		return false
	}
	for i, w := range words {
		if secretWords[w] || i > 0 && secretWords[words[i-1]+w] {
			return true
		}
	}
	return false
}

// splitName splits dbPassword, DB_PASSWORD and db-password into lower-case words.
func splitName(name string) []string {
	var words []string
	start := 0
	flush := func(end int) {
		if end > start {
			words = append(words, strings.ToLower(name[start:end]))
		}
	}
	upper := func(i int) bool { return i < len(name) && name[i] >= 'A' && name[i] <= 'Z' }
	letter := func(i int) bool {
		c := name[i]
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
	}
	for i := range len(name) {
		switch {
		case !letter(i):
			flush(i)
			start = i + 1
		case i > start && upper(i) && (!upper(i-1) || i+1 < len(name) && letter(i+1) && !upper(i+1)):
			flush(i)
			start = i
		}
	}
	flush(len(name))
	return words
}

func resourceFunctions() []Function {
	return []Function{{
		Name: "meta", Group: "Resources",
		Signature: []string{"meta(resource) Self"},
		Doc:       "What is known of a related resource beside its properties: LogicalId, Type, DeletionPolicy and the rest of `self`. `self` is meta(resource).",
		Examples:  []string{"policies.map(p, meta(p).LogicalId)"},
		overloads: []overload{{args: []*cel.Type{cel.DynType}, result: celType(selfType()), call: func(a ...ref.Val) ref.Val {
			v, ok := a[0].(*view)
			if !ok || v.owner.resource == nil {
				return types.NewErr("meta is asked of a resource")
			}
			return &view{selfValue(v.owner.resource), selfType(), v.owner}
		}}},
	}, {
		Name: "property", Group: "Resources",
		Signature: []string{"property(resource, path string) dyn"},
		Doc:       "A property by its path, for rules whose property comes from the policy file or whose types are `taggable` or `any`. null where it is not set.",
		Examples:  []string{`property(resource, "Tags") == null`},
		overloads: []overload{{args: []*cel.Type{cel.DynType, cel.StringType}, result: cel.DynType, call: func(a ...ref.Val) ref.Val {
			v, ok := a[0].(*view)
			if !ok {
				return types.NewErr("property is asked of a resource")
			}
			return v.at(strings.Split(string(a[1].(types.String)), "."))
		}}},
	}, {
		Name: "hasProperty", Group: "Resources",
		Signature: []string{"hasProperty(resource, path string) bool"},
		Doc:       "Whether the property with this path is set.",
		Examples:  []string{"hasProperty(resource, n.property)"},
		overloads: []overload{{args: []*cel.Type{cel.DynType, cel.StringType}, result: cel.BoolType, call: func(a ...ref.Val) ref.Val {
			v, ok := a[0].(*view)
			if !ok {
				return types.NewErr("hasProperty is asked of a resource")
			}
			switch x := v.at(strings.Split(string(a[1].(types.String)), ".")).(type) {
			case absent:
				return types.False
			case *types.Err:
				return x
			}
			return types.True
		}}},
	}}
}

// at walks a path with the types of the resource's schema where they are known.
func (v *view) at(path []string) ref.Val {
	value, typ := v.value, v.typ
	if typ == openType {
		typ = anyType
		if s := schema.Lookup(v.owner.resource.Type); s != nil {
			typ = s.Type
		}
	}
	for _, name := range path {
		if value.IsKind(cfn.Unknown) {
			return unknownOf(value.Unknown.Needs)
		}
		child := value.Get(name)
		if v.owner.trace != nil {
			v.owner.trace.read(v.owner, value, name, child)
		}
		next := anyType
		switch typ.Kind {
		case schema.Object:
			if p := typ.Property(name); p != nil {
				next = p.Type
			}
		case schema.Map:
			next = typ.Elem
		}
		value, typ = child, next
	}
	if value == nil || value.Kind == cfn.Null {
		return absent{}
	}
	return v.owner.convert(value, typ, path[len(path)-1])
}
