package tasks

import (
	"errors"
	"fmt"
)

// Variable is one variable of a function's environment and where its value goes.
type Variable struct {
	Name     string
	Value    *string
	Meaning  string // what to give: "the bucket's name"
	Optional bool   // may be unset or empty
}

// Environment reads variables by lookup, which is os.LookupEnv in a function,
// and reports all that are missing together, in their order. One that is set
// to nothing is missing.
func Environment(lookup func(string) (string, bool), vars ...Variable) error {
	var missing []error
	for _, v := range vars {
		text, _ := lookup(v.Name)
		if text == "" && !v.Optional {
			missing = append(missing, fmt.Errorf("environment variable %s is not set. give %s", v.Name, v.Meaning))
		}
		*v.Value = text
	}
	return errors.Join(missing...)
}

// What variables of several functions mean.
const (
	BucketMeaning   = "the name of the bucket of reports and of what states hand on"
	FindingsMeaning = "the name of the findings table"
	IssuerMeaning   = "the https address of the organisation's OpenID Connect issuer"
	ClientMeaning   = "the client id that the issuer knows the approval page by"
	BundleMeaning   = "the key of a zip with the organisation's plumbline.yaml and rules/ in the bucket"
)
