// Command lambda is the function ReleaseLeases: the workflow remediate-finding calls it.
package main

import (
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumbline/internal/dynamo"
	"plumbline/internal/environment"
	"plumbline/internal/s3blob"
	"plumbline/tasks"
	"plumbline/tasks/releaseleases"
)

func main() {
	c, err := releaseleases.ConfigFromEnv(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	account, err := environment.Config(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	blobs := s3blob.New(s3.NewFromConfig(account), c.Bucket)
	table := dynamodb.NewFromConfig(account)
	lambda.Start(tasks.Of(releaseleases.New(dynamo.NewLeases(table, c.Changes), blobs).Handle))
}
