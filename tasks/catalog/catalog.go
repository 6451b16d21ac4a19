// Package catalog lists the task functions once: what each is called, where its
// code lies, how large it runs, what it may do on AWS and how it fails. It is
// data only; workflows, wiring and infra are held to it by tests.
package catalog

import (
	"slices"
	"strings"
	"time"

	"plumbline/finding"
)

// Task is one function. Several functions may share a folder and differ in
// environment, size and role.
type Task struct {
	Name     string            // EvaluateNetwork; a workflow calls it "${EvaluateNetworkArn}"
	Folder   string            // below tasks/: evaluate
	Env      map[string]string // beside what Vars says; nil for none
	Vars     []string          // environment variables that the deployment must set
	MaySet   []string          // environment variables that the deployment may set
	Timeout  time.Duration     // of the function; the states that call it wait a little longer
	MemoryMB int
	Actions  []string // IAM actions of its role, apart from writing its own log
	Reads    []string // prefixes of the keys in the bucket that s3:GetObject is for
	Writes   []string // prefixes of the keys in the bucket that s3:PutObject is for
	Errors   []string // names it reports, apart from BadInput and Unexpected
	// ReadsLive: it reads resources of any type, for which Cloud Control needs the
	// permissions of their services besides: AWS's policy SecurityAudit.
	ReadsLive bool
	// ChangesLive: it changes resources through Cloud Control, with its own
	// permissions: those of the update handlers of the types that may be changed.
	ChangesLive bool
	Mutates     bool // it changes more than the scan's own working objects: never retried on States.ALL
}

// Placeholder is the text by which a workflow names the function.
func (t Task) Placeholder() string { return "${" + t.Name + "Arn}" }

// Names of errors that tasks report and workflows catch. A wrapped tasks.Error
// carries one of them to the edge.
const (
	// Throttled: a service or store asked to slow down, or another process holds the database. Worth a retry.
	Throttled = "Throttled"
	// ObjectLost: a reference in the state cannot be read back. A retry reads the same.
	ObjectLost = "ObjectLost"
	// StoreFailed: a store refused a value: disk full, read-only, damaged, access denied.
	StoreFailed = "StoreFailed"
	// RulesBroken: the rules of a domain could not be loaded or judged as a whole.
	RulesBroken = "RulesBroken"
	// RenderFailed: a report could not be rendered.
	RenderFailed = "RenderFailed"
	// ChannelFailed: no channel took a message.
	ChannelFailed = "ChannelFailed"
	// BadInput: the payload does not decode, or asks for something that does not exist.
	BadInput = "BadInput"
	// Unexpected: an error without a name, or a panic: a defect of plumbline.
	Unexpected = "Unexpected"
)

// Error says what workflows are to do about an error name.
type Error struct {
	Name    string
	Meaning string
	Retry   bool // true: some Retry names it; false: States.ALL catches it, and no Retry names it
}

// Errors lists every error name.
var Errors = []Error{
	{Throttled, "a service or store asked to slow down", true},
	{ObjectLost, "a value that a state refers to cannot be read back", false},
	{StoreFailed, "a store refused a value", false},
	{RulesBroken, "the rules of a domain cannot be loaded or judged", false},
	{RenderFailed, "a report could not be rendered", false},
	{ChannelFailed, "no channel took a message", true},
	{BadInput, "the payload does not decode or asks for what does not exist", false},
	{Unexpected, "a defect of plumbline", false},
}

// DomainVar is the environment variable that makes one folder seven functions.
const DomainVar = "DOMAIN"

