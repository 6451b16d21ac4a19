// Command lambda is the function CheckHook: CloudFormation calls it before it
// makes or changes a resource.
package main

import (
	"context"
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumbline/internal/bundle"
	"plumbline/internal/environment"
	"plumbline/internal/s3blob"
	"plumbline/tasks"
	"plumbline/tasks/checkhook"
)

func main() {
	ctx := context.Background()
	c, err := checkhook.ConfigFromEnv(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	account, err := environment.Config(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	b, err := bundle.Open(ctx, s3blob.New(s3.NewFromConfig(account), c.Bucket), c.Bundle)
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(tasks.Of(checkhook.New(b.Set, b.Suppress, c, time.Now).Handle))
}
