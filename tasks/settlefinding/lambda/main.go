// Command lambda is the function SettleFinding: the workflow remediate-finding calls it.
package main

import (
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumbline/internal/dynamo"
	"plumbline/internal/environment"
	"plumbline/internal/s3blob"
	"plumbline/tasks"
	"plumbline/tasks/settlefinding"
)

func main() {
	c, err := settlefinding.ConfigFromEnv(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	account, err := environment.Config(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	blobs := s3blob.New(s3.NewFromConfig(account), c.Bucket)
	table := dynamodb.NewFromConfig(account)
	lambda.Start(tasks.Of(settlefinding.New(dynamo.NewFindings(table, c.Table), dynamo.NewLedger(table, c.Ledger), blobs, time.Now).Handle))
}
