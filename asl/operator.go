package asl

import "strings"

// isOperator reports whether the name is one of the comparison operators of a
// Choice rule.
func isOperator(name string) bool {
	_, ok := operandKind(name)
	return ok
}

// operators are the comparison operators, each once.
func operators() []string {
	var out []string
	for _, typ := range []string{"String", "Numeric", "Timestamp"} {
		for _, cmp := range []string{"Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals"} {
			out = append(out, typ+cmp, typ+cmp+"Path")
		}
	}
	return append(out, "StringMatches", "BooleanEquals", "BooleanEqualsPath",
		"IsNull", "IsPresent", "IsNumeric", "IsString", "IsBoolean", "IsTimestamp")
}

// operandKind is the JSON type that the operator's value must have. A
// comparison with a path takes the path, which is a string.
func operandKind(name string) (kind, bool) {
	if strings.HasPrefix(name, "Is") {
		switch name {
		case "IsNull", "IsPresent", "IsNumeric", "IsString", "IsBoolean", "IsTimestamp":
			return kindBool, true
		}
		return 0, false
	}
	base, path := strings.CutSuffix(name, "Path")
	var k kind
	switch base {
	case "StringEquals", "StringLessThan", "StringGreaterThan", "StringLessThanEquals", "StringGreaterThanEquals",
		"TimestampEquals", "TimestampLessThan", "TimestampGreaterThan", "TimestampLessThanEquals", "TimestampGreaterThanEquals":
		k = kindString
	case "StringMatches":
		return kindString, !path
	case "NumericEquals", "NumericLessThan", "NumericGreaterThan", "NumericLessThanEquals", "NumericGreaterThanEquals":
		k = kindNumber
	case "BooleanEquals":
		k = kindBool
	default:
		return 0, false
	}
	if path {
		k = kindString
	}
	return k, true
}
