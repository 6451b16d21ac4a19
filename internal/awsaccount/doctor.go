package awsaccount

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscloudcontrol "github.com/aws/aws-sdk-go-v2/service/cloudcontrol"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"plumbline/internal/account"
	"plumbline/internal/cloudcontrol"
	"plumbline/remedy/live"
	"plumbline/scan"
)

// suite is the stack whose parts are looked at where it is deployed.
const suite = "PlumblineSuite"

// Diagnose looks at what scans need, and at the deployed suite where there is
// one. It changes nothing: its one event is of a change that has not ended, for
// which the suite starts nothing. Each region is looked at to its end.
func (a *Account) Diagnose(ctx context.Context) []account.Check {
	var out []account.Check
	for _, name := range a.regions {
		d := &diagnosis{region: a.open[name], name: name}
		d.run(ctx)
		out = append(out, d.checks...)
	}
	return out
}

type diagnosis struct {
	*region
	name    string
	account string
	checks  []account.Check
}

func (d *diagnosis) add(what string, status account.Status, format string, args ...any) {
	d.checks = append(d.checks, account.Check{Region: d.name, What: what, Status: status, Says: fmt.Sprintf(format, args...)})
}

// failed adds a problem for an error, nil for none. It reports whether there was one.
func (d *diagnosis) failed(what string, err error) bool {
	if err != nil {
		d.add(what, account.Problem, "%s", reason(err))
	}
	return err != nil
}

