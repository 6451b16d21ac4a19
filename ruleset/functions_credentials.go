package ruleset

import (
	"regexp"
	"strings"
	"sync"
	"unicode"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// What user data and variables are searched for is looked for by hand: scripts
// are long, and an expression of alternatives visits each of their characters
// several times.

func credentialFunctions() []Function {
	asks := func(name, doc string, ask func(string) bool, examples ...string) Function {
		return Function{
			Name: name, Group: "Text", Signature: []string{name + "(text string) bool"}, Doc: doc, Examples: examples,
			overloads: []overload{{args: []*cel.Type{cel.StringType}, result: cel.BoolType, call: func(a ...ref.Val) ref.Val {
				return types.Bool(ask(string(a[0].(types.String))))
			}}},
		}
	}
	return []Function{
		asks("holdsKey", "Whether a key stands in the text: an access key's id (AKIA…, ASIA…), a private key in PEM, plain or in base64, or the forty characters of a secret key after its name.",
			holdsKey, `!holdsKey(written(resource.UserData))`),
		asks("assignsSecret", "Whether the text gives a variable that is named as a credential (PASSWORD=…, api_key=…) a value of eight characters or more that is no variable itself.",
			assignsSecret, `assignsSecret("export DB_PASSWORD=correcthorse")`, `!assignsSecret("DB_PASSWORD=$(fetch)")`),
	}
}

// secretKey is what stands at the word secret where a secret access key is given.
var secretKey = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?i:secret_?(access_?)?key)['"]?\s*[=:]\s*['"]?[A-Za-z0-9/+]{40}([^A-Za-z0-9/+]|$)`)
})

func holdsKey(text string) bool {
	return holdsAccessKey(text, "AKIA") || holdsAccessKey(text, "ASIA") || holdsPrivateKey(text) || holdsSecretKey(text)
}

// holdsAccessKey finds a prefix and sixteen capitals or digits, on their own.
func holdsAccessKey(text, prefix string) bool {
	const length = 20
	capital := func(i int) bool {
		return i >= 0 && i < len(text) && (text[i] >= 'A' && text[i] <= 'Z' || text[i] >= '0' && text[i] <= '9')
	}
	for from := 0; ; {
		i := strings.Index(text[from:], prefix)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(prefix)
		for capital(end) {
			end++
		}
		if end-i == length && !capital(i-1) {
			return true
		}
		from = i + 1
	}
}

func holdsPrivateKey(text string) bool {
	if strings.Contains(text, "LS0tLS1CRUdJTi") { // -----BEGIN in base64
		return true
	}
	for {
		_, rest, found := strings.Cut(text, "-----BEGIN ")
		if !found {
			return false
		}
		end := strings.IndexFunc(rest, func(r rune) bool { return r != ' ' && (r < 'A' || r > 'Z') })
		if end < 0 {
			end = len(rest)
		}
		if strings.Contains(rest[:end], "PRIVATE KEY") {
			return true
		}
		text = rest
	}
}

func holdsSecretKey(text string) bool {
	const word = "secret"
	for i := 0; i+len(word) <= len(text); i++ {
		if text[i]|0x20 == 's' && strings.EqualFold(text[i:i+len(word)], word) && secretKey().MatchString(text[i:]) {
			return true
		}
	}
	return false
}

// secretVariables end the names of variables that hold credentials, in lower case.
var secretVariables = []string{"password", "passwd", "secret", "secretkey", "secret_key", "secret_access_key", "apikey", "api_key", "token"}

func assignsSecret(text string) bool {
	const longest = len("secret_access_key")
	for from := 0; ; {
		i := strings.IndexByte(text[from:], '=')
		if i < 0 {
			return false
		}
		i += from
		from = i + 1
		name := strings.ToLower(text[max(0, i-longest):i])
		for _, v := range secretVariables {
			if strings.HasSuffix(name, v) && literalValue(text[i+1:]) {
				return true
			}
		}
	}
}

// literalValue reports whether a text begins with eight characters or more, in
// quotes or not, that a shell takes as they are, and that end as a word does.
func literalValue(text string) bool {
	if text != "" && (text[0] == '\'' || text[0] == '"') {
		text = text[1:]
	}
	n := 0
	for _, r := range text {
		if unicode.IsSpace(r) || strings.ContainsRune("'\";&|", r) {
			return n >= 8
		}
		if strings.ContainsRune("$<>{}()`…%*", r) {
			return false
		}
		n++
	}
	return n >= 8
}
