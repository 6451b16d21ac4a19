package anchorledger

import (
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Config says what the function works with on AWS.
type Config struct {
	Ledger   string // table of the ledger
	Anchors  string // bucket whose objects are locked
	Critical string // ARN of the topic of critical violations
	Warning  string // ARN of the topic of all other messages
}

// ConfigFromEnv reads the configuration from the environment.
func ConfigFromEnv(lookup func(string) (string, bool)) (Config, error) {
	var c Config
	err := tasks.Environment(lookup,
		tasks.Variable{Name: catalog.LedgerVar, Value: &c.Ledger, Meaning: "the name of the table of the ledger"},
		tasks.Variable{Name: catalog.AnchorVar, Value: &c.Anchors, Meaning: "the name of the bucket that the ledger's head is anchored in"},
		tasks.Variable{Name: catalog.CriticalVar, Value: &c.Critical, Meaning: "the ARN of the topic of critical violations"},
		tasks.Variable{Name: catalog.WarningVar, Value: &c.Warning, Meaning: "the ARN of the topic of all other messages"},
	)
	return c, err
}
