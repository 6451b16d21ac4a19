// Command lambda is the function AskApproval: the workflow remediate-finding calls it.
package main

import (
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"plumbline/approval"
	"plumbline/internal/dynamo"
	"plumbline/internal/environment"
	"plumbline/internal/s3blob"
	topics "plumbline/internal/sns"
	"plumbline/internal/stepfunctions"
	"plumbline/ledger"
	"plumbline/tasks"
	"plumbline/tasks/askapproval"
)

func main() {
	c, err := askapproval.ConfigFromEnv(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	account, err := environment.Config(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	blobs := s3blob.New(s3.NewFromConfig(account), c.Bucket)
	table := dynamodb.NewFromConfig(account)
	entries := &ledger.Ledger{Store: dynamo.NewLedger(table, c.Ledger)}
	desk := &approval.Desk{Store: dynamo.NewApprovals(table, c.Changes), Ledger: entries, Callback: stepfunctions.NewCallback(sfn.NewFromConfig(account))}
	link := func(id string) string { return c.Console + id }
	lambda.Start(tasks.Of(askapproval.New(desk, blobs, topics.New(sns.NewFromConfig(account), c.Critical, c.Warning), link, time.Now).Handle))
}
