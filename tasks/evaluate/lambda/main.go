// Command lambda is the seven functions Evaluate…, one a domain, which differ
// in their environment: the workflow scan-stack calls them.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumbline/internal/bundle"
	"plumbline/internal/environment"
	"plumbline/internal/s3blob"
	"plumbline/tasks"
	"plumbline/tasks/evaluate"
)

func main() {
	ctx := context.Background()
	c, err := evaluate.ConfigFromEnv(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	account, err := environment.Config(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	blobs := s3blob.New(s3.NewFromConfig(account), c.Bucket)
	b, err := bundle.Open(ctx, blobs, c.Bundle)
	if err != nil {
		log.Fatal(err)
	}
	c.Keep = evaluate.Judged // the stored report says over how many resources a requirement was checked
	lambda.Start(tasks.Of(evaluate.New(b.Set, blobs, c, nil).Handle))
}
