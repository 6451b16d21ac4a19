package ruleset

import (
	"slices"

	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"plumbline/cfn"
)

func iamFunctions() []Function {
	statement := celType(statementType())
	// member makes a member function of a statement; ask gets its view.
	member := func(result *cel.Type, ask func(s *view, a []ref.Val) ref.Val, more ...*cel.Type) []overload {
		return []overload{{member: true, args: append([]*cel.Type{statement}, more...), result: result, call: func(a ...ref.Val) ref.Val {
			s, ok := a[0].(*view)
			if !ok {
				return types.MaybeNoSuchOverloadErr(a[0])
			}
			return ask(s, a[1:])
		}}}
	}
	return []Function{{
		Name: "statements", Group: "Policy documents",
		Signature: []string{"statements(document) list(iam.Statement)"},
		Doc: "The statements of a policy document, a mapping or JSON text, normalised: Sid, Effect, Principals, NotPrincipals, Actions, NotActions, Resources, NotResources are lists of text where IAM allows one text; " +
			"principals read \"*\" (also for {AWS: \"*\"}), \"AWS:arn:…\", \"Service:lambda.amazonaws.com\", \"Federated:…\"; Conditions is a list of {Operator, Key, Values}. An absent document has none; of one statement it is that one.",
		Examples: []string{`statements(resource.PolicyDocument).exists(s, s.Effect == "Allow" && "*" in s.Actions)`},
		whole:    true,
		overloads: []overload{{args: []*cel.Type{cel.DynType}, result: cel.ListType(statement),
			call: func(a ...ref.Val) ref.Val { return statementsOf(a[0]) }}},
	}, {
		Name: "allows", Group: "Policy documents",
		Signature: []string{"s.allows(action string) bool", "s.allows(actions list(string)) bool"},
		Doc:       "Whether an Allow statement grants the action, or one of the actions, wildcards and NotAction taken into account. \"s3:*\" asks for all of a service, \"*\" for everything. Case does not count.",
		Examples:  []string{`statements(resource.PolicyDocument).exists(s, s.allows("iam:PassRole"))`},
		whole:     true,
		overloads: slices.Concat(
			member(cel.BoolType, func(s *view, a []ref.Val) ref.Val { return and(s.effect("Allow"), s.actionGranted(a[0])) }, cel.StringType),
			member(cel.BoolType, func(s *view, a []ref.Val) ref.Val { return and(s.effect("Allow"), s.anyGranted(a[0])) }, cel.ListType(cel.StringType))),
	}, {
		Name: "granting", Group: "Policy documents",
		Signature: []string{"s.granting(actions list(string)) list(string)"},
		Doc:       "The texts of the statement's Action that certainly cover one of the actions, for messages. Case does not count.",
		Examples:  []string{`s.granting(["iam:PassRole", "iam:CreateUser"]).join(", ")`},
		whole:     true,
		overloads: member(cel.ListType(cel.StringType), func(s *view, a []ref.Val) ref.Val { return s.granting(a[0]) }, cel.ListType(cel.StringType)),
	}, {
		Name: "denies", Group: "Policy documents",
		Signature: []string{"s.denies(action string) bool"},
		Doc:       "Whether a Deny statement covers the action.",
		Examples:  []string{`s.denies("s3:PutObject")`},
		whole:     true,
		overloads: member(cel.BoolType, func(s *view, a []ref.Val) ref.Val { return and(s.effect("Deny"), s.actionGranted(a[0])) }, cel.StringType),
	}, {
		Name: "onResource", Group: "Policy documents",
		Signature: []string{"s.onResource(arn string) bool", "s.onResource(resource, suffix string) bool"},
		Doc: "Whether the statement's Resource covers every resource that the text, which may have wildcards, covers. NotResource is taken into account. \"*\" asks for everything, " +
			"which arn:* and arn:aws:*:*:*:* are too. With a resource of the template: whether Resource covers its ARN with the suffix, written out or by Ref, GetAtt, Sub or Join.",
		Examples: []string{`s.onResource("*")`, `s.onResource(resource, "/*")`},
		whole:    true,
		overloads: slices.Concat(
			member(cel.BoolType, func(s *view, a []ref.Val) ref.Val { return s.resourceCovered(a[0]) }, cel.StringType),
			member(cel.BoolType, func(s *view, a []ref.Val) ref.Val {
				suffix, ok := a[1].(types.String)
				if !ok {
					return undecided(a[1])
				}
				return s.onARN(a[0], string(suffix))
			}, cel.DynType, cel.StringType)),
	}, {
		Name: "anyResource", Group: "Policy documents",
		Signature: []string{"s.anyResource() bool"},
		Doc: "Whether the statement reaches resources without naming any: Resource \"*\", an ARN whose account and name are wildcards (arn:aws:iam::*:role/*, arn:aws:s3:::*), or NotResource. " +
			"Where it is IAM's, the account does not count, for it can only be one's own.",
		Examples:  []string{`statements(resource.PolicyDocument).exists(s, s.Effect == "Allow" && s.anyResource())`},
		whole:     true,
		overloads: member(cel.BoolType, func(s *view, _ []ref.Val) ref.Val { return s.anyResource() }),
	}, {
		Name: "allowsAnywhere", Group: "Policy documents",
		Signature: []string{"s.allowsAnywhere(action string) bool", "s.allowsAnywhere(actions list(string)) bool"},
		Doc: "Whether an Allow statement grants the action, or one of the actions, on resources that it does not name, as s.anyResource() says; " +
			"a Resource of another service than the action's grants nothing.",
		Examples: []string{`statements(resource.PolicyDocument).exists(s, s.allowsAnywhere("iam:PassRole"))`},
		whole:    true,
		overloads: slices.Concat(
			member(cel.BoolType, func(s *view, a []ref.Val) ref.Val { return and(s.effect("Allow"), s.anywhere(a[0])) }, cel.StringType),
			member(cel.BoolType, func(s *view, a []ref.Val) ref.Val { return and(s.effect("Allow"), s.anywhere(a[0])) }, cel.ListType(cel.StringType))),
	}, {
		Name: "wholeService", Group: "Policy documents",
		Signature: []string{"wholeService(action string) bool"},
		Doc:       "Whether the text of an Action takes in every action of a service: *, s3:*, s3*.",
		Examples:  []string{`wholeService("s3:*")`, `wholeService("*:*")`, `!wholeService("s3:Get*")`},
		overloads: []overload{{args: []*cel.Type{cel.StringType}, result: cel.BoolType, call: func(a ...ref.Val) ref.Val {
			return types.Bool(wholeService(string(a[0].(types.String))))
		}}},
	}, {
		Name: "writes", Group: "Policy documents",
		Signature: []string{"writes(action string) bool"},
		Doc:       "Whether the text of an Action takes in one that changes something, by its verb, on resources that can be named; adding to a log does not count.",
		Examples:  []string{`writes("s3:PutObject")`, `writes("*")`, `!writes("s3:Get*")`, `!writes("xray:PutTraceSegments")`},
		overloads: []overload{{args: []*cel.Type{cel.StringType}, result: cel.BoolType, call: func(a ...ref.Val) ref.Val {
			return types.Bool(writes(string(a[0].(types.String))))
		}}},
	}, {
		Name: "placeless", Group: "Policy documents",
		Signature: []string{"placeless(action string) bool"},
		Doc:       "Whether all that the text of an Action takes in knows no resources, or none that is known before, so that \"*\" is all that can stand in Resource.",
		Examples:  []string{`placeless("ec2:Describe*")`, `placeless("xray:PutTraceSegments")`, `!placeless("s3:GetObject")`},
		overloads: []overload{{args: []*cel.Type{cel.StringType}, result: cel.BoolType, call: func(a ...ref.Val) ref.Val {
			return types.Bool(placeless(string(a[0].(types.String))))
		}}},
	}, {
		Name: "anyPrincipal", Group: "Policy documents",
		Signature: []string{"s.anyPrincipal() bool"},
		Doc:       "Whether the statement is about everybody: a principal \"*\", an AWS principal \"*\", or NotPrincipal.",
		Examples:  []string{`statements(resource.PolicyDocument).exists(s, s.Effect == "Allow" && s.anyPrincipal() && !s.restricted())`},
		whole:     true,
		overloads: member(cel.BoolType, func(s *view, _ []ref.Val) ref.Val {
			if s.value.Get("NotPrincipals") != nil {
				return types.True
			}
			return anyOf(s.get("Principals"), func(p ref.Val) ref.Val { return equal(p, types.String("*")) })
		}),
	}, {
		Name: "restricted", Group: "Policy documents",
		Signature: []string{"s.restricted() bool"},
		Doc: "Whether a condition limits who may use the statement to an account, organisation, source ARN, VPC, endpoint, principal or address range. " +
			"Values that let everybody in (\"*\", 0.0.0.0/0), negated operators and …IfExists do not limit.",
		Examples:  []string{"s.restricted()"},
		whole:     true,
		overloads: member(cel.BoolType, func(s *view, _ []ref.Val) ref.Val { return s.restricted() }),
	}, {
		Name: "condition", Group: "Policy documents",
		Signature: []string{"s.condition(operator string, key string) list(string)"},
		Doc:       "The values of a condition, an empty list where there is none. Case does not count, neither in the operator nor in the key; a set prefix (ForAllValues:) and IfExists are part of the operator.",
		Examples:  []string{`"false" in s.condition("Bool", "aws:SecureTransport")`},
		whole:     true,
		overloads: member(cel.ListType(cel.StringType), func(s *view, a []ref.Val) ref.Val { return s.conditionValues(a[0], a[1]) }, cel.StringType, cel.StringType),
	}, {
		Name: "account", Group: "Policy documents",
		Signature: []string{"account(principal string) string"},
		Doc:       "The twelve digits of the account in an ARN or principal, \"\" where there is none.",
		Examples:  []string{`account("AWS:arn:aws:iam::123456789012:root") == "123456789012"`},
		overloads: []overload{{args: []*cel.Type{cel.StringType}, result: cel.StringType, call: func(a ...ref.Val) ref.Val {
			return types.String(accountOf(string(a[0].(types.String))))
		}}},
	}}
}

