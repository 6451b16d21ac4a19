// Command lambda is the function CheckChange: the workflow remediate-finding calls it.
package main

import (
	"context"
	"log"
	"os"

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
	"plumbline/ledger"
	"plumbline/tasks"
	"plumbline/tasks/checkchange"
)

func main() {
	ctx := context.Background()
	c, err := checkchange.ConfigFromEnv(os.LookupEnv)
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
	table := dynamodb.NewFromConfig(account)
	entries := &ledger.Ledger{Store: dynamo.NewLedger(table, c.Ledger)}
	lambda.Start(tasks.Of(checkchange.New(b.Set, resources, around, entries.Store, dynamo.NewLeases(table, c.Changes), blobs).Handle))
}
