package cfn

import "strings"

// Pseudo parameters that a template may refer to.
const (
	pseudoAccountID        = "AWS::AccountId"
	pseudoNotificationARNs = "AWS::NotificationARNs"
	pseudoNoValue          = "AWS::NoValue"
	pseudoPartition        = "AWS::Partition"
	pseudoRegion           = "AWS::Region"
	pseudoStackID          = "AWS::StackId"
	pseudoStackName        = "AWS::StackName"
	pseudoURLSuffix        = "AWS::URLSuffix"
)

// pseudo resolves a pseudo parameter, ok false where there is none of that name.
// AWS::NoValue gives nil.
func (r *resolver) pseudo(name string, pos Pos) (v *Value, ok bool) {
	switch name {
	case pseudoNoValue:
		return nil, true
	case pseudoRegion, pseudoAccountID, pseudoStackName:
		if i, explored := r.variableOf[name]; explored {
			return r.chosen(r.choiceOf(i), pos, Origin{Pos: pos, Function: "Ref"}), true
		}
		if text := r.givenPseudo(name); text != "" {
			return literalAt(text, pos), true
		}
		return r.pseudoUnknown(name, pos), true
	case pseudoPartition:
		return literalAt(r.partition(), pos), true
	case pseudoURLSuffix:
		if r.partition() == "aws-cn" {
			return literalAt("amazonaws.com.cn", pos), true
		}
		return literalAt("amazonaws.com", pos), true
	case pseudoStackID:
		b := r.text()
		b.literal("arn:" + r.partition() + ":cloudformation:")
		for i, part := range [...]string{pseudoRegion, pseudoAccountID, pseudoStackName} {
			b.literal([...]string{"", ":", ":stack/"}[i])
			p, _ := r.pseudo(part, pos)
			b.add(p)
		}
		b.literal("/")
		b.gap(Piece{Gap: true, NonEmpty: true})
		b.needs = []string{pseudoStackID}
		return b.value(pos, "Ref"), true
	case pseudoNotificationARNs:
		return newUnknown(pos, pseudoNotificationARNs), true
	}
	return nil, false
}

// pseudoUnknown is the value of a pseudo parameter that is not given. All such
// values share what is known of them.
func (r *resolver) pseudoUnknown(name string, pos Pos) *Value {
	why := r.pseudos[name]
	if why == nil {
		why = unknownText(name, true)
		r.pseudos[name] = why
	}
	v := r.store.value(Unknown, pos)
	v.Unknown = why
	return v
}

// givenPseudo is the value that the inputs give, "" for none.
func (r *resolver) givenPseudo(name string) string {
	switch name {
	case pseudoRegion:
		return r.in.Region
	case pseudoAccountID:
		return r.in.Account
	case pseudoStackName:
		return r.in.Stack
	}
	return ""
}

// partition is the partition of the region in this world; "aws" where no region says otherwise.
func (r *resolver) partition() string {
	region := r.in.Region
	if i, explored := r.variableOf[pseudoRegion]; explored {
		region = r.choiceOf(i).text
	}
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// literalAt makes a known string at a place.
func literalAt(text string, pos Pos) *Value { return &Value{Kind: String, Pos: pos, Text: text} }
