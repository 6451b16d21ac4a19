package checkchange

import (
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Config says what the function works with on AWS.
type Config struct {
	Bucket  string // of plans
	Ledger  string // table of the ledger
	Changes string // table in which a stop of all changes stands
	Bundle  string // key of the organisation's policy and rules; "": the built-in rules and no policy
}

// ConfigFromEnv reads the configuration from the environment.
func ConfigFromEnv(lookup func(string) (string, bool)) (Config, error) {
	var c Config
	err := tasks.Environment(lookup,
		tasks.Variable{Name: catalog.BucketVar, Value: &c.Bucket, Meaning: tasks.BucketMeaning},
		tasks.Variable{Name: catalog.ChangesVar, Value: &c.Changes, Meaning: "the name of the table of changes"},
		tasks.Variable{Name: catalog.LedgerVar, Value: &c.Ledger, Meaning: "the name of the table of the ledger"},
		tasks.Variable{Name: catalog.BundleVar, Value: &c.Bundle, Meaning: tasks.BundleMeaning, Optional: true},
	)
	return c, err
}
