package approvalpage

import (
	"plumbline/approval/identity"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Config says what the function works with on AWS.
type Config struct {
	Bucket  string // of plans
	Changes string // table of requests and sessions
	Ledger  string // table of the ledger
	Want    identity.Expected
}

// ConfigFromEnv reads the configuration from the environment.
func ConfigFromEnv(lookup func(string) (string, bool)) (Config, error) {
	var c Config
	err := tasks.Environment(lookup,
		tasks.Variable{Name: catalog.BucketVar, Value: &c.Bucket, Meaning: tasks.BucketMeaning},
		tasks.Variable{Name: catalog.ChangesVar, Value: &c.Changes, Meaning: "the name of the table of changes"},
		tasks.Variable{Name: catalog.LedgerVar, Value: &c.Ledger, Meaning: "the name of the table of the ledger"},
		tasks.Variable{Name: catalog.IssuerVar, Value: &c.Want.Issuer, Meaning: tasks.IssuerMeaning},
		tasks.Variable{Name: catalog.ClientVar, Value: &c.Want.ClientID, Meaning: tasks.ClientMeaning},
		tasks.Variable{Name: catalog.NameClaimVar, Value: &c.Want.NameClaim, Optional: true},
		tasks.Variable{Name: catalog.GroupsClaimVar, Value: &c.Want.GroupsClaim, Optional: true},
	)
	return c, err
}
