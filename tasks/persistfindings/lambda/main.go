// Command lambda is the function PersistFindings: the workflow scan-stack calls it.
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
	"plumbline/tasks/persistfindings"
)

func main() {
	c, err := persistfindings.ConfigFromEnv(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	account, err := environment.Config(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	store := dynamo.NewFindings(dynamodb.NewFromConfig(account), c.Table)
	blobs := s3blob.New(s3.NewFromConfig(account), c.Bucket)
	lambda.Start(tasks.Of(persistfindings.New(store, blobs).WriteMetrics(os.Stdout, time.Now).Handle))
}
