package releaseleases

import (
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Config says what the function works with on AWS.
type Config struct {
	Bucket  string // of plans
	Changes string // table of leases and requests
}

// ConfigFromEnv reads the configuration from the environment.
func ConfigFromEnv(lookup func(string) (string, bool)) (Config, error) {
	var c Config
	err := tasks.Environment(lookup,
		tasks.Variable{Name: catalog.BucketVar, Value: &c.Bucket, Meaning: tasks.BucketMeaning},
		tasks.Variable{Name: catalog.ChangesVar, Value: &c.Changes, Meaning: "the name of the table of changes"},
	)
	return c, err
}
