// Command lambda is the function Summarize: the workflow scan-estate calls it.
package main

import (
	"context"
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumbline/internal/bundle"
	"plumbline/internal/bundle/description"
	"plumbline/internal/environment"
	"plumbline/internal/s3blob"
	"plumbline/tasks"
	"plumbline/tasks/summarize"
)

func main() {
	ctx := context.Background()
	c, err := summarize.ConfigFromEnv(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	account, err := environment.Config(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	blobs := s3blob.New(s3.NewFromConfig(account), c.Bucket)
	b, err := bundle.Open(ctx, blobs, c.Bundle)
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(tasks.Of(summarize.New(blobs, description.Renderer(b), b.Provenance(), b.ScopeOf, time.Now).WriteMetrics(os.Stdout).Handle))
}
