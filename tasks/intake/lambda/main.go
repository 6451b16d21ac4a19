// Command lambda is the function Intake: EventBridge calls it with events.
package main

import (
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"plumbline/internal/dynamo"
	"plumbline/internal/environment"
	"plumbline/internal/stacks"
	"plumbline/internal/stepfunctions"
	"plumbline/tasks"
	"plumbline/tasks/intake"
)

func main() {
	c, err := intake.ConfigFromEnv(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	account, err := environment.Config(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	events := dynamo.NewEvents(dynamodb.NewFromConfig(account), c.Table)
	starter := stepfunctions.New(sfn.NewFromConfig(account))
	owners := stacks.NewOwners(cloudformation.NewFromConfig(account))
	lambda.Start(tasks.Of(intake.New(events, starter, owners, c, time.Now).Handle))
}
