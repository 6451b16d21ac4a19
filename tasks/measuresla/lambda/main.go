// Command lambda is the function MeasureSLA: the workflow sla-report calls it.
// What it writes to its log as metrics, CloudWatch keeps as metrics.
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
	"plumbline/tasks/measuresla"
)

func main() {
	ctx := context.Background()
	c, err := measuresla.ConfigFromEnv(os.LookupEnv)
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
	table := dynamo.NewCensus(dynamodb.NewFromConfig(account), c.Table)
	lambda.Start(tasks.Of(measuresla.New(table, blobs, measuresla.Options{Due: b.Due, Frameworks: b.FrameworksOf, Metrics: os.Stdout}).Handle))
}