// Variables of a function's environment that the deployment sets.
const (
	BucketVar   = "REPORT_BUCKET"  // bucket of reports and of what states hand on
	FindingsVar = "FINDINGS_TABLE" // findings table
	EventsVar   = "EVENTS_TABLE"   // ids of events
	ScanVar     = "SCAN_WORKFLOW"  // ARN of the state machine scan-stack
	EstateVar   = "ESTATE_WORKFLOW"
	CheckVar    = "CHECK_WORKFLOW"  // ARN of the state machine check-resource
	ReviewVar   = "REVIEW_WORKFLOW" // ARN of the state machine review-violation; unset where there is no remediation
	CriticalVar = "CRITICAL_TOPIC"  // topic of messages for which somebody is woken
	WarningVar  = "WARNING_TOPIC"   // topic of all other messages; the severity is an attribute
	QueueVar    = "DELIVERY_QUEUE"  // URL of the queue of what is delivered to ticketing systems and webhooks; may be unset
	ChannelsVar = "CHANNELS"        // those systems, a list of channels as JSON; may be unset
	ChangesVar  = "CHANGES_TABLE"   // leases of changes, and requests for approval
	LedgerVar   = "LEDGER_TABLE"    // what was asked, decided and done
	ConsoleVar  = "APPROVAL_URL"    // page on which people decide; the request's id follows it
	LettersVar  = "DEAD_LETTERS"    // URL of the queue of what no channel takes
	SecretsVar  = "SECRETS"         // by channel the name of its secret in Secrets Manager, as JSON
	BlockingVar = "BLOCKING"        // severities for which the hook refuses a change, with commas between them; may be unset
	BundleVar   = "BUNDLE_KEY"      // object in the bucket: the organisation's policy file and rules; may be unset
)

// Prefixes of keys in the bucket; the first four are those of package scan.
const (
	work     = "work/"
	reports  = "reports/"
	scans    = "scans/"
	failures = "failures/"
	slas     = "sla/"     // reports of terms; of package scan
	changes  = "changes/" // plans of changes; of package remedy/change
	// Bundles is the prefix of the organisation's policies and rules. A key
	// carries the hash of what lies under it, so that a function that was started
	// with one key never meets another bundle.
	Bundles = "bundles/"
)

// Readers may list the bucket as well: without that permission S3 answers
// AccessDenied rather than NoSuchKey for a key that nobody wrote.
// Source: Amazon S3 API Reference, GetObject, "Permissions".
var (
	readObjects  = []string{"s3:GetObject", "s3:ListBucket"}
	writeObjects = []string{"s3:GetObject", "s3:ListBucket", "s3:PutObject"}
)

// What Cloud Control and CloudFormation are asked. Cloud Control reads and
// changes a resource by the caller's own permissions, so a role needs those of
// the handlers of the types besides.
var (
	readResources   = []string{"cloudformation:DescribeStacks", "cloudformation:GetResource", "cloudformation:GetTemplate"}
	changeResources = []string{"cloudformation:GetResource", "cloudformation:GetResourceRequestStatus", "cloudformation:ListResourceRequests", "cloudformation:UpdateResource"}
)

// appendEntry is what appending to the ledger takes: a transaction that puts the
// entry where its number is free and the one before is taken.
var appendEntry = []string{"dynamodb:ConditionCheckItem", "dynamodb:PutItem", "dynamodb:Query"}

