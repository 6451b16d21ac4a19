// Command lambda is the function FetchStack: the workflow scan-stack calls it.
package main

import (
	"context"
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awscloudcontrol "github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumbline/internal/bundle"
	"plumbline/internal/cloudcontrol"
	"plumbline/internal/environment"
	"plumbline/internal/s3blob"
	"plumbline/internal/stacks"
	"plumbline/scan/deployed"
	"plumbline/tasks"
	"plumbline/tasks/fetchstack"
)

// perSecond bounds one function's calls of Cloud Control: five at work leave
// the account's 25 a second. What is asked to slow down all the same, does.
const perSecond = 5

// paced: the reader paces calls by itself, so the SDK need not wait as long as
// it does between attempts.
func paced(o *awscloudcontrol.Options) {
	o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) { s.MaxAttempts, s.MaxBackoff = 2, time.Second })
}

func main() {
	ctx := context.Background()
	c, err := fetchstack.ConfigFromEnv(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	account, err := environment.Config(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	// Of stacks that change at once, many are read at once: CloudFormation asks to slow down more often than three times.
	account.RetryMaxAttempts = 8
	blobs := s3blob.New(s3.NewFromConfig(account), c.Bucket)
	b, err := bundle.Open(ctx, blobs, c.Bundle)
	if err != nil {
		log.Fatal(err)
	}
	source := deployed.New(stacks.New(cloudformation.NewFromConfig(account), account.Region),
		cloudcontrol.NewReader(awscloudcontrol.NewFromConfig(account, paced), perSecond), b.Set.Relations, time.Now)
	lambda.Start(tasks.Of(fetchstack.New(source, blobs).Handle))
}
