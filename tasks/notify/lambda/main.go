// Command lambda is the function Notify: the workflows scan-stack and
// report-failure call it.
package main

import (
	"context"
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"

	"plumbline/internal/sns"
	"plumbline/tasks"
	"plumbline/tasks/notify"
)

func main() {
	c, err := notify.ConfigFromEnv(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	account, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	topics := sns.New(awssns.NewFromConfig(account), c.Critical, c.Warning)
	lambda.Start(tasks.Of(notify.New(topics, time.Now).Handle))
}
