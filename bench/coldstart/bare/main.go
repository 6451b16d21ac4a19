// Command bare is a function that does nothing: what Lambda's runtime for Go
// itself costs, to measure the others against.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil })
}
