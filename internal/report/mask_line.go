package report

import "strings"

// secretNames are what a name holds, in lower case and without "-" and "_", of
// which nobody should read the value in a report.
var secretNames = []string{"password", "passwd", "passphrase", "secret", "token", "credential", "privatekey", "apikey", "accesskey"}

// namesSecret reports whether a name holds one of secretNames. It runs over
// every line of a template, so it makes no copy of the name.
func namesSecret(name string) bool {
	for i := range len(name) {
		switch name[i] | 0x20 {
		case 'p', 's', 't', 'c', 'a':
			for _, word := range secretNames {
				if startsLike(name[i:], word) {
					return true
				}
			}
		}
	}
	return false
}

// startsLike reports whether a text begins with a word, whatever its case, with "-" and "_" passed over.
func startsLike(text, word string) bool {
	n := 0
	for i := 0; i < len(text) && n < len(word); i++ {
		switch c := text[i]; {
		case c == '-' || c == '_':
			if n == 0 {
				return false
			}
		case c|0x20 == word[n]:
			n++
		default:
			return false
		}
	}
	return n == len(word)
}

// maskKeys masks the value of a line "Key: value" or of an entry of a map in
// one line, where the key names a secret and the value is written out; and in
// {Name: DB_PASSWORD, Value: hunter2} the value beside such a name.
func maskKeys(line string) string {
	if strings.IndexByte(line, ':') < 0 {
		return line
	}
	var b strings.Builder
	rest := line
	named := false // an entry of this line names a secret
	for pass := range 2 {
		b.Reset()
		rest = line
		pairs := named
		for {
			i := strings.IndexByte(rest, ':')
			if i < 0 {
				b.WriteString(rest)
				break
			}
			key := strings.Trim(rest[strings.LastIndexAny(rest[:i], "{,")+1:i], "\"' -\t")
			b.WriteString(rest[:i+1])
			rest = rest[i+1:]
			value := strings.TrimLeft(rest, " \t")
			if strings.HasPrefix(value, "{") && !strings.HasPrefix(value, "{{") {
				continue // a map in one line: its keys are looked at
			}
			b.WriteString(rest[:len(rest)-len(value)])
			end := endOfScalar(value)
			switch text := value[:end]; {
			case (namesSecret(key) || pairs && isOne(key, "Value", "ParameterValue")) && writtenOut(text):
				b.WriteString(masked)
			default:
				named = named || isOne(key, "Name", "Key", "ParameterKey") && namesSecret(text)
				b.WriteString(text)
			}
			rest = value[end:]
		}
		if pass == 0 && !named {
			break
		}
	}
	return b.String()
}

// endOfScalar is the length of the scalar that a text begins with: a quoted one
// with its quotes, else up to a comma or brace, or to the end.
func endOfScalar(text string) int {
	if text != "" && (text[0] == '"' || text[0] == '\'') {
		for i := 1; i < len(text); i++ {
			switch {
			case text[i] == '\\' && text[0] == '"':
				i++
			case text[i] == text[0]:
				return i + 1
			}
		}
		return len(text)
	}
	for i := range len(text) {
		if (text[i] == ',' || text[i] == '}') && !strings.HasPrefix(text, "{{") {
			return i
		}
	}
	return len(text)
}

// writtenOut reports whether a value is the secret itself, and no reference,
// name of a resource, number or switch.
func writtenOut(value string) bool {
	value = strings.Trim(value, "\"', \t\r")
	switch {
	case value == "", strings.ContainsRune("!{[|>&*#", rune(value[0])), strings.HasPrefix(value, "arn:"), strings.HasPrefix(value, "AWS::"),
		strings.Trim(value, "0123456789.") == "", value == "true", value == "false":
		return false
	}
	return true
}

// prefixes begin tokens whose issuer marks them so that they are found where
// they should not be. Sources: the pages of GitHub, GitLab, Slack, Stripe,
// Google, npm and AWS on the forms of their tokens.
var prefixes = []string{
	"AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-",
	"xoxb-", "xoxp-", "xoxa-", "xoxs-", "sk_live_", "rk_live_", "sk-", "AIza", "npm_", "eyJ",
}

