// Command lambda is the function TellChange: the workflows remediate-finding and review-violation call it.
package main

import (
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"plumbline/internal/environment"
	"plumbline/internal/s3blob"
	topics "plumbline/internal/sns"
	"plumbline/tasks"
	"plumbline/tasks/tellchange"
)

func main() {
	c, err := tellchange.ConfigFromEnv(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	account, err := environment.Config(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	blobs := s3blob.New(s3.NewFromConfig(account), c.Bucket)
	lambda.Start(tasks.Of(tellchange.New(topics.New(sns.NewFromConfig(account), c.Critical, c.Warning), blobs, time.Now).Handle))
}
