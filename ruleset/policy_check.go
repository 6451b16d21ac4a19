package ruleset

import (
	"fmt"
	"net/url"
	"regexp/syntax"
	"slices"
	"strings"
	"time"
	"unicode"

	"plumbline/cfn/schema"
	"plumbline/finding"
	"plumbline/internal/nearest"
)

// dateLayout is how the policy file and metadata write days.
const dateLayout = "2006-01-02"

// textChecks are the validations that a struct tag check may name for a text.
// Each returns "" or what is wrong and what is allowed. jsonPattern is the
// same thing as far as JSON Schema can say it.
var textChecks = []struct {
	name        string
	jsonPattern string
	problem     func(text string) string
}{
	{"region", `^[a-z*?]{2,}[a-z0-9*?-]*$`, regionProblem},
	{"account", `^[0-9]{12}$`, accountProblem},
	{"type", `^[A-Za-z0-9*?]+(::[A-Za-z0-9*?]+)*$`, typeProblem},
	{"regexp", "", regexpProblem},
	{"date", `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`, dateProblem},
	{"severity", "", severityProblem},
	{"scope", "", scopeProblem},
	{"mode", "", modeProblem},
	{"verdict", "", verdictProblem},
	{"reason", `\p{L}`, reasonProblem},
	{"web", `^https?://`, webProblem},
}

// numberChecks are the ranges that a struct tag check may name for a number.
var numberChecks = []struct {
	name     string
	from, to int
}{
	{"port", 0, 65535},
	{"days", 1, 36500},
	{"count", 1, 1000},
	{"hours", 1, 8760},
}

func checkText(check, text string) string {
	if check == "" {
		return ""
	}
	for i := range textChecks {
		if textChecks[i].name == check {
			return textChecks[i].problem(text)
		}
	}
	return ""
}

func checkNumber(check string, n int) string {
	for _, c := range numberChecks {
		if c.name == check && (n < c.from || n > c.to) {
			return fmt.Sprintf("want %d to %d, got %d", c.from, c.to, n)
		}
	}
	return ""
}

func accountProblem(text string) string {
	if len(text) != 12 || strings.Trim(text, "0123456789") != "" {
		return fmt.Sprintf("want an account id of 12 digits, got %q", text)
	}
	return ""
}

// typeProblem refuses a type that AWS's schemas do not know, and a glob that
// matches none of AWS's. A private type is left alone unless a known one is near.
func typeProblem(text string) string {
	if isGlob(text) {
		if strings.HasPrefix(text, "AWS::") && !matchesType(text) {
			return fmt.Sprintf("no resource type matches %q", text)
		}
		return ""
	}
	if parts := strings.Split(text, "::"); len(parts) < 2 || len(parts) > 4 || strings.ContainsAny(text, " /") {
		return fmt.Sprintf("want a resource type such as AWS::S3::Bucket or a glob such as AWS::S3::*, got %q", text)
	}
	if schema.Known(text) {
		return ""
	}
	if near := schema.Nearest(text); near != "" {
		return fmt.Sprintf("no resource type %q is known. did you mean %q?", text, near)
	}
	if strings.HasPrefix(text, "AWS::") {
		return fmt.Sprintf("no resource type %q is known", text)
	}
	return ""
}

// emptyReasons are words that stand where a reason is asked and give none.
var emptyReasons = []string{"true", "false", "yes", "no", "on", "off", "none", "null", "todo", "tbd", "fixme", "reason", "n/a", "na", "xxx"}

// reasonProblem asks for words: what an auditor reads must say why.
func reasonProblem(text string) string {
	if strings.TrimSpace(text) == "" {
		return "" // a key that must be there is asked for elsewhere
	}
	if !strings.ContainsFunc(text, unicode.IsLetter) || slices.Contains(emptyReasons, strings.ToLower(strings.TrimSpace(text))) {
		return fmt.Sprintf("want the reason in words, got %q", text)
	}
	return ""
}

// matchesType reports whether AWS has a resource type that the glob matches.
func matchesType(glob string) bool {
	for t := range schema.Types() {
		if Glob(glob, t) {
			return true
		}
	}
	return false
}

func regexpProblem(text string) string {
	if _, err := syntax.Parse(text, syntax.Perl); err != nil {
		return fmt.Sprintf("not a regular expression (RE2): %v", err)
	}
	return ""
}

func dateProblem(text string) string {
	if _, err := time.Parse(dateLayout, text); err != nil {
		return fmt.Sprintf("want a date as YYYY-MM-DD, got %q", text)
	}
	return ""
}

func severityProblem(text string) string {
	names := make([]string, len(finding.Severities))
	for i, s := range finding.Severities {
		names[i] = string(s)
	}
	return notIn(text, names)
}

func verdictProblem(text string) string {
	names := make([]string, len(finding.Verdicts))
	for i, v := range finding.Verdicts {
		names[i] = string(v)
	}
	return notIn(text, names)
}

func scopeProblem(text string) string {
	names := make([]string, len(Scopes))
	for i, s := range Scopes {
		names[i] = string(s)
	}
	return notIn(text, names)
}

// notIn is "" where text is one of names, else what is allowed.
func notIn(text string, names []string) string {
	for _, n := range names {
		if n == text {
			return ""
		}
	}
	if near := nearest.Of(text, names); near != "" {
		return fmt.Sprintf("%q is not known. did you mean %q?", text, near)
	}
	return fmt.Sprintf("%q is not known. want one of %s", text, strings.Join(names, ", "))
}

func webProblem(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Sprintf("%q is no address of the web. write one like https://git.example.com/plumbline/docs/rules", text)
	}
	return ""
}
