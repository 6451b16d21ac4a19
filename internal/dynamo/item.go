package dynamo

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"plumbline/finding"
)

// Indexes of the findings table. Each projects all attributes.
const (
	// ByStack has the partition key stack and the sort key position.
	ByStack = "by-stack"
	// OpenBySeverity has the partition key openSeverity and the sort key age. It
	// holds active findings alone, since no other row has these attributes.
	OpenBySeverity = "open-by-severity"
)

// Attributes of a row. The key is resourceId and timestamp. The record as a
// whole is JSON in record; what else is there serves the key, the indexes, the
// table's TTL, and people who look at it. The status is the row's own, not the
// record's: a person's decision changes it alone.
const (
	attrResource     = "resourceId"
	attrTimestamp    = "timestamp" // first seen and rule
	attrStack        = "stack"
	attrPosition     = "position"     // resourceId and timestamp
	attrOpenSeverity = "openSeverity" // of active findings
	attrAge          = "age"          // of active findings: timestamp and resourceId
	attrViolation    = "violationType"
	attrSeverity     = "severity"
	attrStatus       = "status"
	attrRemediation  = "remediationSteps"
	attrLastSeen     = "lastSeen"
	attrExpires      = "expiresAt" // seconds since 1970, which is what the TTL reads
	attrRecord       = "record"
)

// attribute is one attribute of an item.
type attribute struct {
	name  string
	value types.AttributeValue
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func seconds(t time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(t.Unix(), 10)}
}

func key(r finding.Record) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{attrResource: text(r.ResourceID()), attrTimestamp: text(r.SortKey())}
}

// age orders records oldest first, those of one instant by rule and resource.
func age(r finding.Record) string { return r.SortKey() + "#" + r.ResourceID() }

// encode returns the attributes that a record sets, beside its key, and those
// that it must not have. An attribute that we do not know stays as it is.
func encode(r finding.Record) (set []attribute, remove []string, err error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, nil, fmt.Errorf("encode record %q of %q: %w", r.SortKey(), r.ResourceID(), err)
	}
	set = []attribute{
		{attrPosition, text(r.ResourceID() + "#" + r.SortKey())},
		{attrViolation, text(r.Rule)},
		{attrSeverity, text(string(r.Severity))},
		{attrStatus, text(string(r.State))},
		{attrRemediation, text(r.Remediation)},
		{attrLastSeen, text(r.LastSeen.Format(time.RFC3339Nano))},
		{attrRecord, text(string(b))},
	}
	may := func(has bool, name string, value types.AttributeValue) {
		if has {
			set = append(set, attribute{name, value})
			return
		}
		remove = append(remove, name)
	}
	may(r.Where() != "", attrStack, text(r.Where())) // a key of an index must not be ""
	may(r.State.Active() && r.Severity != "", attrOpenSeverity, text(string(r.Severity)))
	may(r.State.Active() && r.Severity != "", attrAge, text(age(r)))
	may(!r.ExpiresAt.IsZero(), attrExpires, seconds(r.ExpiresAt))
	return set, remove, nil
}

// decode reads a record from an item.
func decode(item map[string]types.AttributeValue) (finding.Record, error) {
	var r finding.Record
	b, ok := item[attrRecord].(*types.AttributeValueMemberS)
	if !ok {
		return r, fmt.Errorf("a row without the attribute %q", attrRecord)
	}
	if err := json.Unmarshal([]byte(b.Value), &r); err != nil {
		return r, fmt.Errorf("decode record: %w", err)
	}
	if s, ok := item[attrStatus].(*types.AttributeValueMemberS); ok {
		r.State = finding.State(s.Value)
	}
	return r, nil
}

// equal reports whether two records are written as the same row.
func equal(a, b finding.Record) (bool, error) {
	setA, _, err := encode(a)
	if err != nil {
		return false, err
	}
	setB, _, err := encode(b)
	return err == nil && reflect.DeepEqual(setA, setB), err
}

// expression collects the names and values that an expression refers to, since
// some of our names are words of DynamoDB's language.
type expression struct {
	names  map[string]string
	values map[string]types.AttributeValue
}

func newExpression() *expression {
	return &expression{names: map[string]string{}, values: map[string]types.AttributeValue{}}
}

func (e *expression) name(attribute string) string {
	e.names["#"+attribute] = attribute
	return "#" + attribute
}

func (e *expression) value(v types.AttributeValue) string {
	ref := ":v" + strconv.Itoa(len(e.values))
	e.values[ref] = v
	return ref
}

// condition is what must hold of the row for a write to happen.
type condition func(*expression) string

// expectNothing: there is no such row.
func expectNothing() condition {
	return func(e *expression) string { return "attribute_not_exists(" + e.name(attrResource) + ")" }
}

// expect: the row's record and status are those of an item that was read.
func expect(item map[string]types.AttributeValue) condition {
	return func(e *expression) string {
		check := e.name(attrRecord) + " = " + e.value(item[attrRecord])
		if status, ok := item[attrStatus]; ok {
			check += " AND " + e.name(attrStatus) + " = " + e.value(status)
		}
		return check
	}
}
