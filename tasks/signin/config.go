package signin

import (
	"plumbline/approval/identity"
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Config says what the function works with on AWS.
type Config struct {
	Sessions string // table that sessions are kept in
	Site     string // address of the approval page as browsers know it
	Want     identity.Expected
}

// ConfigFromEnv reads the configuration from the environment.
func ConfigFromEnv(lookup func(string) (string, bool)) (Config, error) {
	var c Config
	err := tasks.Environment(lookup,
		tasks.Variable{Name: catalog.SessionsVar, Value: &c.Sessions, Meaning: "the name of the table that sessions are kept in"},
		tasks.Variable{Name: catalog.SiteVar, Value: &c.Site, Meaning: "the https address of the approval page, without a slash at its end"},
		tasks.Variable{Name: catalog.IssuerVar, Value: &c.Want.Issuer, Meaning: tasks.IssuerMeaning},
		tasks.Variable{Name: catalog.ClientVar, Value: &c.Want.ClientID, Meaning: tasks.ClientMeaning},
		tasks.Variable{Name: catalog.NameClaimVar, Value: &c.Want.NameClaim, Optional: true},
		tasks.Variable{Name: catalog.GroupsClaimVar, Value: &c.Want.GroupsClaim, Optional: true},
	)
	return c, err
}
