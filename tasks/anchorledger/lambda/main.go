// Command lambda is the function AnchorLedger: a schedule calls it.
package main

import (
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"plumbline/internal/dynamo"
	"plumbline/internal/environment"
	"plumbline/internal/s3blob"
	topics "plumbline/internal/sns"
	"plumbline/ledger"
	"plumbline/tasks"
	"plumbline/tasks/anchorledger"
)

func main() {
	c, err := anchorledger.ConfigFromEnv(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	account, err := environment.Config(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	entries := &ledger.Ledger{Store: dynamo.NewLedger(dynamodb.NewFromConfig(account), c.Ledger)}
	anchors := s3blob.NewAnchors(s3.NewFromConfig(account), c.Anchors)
	lambda.Start(tasks.Of(anchorledger.New(entries, anchors, topics.New(sns.NewFromConfig(account), c.Critical, c.Warning), time.Now).Handle))
}
