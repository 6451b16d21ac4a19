//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// request is what IAM decides about: may this role do this with this.
type request struct {
	caller           string // function or state machine, without the prefix Plumbline
	region           string
	action, resource string
}

// calls are those that the suite has made, each once.
type calls struct {
	mu      sync.Mutex
	made    map[request]bool
	unknown map[string]bool // what nobody can tell the permission of
}

func (c *calls) add(list ...request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made == nil {
		c.made = map[request]bool{}
	}
	for _, r := range list {
		c.made[r] = true
	}
}

// lost notes a call that is not understood: a permission that nobody holds to anything.
func (c *calls) lost(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unknown == nil {
		c.unknown = map[string]bool{}
	}
	c.unknown[fmt.Sprintf(format, args...)] = true
}

// appID is how a function names itself in the User-Agent of its calls: the
// emulator gives all functions the same credentials.
var (
	appID = regexp.MustCompile(`\bapp/Plumbline([A-Za-z]+)`)
	// Source: IAM User Guide, "Create a signed AWS API request", Credential.
	scope = regexp.MustCompile(`Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request`)
)

// record notes a call of a function. Calls of other programs have no caller.
func (c *calls) record(r *http.Request, body []byte) {
	app, signed := appID.FindStringSubmatch(r.UserAgent()), scope.FindStringSubmatch(r.Header.Get("Authorization"))
	if app == nil || signed == nil {
		c.lost("%s %s by %q, which names no function", r.Method, r.URL.Path, r.UserAgent())
		return
	}
	list := permissions(signed[2], signed[1], r, body)
	if len(list) == 0 {
		c.lost("%s: %s %s %s %.100s", signed[2], r.Method, r.URL, r.Header.Get("X-Amz-Target"), body)
	}
	for i := range list {
		list[i].caller, list[i].region = app[1], signed[1]
	}
	c.add(list...)
}

// permissions are what a call needs; none: it is not known. Source: Service
// Authorization Reference, the actions of each service and their types of resources.
func permissions(service, region string, r *http.Request, body []byte) []request {
	if service == "s3" {
		return ofS3(r)
	}
	in := map[string]any{}
	_, action, isJSON := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if isJSON {
		if json.Unmarshal(body, &in) != nil {
			return nil
		}
	} else {
		form, err := url.ParseQuery(string(body))
		if err != nil || form.Get("Action") == "" {
			return nil
		}
		for k := range form {
			in[k] = form.Get(k)
		}
		action = form.Get("Action")
	}
	arn := func(service, kind string) string {
		return "arn:aws:" + service + ":" + region + ":" + account + ":" + kind
	}
	text := func(key string) string { s, _ := in[key].(string); return s }
	one := func(action, resource string) []request { return []request{{action: action, resource: resource}} }
	switch service {
	case "dynamodb":
		return ofDynamoDB(action, in, arn("dynamodb", "table/"))
	case "states":
		for _, key := range []string{"stateMachineArn", "executionArn"} {
			if text(key) != "" {
				return one("states:"+action, text(key))
			}
		}
		// By a token, of one of the machines that wait: the role must let it answer each.
		wait := arn("states", "stateMachine:Plumbline")
		return append(one("states:"+action, wait+"ReviewViolation"), one("states:"+action, wait+"RemediateFinding")...)
	case "sns":
		return one("sns:"+action, text("TopicArn"))
	case "sqs":
		_, name, _ := strings.Cut(strings.TrimPrefix(text("QueueUrl"), "http://"), "/"+account+"/")
		return one("sqs:"+action, arn("sqs", name))
	case "cloudformation":
		name := text("StackName")
		if text("PhysicalResourceId") != "" { // of whichever stack
			return one("cloudformation:"+action, arn("cloudformation", "stack/Any/1"))
		}
		if !strings.HasPrefix(name, "arn:") {
			name = arn("cloudformation", "stack/"+name+"/*")
		}
		if action == "ListStacks" {
			name = "*"
		}
		return one("cloudformation:"+action, name)
	case "cloudcontrolapi":
		return one("cloudformation:"+action, "*")
	case "secretsmanager":
		return one("secretsmanager:"+action, arn("secretsmanager", "secret:"+text("SecretId")+"-AbCdEf"))
	case "config":
		return one("config:"+action, "*")
	}
	return nil
}

// ofS3 reads the path. Source: Amazon S3 User Guide, "Required permissions for
// Amazon S3 API operations".
func ofS3(r *http.Request) []request {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	resource := "arn:aws:s3:::" + bucket
	if key == "" {
		if r.Method == http.MethodGet && r.URL.Query().Has("list-type") {
			return []request{{action: "s3:ListBucket", resource: resource}}
		}
		if r.Method == http.MethodGet && r.URL.Query().Has("versions") {
			return []request{{action: "s3:ListBucketVersions", resource: resource}}
		}
		return nil
	}
	resource += "/" + key
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if r.URL.Query().Has("retention") {
			return nil
		}
		return []request{{action: "s3:GetObject", resource: resource}}
	case http.MethodPut:
		list := []request{{action: "s3:PutObject", resource: resource}}
		if r.Header.Get("X-Amz-Object-Lock-Mode") != "" {
			list = append(list, request{action: "s3:PutObjectRetention", resource: resource})
		}
		return list
	case http.MethodDelete:
		return []request{{action: "s3:DeleteObject", resource: resource}}
	}
	return nil
}

// ofDynamoDB gives a transaction the permissions of its parts. Source: Amazon
// DynamoDB Developer Guide, "Using IAM with DynamoDB transactions".
func ofDynamoDB(action string, in map[string]any, tables string) []request {
	of := func(action string, in map[string]any) request {
		table, _ := in["TableName"].(string)
		if _, name, found := strings.Cut(table, ":table/"); found {
			table = name
		}
		if index, _ := in["IndexName"].(string); index != "" {
			table += "/index/" + index
		}
		return request{action: "dynamodb:" + action, resource: tables + table}
	}
	if action != "TransactWriteItems" {
		return []request{of(action, in)}
	}
	var list []request
	parts, _ := in["TransactItems"].([]any)
	for _, p := range parts {
		p, _ := p.(map[string]any)
		for name, one := range p {
			one, _ := one.(map[string]any)
			if name == "ConditionCheck" {
				list = append(list, of("ConditionCheckItem", one))
			} else {
				list = append(list, of(name+"Item", one))
			}
		}
	}
	return list
}

// sorted are the calls as lines.
func (c *calls) sorted() (made []request, unknown []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for r := range c.made {
		made = append(made, r)
	}
	for u := range c.unknown {
		unknown = append(unknown, u)
	}
	slices.SortFunc(made, func(a, b request) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	slices.Sort(unknown)
	return made, unknown
}