// shortestToken is what stands behind such a prefix at least.
const shortestToken = 12

// secretKeyLength is the length of an AWS secret access key, which has no prefix.
const secretKeyLength = 40

// maskForms masks what is a secret by its form wherever it stands in a line:
// tokens with a known prefix, secret access keys, the password of a URL, and in
// scripts NAME=value and --name value where the name is that of a secret.
func maskForms(line string) string {
	var b strings.Builder
	done := 0
	hide := func(from, to int) {
		if from >= done && to > from {
			b.WriteString(line[done:from])
			b.WriteString(masked)
			done = to
		}
	}
	for i := 0; i < len(line); {
		if !tokenByte(line[i]) {
			i++
			continue
		}
		end := i
		for end < len(line) && tokenByte(line[end]) {
			end++
		}
		word := line[i:end]
		switch {
		case isToken(word):
			hide(i, end)
		case strings.HasPrefix(line[end:], "://"):
			if at, to := userinfo(line[end+3:]); to > 0 {
				hide(end+3+at, end+3+to)
				end += 3 + to
			}
		case end < len(line) && line[end] == '=' || strings.HasPrefix(word, "--"):
			if from, to := assigned(line, end); namesSecret(word) && writtenOut(line[from:to]) && line[from] != '$' && (line[end] == '=' || line[from] != '-') {
				hide(from, to)
				end = max(end, to)
			}
		case word == "Bearer" || word == "Basic":
			if from, to := assigned(line, end); to-from >= shortestToken && line[from] != '$' {
				hide(from, to)
				end = max(end, to)
			}
		}
		i = end
	}
	if done == 0 {
		return line
	}
	return b.String() + line[done:]
}

// assigned is where the word behind a name and "=" or a blank begins and ends.
func assigned(line string, at int) (from, to int) {
	if at >= len(line) || line[at] != '=' && line[at] != ' ' {
		return at, at
	}
	from = at + 1
	for from < len(line) && (line[from] == '"' || line[from] == '\'' || line[from] == '\\') {
		from++
	}
	quoted := from > at+1
	for to = from; to < len(line); to++ {
		if c := line[to]; c == '"' || c == '\'' || c == '\\' || !quoted && strings.IndexByte(" \t;,&|)}]", c) >= 0 {
			break
		}
	}
	return from, to
}

// userinfo is where the password of a URL stands behind its scheme, 0, 0 for none.
func userinfo(rest string) (from, to int) {
	at := strings.IndexAny(rest, "@/ \"'")
	if at < 0 || rest[at] != '@' {
		return 0, 0
	}
	colon := strings.IndexByte(rest[:at], ':')
	if colon < 0 || strings.HasPrefix(rest[colon+1:], "$") {
		return 0, 0
	}
	return colon + 1, at
}

func tokenByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '+' || c == '/' || c == '.'
}

// isToken reports whether a word has the form of a token or a secret access key.
func isToken(word string) bool {
	if len(word) < shortestToken+2 {
		return false
	}
	for _, p := range prefixes {
		if strings.HasPrefix(word, p) && len(word) >= len(p)+shortestToken && strings.ContainsAny(word, "0123456789") {
			return true
		}
	}
	if len(word) != secretKeyLength {
		return false
	}
	// A random key changes between small, capital and digit at about every second
	// character; a name made of words seldom does.
	changes, digits, capitals := 0, 0, 0
	last := byte(0)
	for i := range len(word) {
		kind := byte('a')
		switch c := word[i]; {
		case c >= '0' && c <= '9':
			kind = '0'
			digits++
		case c >= 'A' && c <= 'Z':
			kind = 'A'
			capitals++
		case c == '.' || c == '_' || c == '-':
			return false
		}
		if i > 0 && kind != last {
			changes++
		}
		last = kind
	}
	return capitals >= 4 && digits >= 1 && (changes >= 16 || changes >= 12 && strings.ContainsAny(word, "/+"))
}
