// Command lambda is the function CheckCompliance: custom rules of AWS Config
// call it.
package main

import (
	"context"
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	awscloudcontrol "github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumbline/internal/bundle"
	"plumbline/internal/cloudcontrol"
	"plumbline/internal/configrules"
	"plumbline/internal/environment"
	"plumbline/internal/s3blob"
	"plumbline/scan/deployed"
	"plumbline/tasks"
	"plumbline/tasks/checkcompliance"
)

// perSecond bounds one function's calls of Cloud Control.
const perSecond = 5

func main() {
	ctx := context.Background()
	c, err := checkcompliance.ConfigFromEnv(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	account, err := environment.Config(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	b, err := bundle.Open(ctx, s3blob.New(s3.NewFromConfig(account), c.Bucket), c.Bundle)
	if err != nil {
		log.Fatal(err)
	}
	resources := deployed.New(nil, cloudcontrol.NewReader(awscloudcontrol.NewFromConfig(account), perSecond), b.Set.Relations, time.Now)
	answers := configrules.New(configservice.NewFromConfig(account))
	lambda.Start(tasks.Of(checkcompliance.New(resources, b.Set, answers, time.Now).Handle))
}
