// Command lambda is the function JudgeResource: the workflow check-resource calls it.
package main

import (
	"context"
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumbline/internal/bundle"
	live "plumbline/internal/cloudcontrol"
	"plumbline/internal/dynamo"
	"plumbline/internal/environment"
	"plumbline/internal/s3blob"
	"plumbline/internal/stacks"
	"plumbline/tasks"
	"plumbline/tasks/judgeresource"
)

func main() {
	ctx := context.Background()
	c, err := judgeresource.ConfigFromEnv(os.LookupEnv)
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
	known := dynamo.NewFindings(dynamodb.NewFromConfig(account), c.Table)
	lambda.Start(tasks.Of(judgeresource.New(b.Set, resources, around, known, time.Now).Handle))
}
