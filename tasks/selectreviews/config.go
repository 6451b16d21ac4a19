package selectreviews

import (
	"plumbline/tasks"
	"plumbline/tasks/catalog"
)

// Config says what the function works with on AWS.
type Config struct {
	Bucket string // of what states hand on
	Bundle string // key of the organisation's policy and rules; "": the built-in rules and no policy
	Review string // ARN of the state machine review-violation; "": there is none, and nothing is selected
}

// ConfigFromEnv reads the configuration from the environment.
func ConfigFromEnv(lookup func(string) (string, bool)) (Config, error) {
	var c Config
	err := tasks.Environment(lookup,
		tasks.Variable{Name: catalog.BucketVar, Value: &c.Bucket, Meaning: tasks.BucketMeaning},
		tasks.Variable{Name: catalog.BundleVar, Value: &c.Bundle, Meaning: tasks.BundleMeaning, Optional: true},
		tasks.Variable{Name: catalog.ReviewVar, Value: &c.Review, Meaning: "the ARN of the state machine review-violation", Optional: true},
	)
	return c, err
}
