// Package environment configures AWS's SDK from what Lambda sets in a
// function's environment: region, credentials, and endpoints other than AWS's.
// The SDK's own configuration also looks for files, single sign-on and the
// metadata of machines, which no function has: half a megabyte of every zip and
// some milliseconds of every start.
package environment

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// Config reads the configuration by lookup, which is os.LookupEnv. Lambda gives
// a process credentials for longer than it lets it live. The error names what
// is missing.
func Config(lookup func(string) (string, bool)) (aws.Config, error) {
	get := func(name string) string {
		v, _ := lookup(name)
		return v
	}
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		if get(name) == "" {
			return aws.Config{}, fmt.Errorf("environment variable %s is not set. Lambda sets it; set it to run a function elsewhere", name)
		}
	}
	c := aws.Config{
		Region:        get("AWS_REGION"),
		AppID:         get("AWS_LAMBDA_FUNCTION_NAME"), // CloudTrail shows it with each call, as part of the userAgent
		Credentials:   credentials.NewStaticCredentialsProvider(get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY"), get("AWS_SESSION_TOKEN")),
		ConfigSources: []any{endpoints(lookup)},
	}
	if u := get("AWS_ENDPOINT_URL"); u != "" {
		c.BaseEndpoint = &u
	}
	return c, nil
}

// endpoints answers the SDK's clients that ask where their service is.
type endpoints func(string) (string, bool)

// GetServiceBaseEndpoint is asked by a client of the SDK under the service's
// name, such as "S3" or "Secrets Manager".
func (e endpoints) GetServiceBaseEndpoint(_ context.Context, service string) (string, bool, error) {
	u, ok := e("AWS_ENDPOINT_URL_" + strings.ToUpper(strings.ReplaceAll(service, " ", "_")))
	return u, ok && u != "", nil
}