// granting are the actions of a statement that cover one of those asked for.
func (v *view) granting(asked ref.Val) ref.Val {
	list, ok := v.get("Actions").(traits.Lister)
	if !ok {
		return refList(nil)
	}
	out := refList{}
	n, _ := sizeOf(list)
	for i := range n {
		action := elementAt(list, i)
		covers := anyOf(asked, func(x ref.Val) ref.Val {
			text, ok := x.(types.String)
			if !ok {
				return types.False
			}
			return coversText(action, string(text), true)
		})
		if covers == types.True {
			out = append(out, action)
		}
	}
	return out
}

// anyGranted reports whether the statement's actions include one of those
// asked for. Lists of a hundred actions are asked for, so where all is plain
// text the elements are compared as they are.
func (v *view) anyGranted(asked ref.Val) ref.Val {
	have, plain := plainTexts(v.get("Actions"))
	if !plain || v.value.Get("NotActions") != nil {
		return anyOf(asked, v.actionGranted)
	}
	want, plain := plainTexts(asked)
	if !plain {
		return anyOf(asked, v.actionGranted)
	}
	for _, pattern := range have {
		for _, text := range want {
			if globFold(pattern, text) {
				return types.True
			}
		}
	}
	return types.False
}

// plainTexts are the elements of a list where all are plain text.
func plainTexts(list ref.Val) (texts []string, plain bool) {
	l, ok := list.(traits.Lister)
	if !ok {
		return nil, false
	}
	n, _ := sizeOf(l)
	texts = make([]string, 0, n)
	for i := range n {
		text, ok := elementAt(l, i).(types.String)
		if !ok {
			return nil, false
		}
		texts = append(texts, string(text))
	}
	return texts, true
}

