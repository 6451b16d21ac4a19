// Command lambda is the function RecordChange: the workflow remediate-finding calls it.
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
	"plumbline/ledger"
	"plumbline/tasks"
	"plumbline/tasks/recordchange"
)

func main() {
	c, err := recordchange.ConfigFromEnv(os.LookupEnv)
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
	lambda.Start(tasks.Of(recordchange.New(entries, blobs).WriteMetrics(os.Stdout, time.Now).Handle))
}
