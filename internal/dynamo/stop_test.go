package dynamo_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"plumbline/internal/dynamo"
	"plumbline/remedy/live"
	"plumbline/remedy/live/livetest"
)

func TestBrake(t *testing.T) {
	livetest.Brake(t, func(*testing.T) live.Brake { return dynamo.NewLeases(newRows("id"), "changes") })
}

// TestAStopByHand: a row that somebody puts into the table in a hurry stops all.
func TestAStopByHand(t *testing.T) {
	table := newRows("id")
	if _, err := table.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("changes"), Item: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: dynamo.StopID}}}); err != nil {
		t.Fatal(err)
	}
	if s, err := dynamo.NewLeases(table, "changes").Stopped(t.Context()); err != nil || s == nil {
		t.Errorf("%v %v", s, err)
	}
}