func (v *view) actionGranted(action ref.Val) ref.Val {
	text, ok := action.(types.String)
	if !ok {
		return undecided(action)
	}
	return v.grants(string(text))
}

// undecided is the Unknown of an operand that would have to be plain text.
func undecided(v ref.Val) ref.Val {
	if s, ok := v.(*symbolic); ok {
		return s.unknown()
	}
	return types.MaybeNoSuchOverloadErr(v)
}

func (v *view) resourceCovered(arn ref.Val) ref.Val {
	text, ok := arn.(types.String)
	if !ok {
		return undecided(arn)
	}
	asked := string(text)
	covers := func(p ref.Val) ref.Val { return coversText(p, asked, false) }
	if asked == "*" {
		asked, covers = "arn:*", func(p ref.Val) ref.Val { return reaches(p, reachAll) }
	}
	return v.orNot(anyOf(v.get("Resources"), covers), "NotResources", asked, false)
}

// limitingKeys are the condition keys that say who may come, in lower case.
// Keys that a caller may choose freely (aws:UserAgent, aws:Referer) are not.
var limitingKeys = map[string]bool{
	"aws:sourcearn": true, "aws:sourceaccount": true, "aws:sourceowner": true, "aws:sourceorgid": true, "aws:sourceorgpaths": true,
	"aws:sourcevpc": true, "aws:sourcevpce": true, "aws:sourceip": true, "aws:vpcsourceip": true, "aws:vpceaccount": true, "aws:vpceorgid": true,
	"aws:principalorgid": true, "aws:principalorgpaths": true, "aws:principalaccount": true, "aws:principalarn": true, "aws:principalservicename": true,
	"aws:userid": true, "aws:username": true, "kms:calleraccount": true, "kms:viaservice": true, "s3:dataaccesspointaccount": true,
	"s3:dataaccesspointarn": true, "elasticfilesystem:accesspointarn": true, "lambda:functionurlauthtype": true, "iot:certificate.subject.commonname": false,
	"sns:endpoint": false, "aws:federatedprovider": true, "cognito-identity.amazonaws.com:aud": true,
}

