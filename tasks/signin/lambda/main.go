// Command lambda is the function SignIn: API Gateway calls it.
package main

import (
	"context"
	"log"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"plumbline/internal/dynamo"
	"plumbline/internal/environment"
	"plumbline/internal/gateway"
	"plumbline/internal/signin"
	"plumbline/tasks"
	task "plumbline/tasks/signin"
)

func main() {
	c, err := task.ConfigFromEnv(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	account, err := environment.Config(os.LookupEnv)
	if err != nil {
		log.Fatal(err)
	}
	page := signin.Handler(signin.Config{
		Issuer: &signin.Issuer{Expected: c.Want}, Sessions: dynamo.NewSessions(dynamodb.NewFromConfig(account), c.Sessions), Site: c.Site,
		Log: slog.New(slog.NewJSONHandler(os.Stderr, nil)),
	})
	lambda.Start(tasks.Of(task.New(func(ctx context.Context, in events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		return gateway.Serve(ctx, page, in, nil)
	}).Handle))
}
