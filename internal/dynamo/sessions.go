package dynamo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"plumbline/approval/identity"
)

// SessionsClient is what Sessions calls of DynamoDB; *dynamodb.Client is one.
type SessionsClient interface {
	GetItem(ctx context.Context, in *dynamodb.GetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
}

const (
	// sessionID begins the keys of sessions. The role of the function that signs
	// people in may write no other row of the table.
	sessionID   = "session#"
	attrSession = "session" // JSON
)

// Sessions are identity.Sessions in the table of changes. Rows go a while after
// they have expired, by the table's time to live. Safe for concurrent use.
type Sessions struct {
	client SessionsClient
	table  string
}

// NewSessions returns the sessions in the table of this name.
func NewSessions(c SessionsClient, table string) *Sessions { return &Sessions{c, table} }

func (s *Sessions) key(id string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{attrID: text(sessionID + id)}
}

// Open is identity.Sessions'.
func (s *Sessions) Open(ctx context.Context, x identity.Session) error {
	src, err := json.Marshal(x)
	if err != nil {
		return fmt.Errorf("encode a session: %w", err)
	}
	row := s.key(x.ID)
	row[attrSession], row[attrExpires] = text(string(src)), seconds(x.Expires)
	_, err = s.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.table, Item: row})
	return explainTable("write to", s.table, err)
}

// Session is identity.Sessions'.
func (s *Sessions) Session(ctx context.Context, id string) (identity.Session, error) {
	out, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.table, ConsistentRead: aws.Bool(true), Key: s.key(id)})
	if err != nil {
		return identity.Session{}, explainTable("read", s.table, err)
	}
	src, ok := out.Item[attrSession].(*types.AttributeValueMemberS)
	switch {
	case len(out.Item) == 0:
		return identity.Session{}, identity.ErrNoSession
	case !ok:
		return identity.Session{}, errors.New("a row of a session has no session")
	}
	var x identity.Session
	if err := json.Unmarshal([]byte(src.Value), &x); err != nil {
		return identity.Session{}, fmt.Errorf("decode a session: %w", err)
	}
	return x, nil
}

// Close is identity.Sessions'.
func (s *Sessions) Close(ctx context.Context, id string) error {
	_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &s.table, Key: s.key(id)})
	return explainTable("delete from", s.table, err)
}
