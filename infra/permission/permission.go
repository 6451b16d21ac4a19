// Package permission derives what each role of the suite may do: those of the
// functions from the catalogue, those of the state machines from their
// definitions. It knows no CDK: stacks are made from it, and docs/permissions.md
// is written from it.
package permission

import (
	"slices"
	"strings"
)

//go:generate go run ./gen

// Statement is one statement of a role's policy.
type Statement struct {
	Actions []string
	// Resources are ARNs with placeholders in the manner of Fn::Sub, such as
	// "${ReportBucketArn}/work/*", or "*".
	Resources []string
	Deny      bool
	// Condition is operator → key → value, all texts.
	Condition map[string]map[string]string
	// Why is the reason for "*" in Resources, and must stand there then; else it
	// says what is not plain from the actions.
	Why string
}

// Open reports whether the statement allows something on every resource.
func (s Statement) Open() bool { return !s.Deny && slices.Contains(s.Resources, "*") }

// Placeholders lists what stands in ${…} in the resources and conditions.
func (s Statement) Placeholders() []string {
	texts := slices.Clone(s.Resources)
	for _, keys := range s.Condition {
		for _, v := range keys {
			texts = append(texts, v)
		}
	}
	var names []string
	for _, text := range texts {
		for {
			_, after, found := strings.Cut(text, "${")
			if !found {
				break
			}
			name, rest, closed := strings.Cut(after, "}")
			if !closed {
				break
			}
			names, text = append(names, name), rest
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Fill replaces each ${NAME} in text by what value answers for NAME.
func Fill(text string, value func(name string) string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "${")
		name, rest, closed := strings.Cut(after, "}")
		b.WriteString(before)
		if !found || !closed {
			return b.String()
		}
		b.WriteString(value(name))
		text = rest
	}
}

// Placeholders of resources that are no task and no state machine.
const (
	bucket      = "${ReportBucketArn}"
	findings    = "${FindingsTableArn}"
	events      = "${EventsTableArn}"
	ledger      = "${LedgerTableArn}"
	requests    = "${ChangesTableArn}"
	dataKey     = "${DataKeyArn}"  // of the tables
	suiteKey    = "${SuiteKeyArn}" // of topics, queues, logs and environments
	anchors     = "${LedgerAnchorArn}"
	deadLetters = "${DeadLettersArn}"
	critical    = "${CriticalTopicArn}"
	warning     = "${WarningTopicArn}"
	ownLog      = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${LogGroupName}:log-stream:*" // of the role's own function
	deliveries  = "${DeliveriesArn}"                                                                                   // queue of what is told outside
	letters     = "${LettersArn}"                                                                                      // queue of what nobody outside takes
	stacks      = "arn:${AWS::Partition}:cloudformation:${AWS::Region}:${AWS::AccountId}:stack/*"
)

// traces is what a service needs to send traces on behalf of a role.
func traces() Statement {
	return Statement{
		Actions: []string{"xray:PutTelemetryRecords", "xray:PutTraceSegments"}, Resources: []string{"*"},
		Why: "X-Ray knows no resources to name",
	}
}
