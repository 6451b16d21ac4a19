// Command cost writes docs/cost.md: what a scan costs on AWS, from the
// transitions that the engine counts when it runs the workflows themselves.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"sync"

	"plumbline/asl/engine"
	"plumbline/cfn/source"
	"plumbline/internal/local"
	"plumbline/rules"
	"plumbline/ruleset"
)

// Prices of us-east-1 in US dollars. Sources: the services' pages of prices.
const (
	transition   = 0.025 / 1000 // AWS Step Functions, Standard, a state transition
	request      = 1.00 / 1e6   // AWS Step Functions, Express, a request
	gbSecond     = 0.0000166667 // AWS Step Functions, Express, a GB-second, up to 1,000 hours
	expressGB    = 64.0 / 1024  // memory is billed by 64 MB, and no state of ours is near that
	endpointHour = 0.01         // AWS PrivateLink, an interface endpoint in one zone
	keyMonth     = 1.00         // AWS KMS, a customer managed key, turned or not in its first year
	secretMonth  = 0.40         // AWS Secrets Manager, a secret
	alarmMonth   = 0.10         // Amazon CloudWatch, an alarm on a metric by the minute or longer
	boardMonth   = 3.00         // Amazon CloudWatch, a dashboard, beyond the first three of an account
	configItem   = 0.003        // AWS Config, a configuration item recorded continuously
	configEval   = 0.001        // AWS Config, an evaluation of a rule, the first 100,000 a month
	hubCheck     = 0.0010       // AWS Security Hub CSPM, a check, the first 100,000 a month
	// AWS Systems Manager, a step of an automation, beyond the free ones
	automationStep = 0.002
	sweepSeconds   = 20.0  // of one target's Express execution: a bound, reading 30 live resources at five a second included
	month          = 730.0 // hours
)

// counted is what executions of one machine entered.
type counted struct{ executions, transitions int }

// kind is what is scanned, and why.
type kind int

const (
	bySweep kind = iota // all targets, by scan-estate
	byEvent             // one, by scan-stack; nothing is new
	byNews              // the same, and violations are new, of the severity critical and of others
)

// open is a violation that is critical.
const open = `"Open":{"Type":"AWS::EC2::SecurityGroup","Properties":{"GroupDescription":"d","SecurityGroupIngress":[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"CidrIp":"0.0.0.0/0"}]}}`

// count runs a workflow over templates of so many resources and counts the
// states that are entered, by machine.
func count(ctx context.Context, targets, resources int, why kind) (map[string]counted, error) {
	set, err := ruleset.Open(rules.FS, nil)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString(`{"Resources":{` + open)
	for i := range resources - 1 {
		fmt.Fprintf(&b, `,"Queue%d":{"Type":"AWS::SQS::Queue"}`, i)
	}
	b.WriteString("}}")
	o := local.Options{Rules: set, Account: "111122223333", Region: "us-east-1"}
	for i := range targets {
		o.Templates = append(o.Templates, source.Template{Path: fmt.Sprintf("t%d.json", i), Source: []byte(b.String()), Stack: fmt.Sprintf("T%d", i)})
	}
	var mu sync.Mutex
	seen := map[string]int{}
	o.Watch = func(e engine.Event) {
		mu.Lock()
		defer mu.Unlock()
		if strings.HasSuffix(e.Type, "StateEntered") {
			seen[e.Execution]++
		}
	}
	if why == byNews {
		if o.Data, err = os.MkdirTemp("", "cost"); err != nil {
			return nil, err
		}
		defer os.RemoveAll(o.Data)
	}
	if why != bySweep {
		if _, err := local.Run(ctx, "scan-stack", nil, o); err != nil {
			return nil, err
		}
	} else if _, err := local.Scan(ctx, o); err != nil {
		return nil, err
	}
	out := map[string]counted{}
	for arn, n := range seen {
		name := machine(arn)
		c := out[name]
		out[name] = counted{c.executions + 1, c.transitions + n}
	}
	return out, nil
}

// machine is the name of the state machine in an execution's ARN; a child of a
// Distributed Map has the Map's label behind it.
func machine(arn string) string {
	parts := strings.Split(arn, ":")
	if len(parts) < 7 {
		return arn
	}
	return parts[6]
}

func main() {
	log.SetFlags(0)
	write := flag.String("write", "", "write the page to this `FILE` instead of standard output")
	flag.Parse()
	page, err := page(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	if *write == "" {
		fmt.Print(page)
		return
	}
	if err := os.WriteFile(*write, []byte(page), 0o644); err != nil {
		log.Fatal(err)
	}
}
