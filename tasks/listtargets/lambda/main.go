// Command lambda is the function ListTargets: the workflow scan-estate calls it.
package main

import (
	"context"
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumbline/internal/s3blob"
	"plumbline/internal/stacks"
	"plumbline/tasks"
	"plumbline/tasks/listtargets"
)

func main() {
	c, err := listtargets.ConfigFromEnv(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	account, err := config.LoadDefaultConfig(context.Background(), config.WithRetryMaxAttempts(8))
	if err != nil {
		log.Fatal(err)
	}
	lister := stacks.New(cloudformation.NewFromConfig(account), account.Region)
	blobs := s3blob.New(s3.NewFromConfig(account), c.Bucket)
	lambda.Start(tasks.Of(listtargets.New(lister, blobs, listtargets.DefaultConcurrency, time.Now).Handle))
}
