package awsaccount

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumbline/internal/account"
	"plumbline/internal/dynamo"
	"plumbline/internal/s3blob"
)

// dataStack is the stack of what the deployed suite keeps. The logical ids of its
// resources are pinned.
const dataStack = "PlumblineData"

// Books is account.Bookkeeper's: it finds table and buckets by the deployed stack.
func (a *Account) Books(ctx context.Context) (account.Books, error) {
	region := a.regions[0]
	c := a.open[region].config
	names := map[string]string{}
	pages := cloudformation.NewListStackResourcesPaginator(cloudformation.NewFromConfig(c), &cloudformation.ListStackResourcesInput{StackName: aws.String(dataStack)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return account.Books{}, fmt.Errorf("region %s: find the ledger by stack %s: %w", region, dataStack, explain(err))
		}
		for _, r := range page.StackResourceSummaries {
			names[aws.ToString(r.LogicalResourceId)] = aws.ToString(r.PhysicalResourceId)
		}
	}
	var missing []string
	for _, id := range []string{"Ledger", "LedgerAnchor", "Reports"} {
		if names[id] == "" {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		return account.Books{}, fmt.Errorf("region %s: stack %s has no resource %s: it is not plumbline's, or older than its ledger", region, dataStack, strings.Join(missing, ", "))
	}
	objects := s3.NewFromConfig(c)
	return account.Books{
		Ledger: dynamo.NewLedger(dynamodb.NewFromConfig(c), names["Ledger"]), Anchors: s3blob.NewAnchors(objects, names["LedgerAnchor"]), Plans: s3blob.New(objects, names["Reports"]),
	}, nil
}
