// Command lambda is the function UndoChange: the workflow remediate-finding calls it.
package main

import (
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	live "plumbline/internal/cloudcontrol"
	"plumbline/internal/dynamo"
	"plumbline/internal/environment"
	"plumbline/internal/s3blob"
	"plumbline/ledger"
	"plumbline/tasks"
	"plumbline/tasks/undochange"
)

func main() {
	c, err := undochange.ConfigFromEnv(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	account, err := environment.Config(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	blobs := s3blob.New(s3.NewFromConfig(account), c.Bucket)
	resources := live.New(cloudcontrol.NewFromConfig(account))
	table := dynamodb.NewFromConfig(account)
	entries := &ledger.Ledger{Store: dynamo.NewLedger(table, c.Ledger)}
	lambda.Start(tasks.Of(undochange.New(resources, entries, dynamo.NewLeases(table, c.Changes), blobs).Handle))
}
