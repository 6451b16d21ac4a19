// Command lambda is the function Notify: the workflows scan-stack, scan-estate
// and report-failure call it.
package main

import (
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"plumbline/internal/environment"
	"plumbline/internal/s3blob"
	"plumbline/internal/sns"
	"plumbline/internal/sqs"
	"plumbline/tasks"
	"plumbline/tasks/notify"
)

func main() {
	c, err := notify.ConfigFromEnv(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	account, err := environment.Config(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	channels := notify.Channels{sns.New(awssns.NewFromConfig(account), c.Critical, c.Warning)}
	if c.Queue != "" { // first: what is put there twice is there once
		channels = notify.Channels{sqs.New(awssqs.NewFromConfig(account), c.Queue, c.Channels), channels[0]}
	}
	blobs := s3blob.New(s3.NewFromConfig(account), c.Bucket)
	lambda.Start(tasks.Of(notify.New(channels, blobs, time.Now).Handle))
}