// Tasks lists the functions in the order in which a scan meets them.
var Tasks = slices.Concat([]Task{
	{
		Name: "Intake", Folder: "intake", Vars: []string{EventsVar, ScanVar, EstateVar}, MaySet: []string{CheckVar},
		Timeout: 30 * time.Second, MemoryMB: 128,
		Actions: []string{"dynamodb:PutItem", "dynamodb:DeleteItem", "cloudformation:DescribeStackResources", "states:StartExecution"},
		Errors:  []string{Throttled, StoreFailed}, Mutates: true,
	},
	{
		Name: "CheckCompliance", Folder: "checkcompliance", Vars: []string{BucketVar}, MaySet: []string{BundleVar},
		Timeout: 5 * time.Minute, MemoryMB: 1024,
		Actions: slices.Concat(readObjects, []string{"cloudformation:GetResource", "cloudformation:ListResources", "config:PutEvaluations"}),
		Reads:   []string{Bundles}, ReadsLive: true,
		Errors: []string{Throttled, StoreFailed, RulesBroken},
	},
	{
		Name: "CheckHook", Folder: "checkhook", Vars: []string{BucketVar}, MaySet: []string{BundleVar, BlockingVar},
		Timeout: 25 * time.Second, MemoryMB: 1024, // a hook waits for 30 seconds
		Actions: readObjects, Reads: []string{Bundles},
	},
	{
		Name: "ListTargets", Folder: "listtargets", Vars: []string{BucketVar},
		Timeout: 5 * time.Minute, MemoryMB: 256,
		Actions: []string{"s3:PutObject", "cloudformation:ListStacks"}, Writes: []string{work},
		Errors: []string{Throttled, StoreFailed},
	},
	{
		Name: "FetchStack", Folder: "fetchstack", Vars: []string{BucketVar}, MaySet: []string{BundleVar},
		Timeout: 150 * time.Second, MemoryMB: 1024, // 500 resources, as many as a stack may have, at five a second
		Actions: slices.Concat(writeObjects, []string{"cloudformation:DescribeStacks", "cloudformation:GetTemplate", "cloudformation:ListStackResources", "cloudformation:GetResource", "cloudformation:ListResources"}),
		Reads:   []string{Bundles}, Writes: []string{work}, ReadsLive: true,
		Errors: []string{Throttled, StoreFailed},
	},
}, evaluations(), []Task{
	{
		Name: "Assess", Folder: "assess", Vars: []string{BucketVar, FindingsVar}, MaySet: []string{BundleVar},
		Timeout: time.Minute, MemoryMB: 1024,
		Actions: slices.Concat(writeObjects, []string{"dynamodb:Query"}), Reads: []string{work, Bundles}, Writes: []string{work},
		Errors: []string{Throttled, ObjectLost, StoreFailed},
	},
	{
		Name: "PersistFindings", Folder: "persistfindings", Vars: []string{BucketVar, FindingsVar},
		Timeout: time.Minute, MemoryMB: 256,
		Actions: slices.Concat(readObjects, []string{"dynamodb:UpdateItem"}), Reads: []string{work},
		Errors: []string{Throttled, ObjectLost, StoreFailed}, Mutates: true,
	},
	{
		Name: "WriteReport", Folder: "writereport", Vars: []string{BucketVar}, MaySet: []string{BundleVar},
		Timeout: time.Minute, MemoryMB: 512,
		Actions: writeObjects, Reads: []string{work, Bundles}, Writes: []string{reports},
		Errors: []string{Throttled, ObjectLost, StoreFailed, RenderFailed}, Mutates: true,
	},
	{
		Name: "Notify", Folder: "notify", Vars: []string{CriticalVar, WarningVar, BucketVar}, MaySet: []string{QueueVar, ChannelsVar},
		Timeout: 30 * time.Second, MemoryMB: 256,
		Actions: slices.Concat(readObjects, []string{"sns:Publish"}), Reads: []string{work, slas},
		Errors: []string{Throttled, ObjectLost, StoreFailed, ChannelFailed}, Mutates: true,
	},
	{
		Name: "SelectReviews", Folder: "selectreviews", Vars: []string{BucketVar}, MaySet: []string{BundleVar, ReviewVar},
		Timeout: 30 * time.Second, MemoryMB: 512,
		Actions: readObjects, Reads: []string{work, Bundles},
		Errors: []string{Throttled, ObjectLost, StoreFailed},
	},
	{
		Name: "Summarize", Folder: "summarize", Vars: []string{BucketVar}, MaySet: []string{BundleVar},
		Timeout: 5 * time.Minute, MemoryMB: 1024,
		Actions: writeObjects, Reads: []string{work, failures, Bundles}, Writes: []string{work, reports, scans},
		Errors: []string{Throttled, ObjectLost, StoreFailed, RenderFailed}, Mutates: true,
	},
	{
		Name: "MeasureSLA", Folder: "measuresla", Vars: []string{BucketVar, FindingsVar}, MaySet: []string{BundleVar},
		Timeout: 5 * time.Minute, MemoryMB: 512,
		Actions: slices.Concat(writeObjects, []string{"dynamodb:Scan"}), Reads: []string{Bundles}, Writes: []string{slas},
		Errors: []string{Throttled, ObjectLost, StoreFailed}, Mutates: true,
	},
	{
		Name: "RecordFailure", Folder: "recordfailure", Vars: []string{BucketVar},
		Timeout: 30 * time.Second, MemoryMB: 128,
		Actions: []string{"s3:PutObject"}, Writes: []string{failures},
		Errors: []string{Throttled, StoreFailed}, Mutates: true,
	},
})

