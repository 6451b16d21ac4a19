// Command lambda is the function VerifyChange: the workflow remediate-finding calls it.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumbline/internal/bundle"
	live "plumbline/internal/cloudcontrol"
	"plumbline/internal/environment"
	"plumbline/internal/s3blob"
	"plumbline/internal/stacks"
	"plumbline/tasks"
	"plumbline/tasks/verifychange"
)

func main() {
	ctx := context.Background()
	c, err := verifychange.ConfigFromEnv(os.LookupEnv)
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
	resources := live.New(cloudcontrol.NewFromConfig(account))
	around := stacks.New(cloudformation.NewFromConfig(account), account.Region)
	lambda.Start(tasks.Of(verifychange.New(b.Set, resources, around, blobs).Handle))
}