func (v *view) restricted() ref.Val {
	return anyOf(v.get("Conditions"), func(c ref.Val) ref.Val {
		condition, ok := c.(*view)
		if !ok {
			return types.MaybeNoSuchOverloadErr(c)
		}
		operator, _ := condition.get("Operator").(types.String)
		key, _ := condition.get("Key").(types.String)
		op := strings.ToLower(string(operator))
		op = strings.TrimPrefix(op, "foranyvalue:")
		limits := limitingKeys[strings.ToLower(string(key))] || strings.HasSuffix(string(key), ":aud") || strings.HasSuffix(string(key), ":sub")
		if !limits || strings.Contains(op, "not") || strings.HasSuffix(op, "ifexists") || strings.HasPrefix(op, "forallvalues:") || op == "null" {
			return types.False
		}
		wide := anyOf(condition.get("Values"), func(x ref.Val) ref.Val {
			if strings.HasSuffix(strings.ToLower(string(key)), "sourceip") {
				return worldCIDR(x)
			}
			return anyText([]string{"*", "arn:aws:*", "arn:*", "arn:aws:iam::*:root"}, func(t string) ref.Val { return equal(x, types.String(t)) })
		})
		return not(wide)
	})
}

func (v *view) conditionValues(operator, key ref.Val) ref.Val {
	op, isText := operator.(types.String)
	k, isText2 := key.(types.String)
	if !isText || !isText2 {
		return undecided(operator)
	}
	list := v.value.Get("Conditions")
	if list.IsKind(cfn.Unknown) {
		return unknownOf(list.Unknown.Needs)
	}
	out := refList{}
	var unknown *types.Unknown
	l, ok := v.get("Conditions").(traits.Lister)
	if !ok {
		return v.get("Conditions")
	}
	for _, x := range elements(l) {
		c, ok := x.(*view)
		if !ok {
			if u, isUnknown := x.(*types.Unknown); isUnknown {
				unknown = types.MergeUnknowns(unknown, u)
			}
			continue
		}
		has, _ := c.get("Operator").(types.String)
		hasKey, _ := c.get("Key").(types.String)
		if !strings.EqualFold(string(has), string(op)) || !strings.EqualFold(string(hasKey), string(k)) {
			continue
		}
		values := c.get("Values")
		lister, ok := values.(traits.Lister)
		if !ok {
			return values
		}
		out = append(out, elements(lister)...)
	}
	if unknown != nil {
		out = append(out, markUnsure(unknown)) // it may be this condition, with any values
	}
	return out
}

// accountOf finds the account of an ARN or of a bare account id.
func accountOf(principal string) string {
	s := strings.TrimPrefix(principal, "AWS:")
	if i := strings.Index(s, "arn:"); i >= 0 {
		if parts := strings.SplitN(s[i:], ":", 6); len(parts) == 6 {
			s = parts[4]
		}
	}
	if len(s) != 12 || strings.Trim(s, "0123456789") != "" {
		return ""
	}
	return s
}
