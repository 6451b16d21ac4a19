package sweepapprovals

import (
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Config says what the function works with on AWS.
type Config struct {
	Bucket   string // of plans
	Changes  string // table of leases and requests
	Ledger   string // table of the ledger
	Critical string // ARN of the topic of critical violations
	Warning  string // ARN of the topic of all other messages
	Inbox    string // where people find what waits; "": the command that lists it
}

// ConfigFromEnv reads the configuration from the environment.
func ConfigFromEnv(lookup func(string) (string, bool)) (Config, error) {
	var c Config
	err := tasks.Environment(lookup,
		tasks.Variable{Name: catalog.BucketVar, Value: &c.Bucket, Meaning: tasks.BucketMeaning},
		tasks.Variable{Name: catalog.ChangesVar, Value: &c.Changes, Meaning: "the name of the table of changes"},
		tasks.Variable{Name: catalog.LedgerVar, Value: &c.Ledger, Meaning: "the name of the table of the ledger"},
		tasks.Variable{Name: catalog.CriticalVar, Value: &c.Critical, Meaning: "the ARN of the topic of critical violations"},
		tasks.Variable{Name: catalog.WarningVar, Value: &c.Warning, Meaning: "the ARN of the topic of all other messages"},
		tasks.Variable{Name: catalog.InboxVar, Value: &c.Inbox, Optional: true},
	)
	return c, err
}
