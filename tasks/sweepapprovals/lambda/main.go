// Command lambda is the function SweepApprovals: a schedule calls it.
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
	"plumbline/tasks/sweepapprovals"
)

func main() {
	c, err := sweepapprovals.ConfigFromEnv(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	account, err := environment.Config(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	table := dynamodb.NewFromConfig(account)
	desk := &approval.Desk{
		Store: dynamo.NewApprovals(table, c.Changes), Ledger: &ledger.Ledger{Store: dynamo.NewLedger(table, c.Ledger)},
		Callback: stepfunctions.NewCallback(sfn.NewFromConfig(account)),
	}
	lambda.Start(tasks.Of(sweepapprovals.New(desk, s3blob.New(s3.NewFromConfig(account), c.Bucket), topics.New(sns.NewFromConfig(account), c.Critical, c.Warning), c.Inbox, time.Now).Handle))
}