// Remediation lists the functions that change live resources, in the order in
// which a change meets them. They are apart from Tasks as they are deployed
// apart: an account that is only scanned has none of them.
var Remediation = []Task{
	{
		Name: "JudgeResource", Folder: "judgeresource", Vars: []string{BucketVar, FindingsVar}, MaySet: []string{BundleVar},
		Timeout: 2 * time.Minute, MemoryMB: 1024,
		Actions: slices.Concat(readObjects, readResources, []string{"dynamodb:Query"}), Reads: []string{Bundles}, ReadsLive: true,
		Errors: []string{Throttled, StoreFailed, RulesBroken},
	},
	{
		Name: "AcquireLease", Folder: "acquirelease", Vars: []string{BucketVar, ChangesVar},
		Timeout: 30 * time.Second, MemoryMB: 128,
		Actions: slices.Concat(readObjects, []string{"dynamodb:GetItem", "dynamodb:PutItem"}), Reads: []string{changes},
		Errors: []string{Throttled, ObjectLost, StoreFailed}, Mutates: true,
	},
	{
		Name: "PlanChange", Folder: "planchange", Vars: []string{BucketVar}, MaySet: []string{BundleVar},
		Timeout: time.Minute, MemoryMB: 1024,
		Actions: slices.Concat(writeObjects, readResources), Reads: []string{changes, Bundles}, Writes: []string{changes}, ReadsLive: true,
		Errors: []string{Throttled, ObjectLost, StoreFailed}, Mutates: true,
	},
	{
		Name: "AskApproval", Folder: "askapproval", Vars: []string{BucketVar, ChangesVar, LedgerVar, CriticalVar, WarningVar, ConsoleVar},
		Timeout: 30 * time.Second, MemoryMB: 128,
		Actions: slices.Concat(readObjects, appendEntry, []string{"dynamodb:DeleteItem", "dynamodb:GetItem", "sns:Publish", "states:SendTaskSuccess"}), Reads: []string{changes},
		Errors: []string{Throttled, ObjectLost, StoreFailed, ChannelFailed}, Mutates: true,
	},
	{
		Name: "ReadDecision", Folder: "readdecision", Vars: []string{BucketVar, LedgerVar},
		Timeout: 30 * time.Second, MemoryMB: 128,
		Actions: slices.Concat(readObjects, appendEntry), Reads: []string{changes},
		Errors: []string{Throttled, ObjectLost, StoreFailed}, Mutates: true,
	},
	{
		Name: "CheckChange", Folder: "checkchange", Vars: []string{BucketVar, ChangesVar, LedgerVar}, MaySet: []string{BundleVar},
		Timeout: time.Minute, MemoryMB: 1024,
		Actions: slices.Concat(readObjects, readResources, []string{"dynamodb:GetItem", "dynamodb:Query"}), Reads: []string{changes, Bundles}, ReadsLive: true,
		Errors: []string{Throttled, ObjectLost, StoreFailed},
	},
	{
		Name: "ApplyChange", Folder: "applychange", Vars: []string{BucketVar, ChangesVar, LedgerVar},
		Timeout: time.Minute, MemoryMB: 256,
		Actions: slices.Concat(readObjects, changeResources, appendEntry, []string{"dynamodb:GetItem"}), Reads: []string{changes},
		Errors: []string{Throttled, ObjectLost, StoreFailed}, ChangesLive: true, Mutates: true,
	},
	{
		Name: "VerifyChange", Folder: "verifychange", Vars: []string{BucketVar}, MaySet: []string{BundleVar},
		Timeout: time.Minute, MemoryMB: 1024,
		Actions: slices.Concat(readObjects, readResources), Reads: []string{changes, Bundles}, ReadsLive: true,
		Errors: []string{Throttled, ObjectLost, StoreFailed},
	},
	{
		Name: "UndoChange", Folder: "undochange", Vars: []string{BucketVar, ChangesVar, LedgerVar},
		Timeout: time.Minute, MemoryMB: 256,
		Actions: slices.Concat(readObjects, changeResources, appendEntry, []string{"dynamodb:GetItem"}), Reads: []string{changes},
		Errors: []string{Throttled, ObjectLost, StoreFailed}, ChangesLive: true, Mutates: true,
	},
	{
		Name: "RecordChange", Folder: "recordchange", Vars: []string{BucketVar, LedgerVar},
		Timeout: 30 * time.Second, MemoryMB: 128,
		Actions: slices.Concat(readObjects, appendEntry), Reads: []string{changes},
		Errors: []string{Throttled, ObjectLost, StoreFailed}, Mutates: true,
	},
	{
		Name: "TellChange", Folder: "tellchange", Vars: []string{BucketVar, CriticalVar, WarningVar},
		Timeout: 30 * time.Second, MemoryMB: 128,
		Actions: slices.Concat(readObjects, []string{"sns:Publish"}), Reads: []string{changes},
		Errors: []string{Throttled, ObjectLost, StoreFailed, ChannelFailed}, Mutates: true,
	},
	{
		Name: "SettleFinding", Folder: "settlefinding", Vars: []string{BucketVar, FindingsVar, LedgerVar},
		Timeout: 30 * time.Second, MemoryMB: 128,
		Actions: slices.Concat(readObjects, []string{"dynamodb:Query", "dynamodb:UpdateItem"}), Reads: []string{changes},
		Errors: []string{Throttled, ObjectLost, StoreFailed}, Mutates: true,
	},
	{
		Name: "ReleaseLeases", Folder: "releaseleases", Vars: []string{BucketVar, ChangesVar},
		Timeout: 30 * time.Second, MemoryMB: 128,
		Actions: slices.Concat(readObjects, []string{"dynamodb:DeleteItem"}), Reads: []string{changes},
		Errors: []string{Throttled, ObjectLost, StoreFailed}, Mutates: true,
	},
	{
		Name: "SweepApprovals", Folder: "sweepapprovals", Vars: []string{BucketVar, ChangesVar, LedgerVar, CriticalVar, WarningVar}, MaySet: []string{InboxVar},
		Timeout: time.Minute, MemoryMB: 128,
		Actions: slices.Concat(readObjects, appendEntry, []string{"dynamodb:DeleteItem", "dynamodb:GetItem", "sns:Publish", "states:SendTaskSuccess"}), Reads: []string{changes},
		Errors: []string{Throttled, ObjectLost, StoreFailed, ChannelFailed}, Mutates: true,
	},
	{
		Name: "AnchorLedger", Folder: "anchorledger", Vars: []string{LedgerVar, AnchorVar, CriticalVar, WarningVar},
		Timeout: 5 * time.Minute, MemoryMB: 256,
		Actions: slices.Concat(appendEntry, []string{"s3:ListBucketVersions", "s3:PutObject", "sns:Publish"}), Writes: []string{anchors},
		Errors: []string{Throttled, StoreFailed, ChannelFailed}, Mutates: true,
	},
}

