// Command lambda is the function ApprovalPage: API Gateway calls it.
package main

import (
	"context"
	"log"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"plumbline/approval"
	"plumbline/internal/approvalpage"
	"plumbline/internal/dynamo"
	"plumbline/internal/environment"
	"plumbline/internal/gateway"
	"plumbline/internal/s3blob"
	"plumbline/internal/signin/session"
	"plumbline/internal/stepfunctions"
	"plumbline/ledger"
	"plumbline/tasks"
	task "plumbline/tasks/approvalpage"
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
	table := dynamodb.NewFromConfig(account)
	byCookie := session.ByCookie(dynamo.NewSessions(table, c.Changes), "You have signed in at "+c.Want.Issuer+".", time.Now)
	page := approvalpage.Handler(approvalpage.Config{
		Desk: &approval.Desk{
			Store: dynamo.NewApprovals(table, c.Changes), Ledger: &ledger.Ledger{Store: dynamo.NewLedger(table, c.Ledger)},
			Callback: stepfunctions.NewCallback(sfn.NewFromConfig(account)),
		},
		Plans: s3blob.New(s3.NewFromConfig(account), c.Bucket),
		Identify: func(r *http.Request) (approvalpage.Visitor, error) {
			if who, ok := gateway.Caller(r.Context()); ok {
				return approvalpage.Visitor{Person: who, Explicit: true}, nil
			}
			return byCookie(r)
		},
		SignIn: session.InPath, SignOut: session.OutPath,
		Log: slog.New(slog.NewJSONHandler(os.Stderr, nil)),
	})
	pages := func(ctx context.Context, in events.APIGatewayV2HTTPRequest, who *approval.Person) (events.APIGatewayV2HTTPResponse, error) {
		return gateway.Serve(ctx, page, in, who)
	}
	lambda.Start(tasks.Of(task.New(pages, c.Want, time.Now).Handle))
}
