// Command lambda is the function Assess: the workflow scan-stack calls it.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumbline/internal/bundle"
	"plumbline/internal/dynamo"
	"plumbline/internal/environment"
	"plumbline/internal/s3blob"
	"plumbline/tasks"
	"plumbline/tasks/assess"
)

func main() {
	ctx := context.Background()
	c, err := assess.ConfigFromEnv(os.LookupEnv)
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
	known := dynamo.NewFindings(dynamodb.NewFromConfig(account), c.Table)
	lambda.Start(tasks.Of(assess.New(blobs, assess.Options{Known: known, Suppress: b.Suppress, InForce: b.InForce, Scope: b.Scope, Owners: b.Owners, Due: b.Due, Frameworks: b.FrameworksOf, Metrics: os.Stdout}).Handle))
}
