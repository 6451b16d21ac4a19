// Command lambda is the function ListTargets: the workflow scan-estate calls it.
package main

import (
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumbline/internal/environment"
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
	account, err := environment.Config(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	account.RetryMaxAttempts = 8
	lister := stacks.New(cloudformation.NewFromConfig(account), account.Region)
	blobs := s3blob.New(s3.NewFromConfig(account), c.Bucket)
	lambda.Start(tasks.Of(listtargets.New(lister, blobs, listtargets.DefaultConcurrency, time.Now).Handle))
}
