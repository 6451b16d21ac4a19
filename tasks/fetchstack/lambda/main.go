// Command lambda is the function FetchStack: the workflow scan-stack calls it.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumbline/internal/s3blob"
	"plumbline/internal/stacks"
	"plumbline/tasks"
	"plumbline/tasks/fetchstack"
)

func main() {
	c, err := fetchstack.ConfigFromEnv(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	account, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	source := stacks.New(cloudformation.NewFromConfig(account), account.Region)
	blobs := s3blob.New(s3.NewFromConfig(account), c.Bucket)
	lambda.Start(tasks.Of(fetchstack.New(source, blobs).Handle))
}