func (d *diagnosis) run(ctx context.Context) {
	who, err := sts.NewFromConfig(d.config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if d.failed("credentials", err) {
		return // all else would fail for the same reason
	}
	d.account = aws.ToString(who.Account)
	d.add("credentials", account.OK, "account %s", d.account)
	d.reading(ctx)
	d.recorder(ctx)
	target, there, err := d.stacks.Find(ctx, suite)
	switch {
	case err != nil:
		d.add("suite", account.Problem, "%s", reason(err))
	case !there:
		d.add("suite", account.Note, "stack %s is not deployed here: scans run from this machine only", suite)
	default:
		d.suite(ctx, target)
	}
}

// reading tries each call that a scan makes, on what there is.
func (d *diagnosis) reading(ctx context.Context) {
	targets, err := d.stacks.Targets(ctx)
	if d.failed("list stacks", err) {
		return
	}
	d.add("list stacks", account.OK, "%d stacks", len(targets))
	if len(targets) > 0 {
		if _, err := d.stacks.Fetch(ctx, targets[0]); !d.failed("read templates", err) {
			d.add("read templates", account.OK, "template of %s", targets[0].Stack)
		}
		if owned, err := d.stacks.Resources(ctx, targets[0]); !d.failed("list resources of stacks", err) {
			d.add("list resources of stacks", account.OK, "%d resources of %s", len(owned.Resources), targets[0].Stack)
		}
	}
	c := cloudcontrol.NewReader(awscloudcontrol.NewFromConfig(d.config), 0)
	// No bucket can have this name, so that the answer is "not there" or a refusal.
	if _, err := c.Get(ctx, "AWS::S3::Bucket", "plumbline.doctor..none"); errors.Is(err, live.ErrGone) || err == nil {
		d.add("read live resources", account.OK, "Cloud Control answers")
	} else {
		d.add("read live resources", account.Problem, "%s. the types of your stacks need the permissions of their read handlers, as AWS's policy SecurityAudit has them", reason(err))
	}
	if _, err := c.List(ctx, "AWS::S3::BucketPolicy", nil); !d.failed("list live resources", err) {
		d.add("list live resources", account.OK, "Cloud Control answers")
	}
}

func (d *diagnosis) recorder(ctx context.Context) {
	out, err := configservice.NewFromConfig(d.config).DescribeConfigurationRecorderStatus(ctx, &configservice.DescribeConfigurationRecorderStatusInput{})
	switch {
	case d.failed("AWS Config", err):
	case len(out.ConfigurationRecordersStatus) == 0:
		d.add("AWS Config", account.Note, "there is no recorder: changes past CloudFormation are found by the daily scan only")
	case !out.ConfigurationRecordersStatus[0].Recording:
		d.add("AWS Config", account.Problem, "recorder %s is stopped. start it", aws.ToString(out.ConfigurationRecordersStatus[0].Name))
	default:
		d.add("AWS Config", account.OK, "recorder %s records", aws.ToString(out.ConfigurationRecordersStatus[0].Name))
	}
}

// suite looks at the parts of the deployed stack.
func (d *diagnosis) suite(ctx context.Context, target scan.Target) {
	owned, err := d.stacks.Resources(ctx, target)
	if d.failed("suite", err) {
		return
	}
	d.add("suite", account.OK, "%d resources", len(owned.Resources))
	of := func(typ string) []scan.OwnedResource {
		return slices.DeleteFunc(slices.Clone(owned.Resources), func(r scan.OwnedResource) bool { return r.Type != typ })
	}
	d.endpoints(ctx, of("AWS::EC2::VPCEndpoint"))
	for _, topic := range of("AWS::SNS::Topic") {
		d.subscriptions(ctx, topic)
	}
	for _, queue := range of("AWS::SQS::Queue") {
		d.depth(ctx, queue)
	}
	for _, f := range of("AWS::Lambda::Function") {
		if strings.HasSuffix(f.Physical, "Intake") {
			d.dryEvent(ctx, f.Physical)
		}
	}
}

func (d *diagnosis) endpoints(ctx context.Context, list []scan.OwnedResource) {
	c := cloudcontrol.NewReader(awscloudcontrol.NewFromConfig(d.config), 0)
	var gone []string
	for _, e := range list {
		if _, err := c.Get(ctx, e.Type, e.Physical); errors.Is(err, live.ErrGone) {
			gone = append(gone, e.LogicalID)
		} else if d.failed("endpoints", err) {
			return
		}
	}
	switch {
	case len(gone) > 0:
		d.add("endpoints", account.Problem, "%s were deleted: functions cannot reach these services. deploy the suite again", strings.Join(gone, ", "))
	case len(list) > 0:
		d.add("endpoints", account.OK, "%d endpoints", len(list))
	default:
		d.add("endpoints", account.Note, "the suite has none of its own: it is in an existing VPC")
	}
}

// pending is what a subscription has for an ARN until its address has confirmed
// it. Source: Amazon SNS API Reference, ListSubscriptionsByTopic.
const pending = "PendingConfirmation"

func (d *diagnosis) subscriptions(ctx context.Context, topic scan.OwnedResource) {
	what := "subscriptions of " + topic.LogicalID
	confirmed, open := 0, 0
	p := sns.NewListSubscriptionsByTopicPaginator(sns.NewFromConfig(d.config), &sns.ListSubscriptionsByTopicInput{TopicArn: &topic.Physical})
	for p.HasMorePages() {
		page, err := p.NextPage(ctx)
		if d.failed(what, err) {
			return
		}
		for _, s := range page.Subscriptions {
			if aws.ToString(s.SubscriptionArn) == pending {
				open++
			} else {
				confirmed++
			}
		}
	}
	switch {
	case open > 0:
		d.add(what, account.Problem, "%d of %d addresses have not confirmed and are told nothing. AWS sent each a mail with a link; deploying again sends another", open, open+confirmed)
	case confirmed == 0:
		d.add(what, account.Problem, "nobody is told. name addresses in the deployment")
	default:
		d.add(what, account.OK, "%d confirmed", confirmed)
	}
}

// waiting is in the name of the one queue whose messages are under way.
const waiting = "Deliveries"

func (d *diagnosis) depth(ctx context.Context, queue scan.OwnedResource) {
	what := "queue " + queue.LogicalID
	out, err := sqs.NewFromConfig(d.config).GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &queue.Physical, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages},
	})
	if d.failed(what, err) {
		return
	}
	n, err := strconv.Atoi(out.Attributes[string(types.QueueAttributeNameApproximateNumberOfMessages)])
	switch {
	case err != nil:
		d.add(what, account.Problem, "SQS did not say how many messages it has")
	case n > 0 && strings.Contains(queue.LogicalID, waiting):
		d.add(what, account.Note, "%d messages wait to be delivered", n)
	case n > 0:
		d.add(what, account.Problem, "%d messages: what could not be delivered or done. read them before they expire", n)
	default:
		d.add(what, account.OK, "empty")
	}
}