// Delivery lists what a queue calls. It runs outside of the VPC, and reads the
// secrets of its channels and no data.
var Delivery = []Task{
	{
		Name: "Deliver", Folder: "deliver", Vars: []string{QueueVar, LettersVar, ChannelsVar, SecretsVar},
		Timeout: time.Minute, MemoryMB: 128,
		Actions: []string{"secretsmanager:GetSecretValue", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility", "sqs:SendMessage"},
		Mutates: true,
	},
}

// All lists the functions of all of them.
func All() []Task { return slices.Concat(Tasks, Remediation, Approval, Delivery) }

// evaluations returns one function a domain, all of the folder evaluate.
func evaluations() []Task {
	var out []Task
	for _, d := range finding.Domains {
		out = append(out, Task{
			Name: Evaluate(d), Folder: "evaluate", Env: map[string]string{DomainVar: string(d)}, Vars: []string{BucketVar}, MaySet: []string{BundleVar},
			Timeout: time.Minute, MemoryMB: 1024,
			Actions: writeObjects, Reads: []string{work, Bundles}, Writes: []string{work},
			Errors: []string{Throttled, ObjectLost, StoreFailed, RulesBroken},
		})
	}
	return out
}

// Evaluate is the name of the function that judges one domain.
func Evaluate(d finding.Domain) string {
	return "Evaluate" + strings.ToUpper(string(d[:1])) + string(d[1:])
}

// Find returns the task of this name.
func Find(name string) (Task, bool) {
	all := All()
	i := slices.IndexFunc(all, func(t Task) bool { return t.Name == name })
	if i < 0 {
		return Task{}, false
	}
	return all[i], true
}
