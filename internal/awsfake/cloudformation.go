package awsfake

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Parts of CloudFormation's answers. Source: CloudFormation API Reference.
type (
	pair struct {
		Key            string `xml:"Key,omitempty"`
		Value          string `xml:"Value,omitempty"`
		ParameterKey   string `xml:"ParameterKey,omitempty"`
		ParameterValue string `xml:"ParameterValue,omitempty"`
	}
	member struct {
		StackID                                            string `xml:"StackId,omitempty"`
		StackName, StackStatus                             string `xml:",omitempty"`
		Parameters                                         []pair `xml:"Parameters>member"`
		Tags                                               []pair `xml:"Tags>member"`
		LogicalID                                          string `xml:"LogicalResourceId,omitempty"`
		PhysicalID                                         string `xml:"PhysicalResourceId,omitempty"`
		ResourceType                                       string `xml:",omitempty"`
		ResourceStatus, LastUpdatedTimestamp, CreationTime string `xml:",omitempty"`
	}
	stacksResult struct {
		XMLName xml.Name `xml:"Stacks"`
		Members []member `xml:"member"`
	}
)

func (s *Stack) status() string {
	if s.Status == "" {
		return "CREATE_COMPLETE"
	}
	return s.Status
}

func (a *Account) serveQuery(w http.ResponseWriter, body []byte) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		answerXML(w, "", nil, refuse("MalformedInput", "%s", err))
		return
	}
	action := form.Get("Action")
	service := "cloudformation:"
	if action == "ListSubscriptionsByTopic" {
		service = "sns:"
	}
	if action == "AssumeRole" || action == "GetCallerIdentity" {
		service = "sts:"
	}
	if fail := a.gate(service+action, ""); fail != nil {
		fail.code = strings.Replace(strings.Replace(fail.code, "AccessDeniedException", "AccessDenied", 1), "ThrottlingException", "Throttling", 1)
		answerXML(w, action, nil, fail)
		return
	}
	var result any
	var fail *failure
	switch action {
	case "DescribeStacks":
		result, fail = a.describeStacks(form.Get("StackName"))
	case "GetTemplate":
		var s *Stack
		if s, fail = a.stack(form.Get("StackName")); s != nil {
			result = struct {
				XMLName      xml.Name `xml:"TemplateBody"`
				TemplateBody string   `xml:",chardata"`
			}{TemplateBody: s.Template}
		}
	case "ListStacks":
		result = a.listStacks(form)
	case "ListStackResources":
		result, fail = a.listStackResources(form)
	case "DescribeStackResources":
		result, fail = a.stackOf(form.Get("PhysicalResourceId"))
	case "AssumeRole":
		a.Role = form.Get("RoleArn")
		result = credentials{AccessKeyID: "ASIAFAKE", SecretAccessKey: "secret", SessionToken: "token", Expiration: "2099-01-01T00:00:00Z"}
	case "ListSubscriptionsByTopic":
		result = struct {
			XMLName xml.Name       `xml:"Subscriptions"`
			Members []subscription `xml:"member"`
		}{Members: a.subscriptionsOf(form.Get("TopicArn"))}
	case "GetCallerIdentity":
		result = struct {
			XMLName xml.Name `xml:"Account"`
			Account string   `xml:",chardata"`
		}{Account: a.ID}
	default:
		fail = refuse("InvalidAction", "%s is not part of this fake", action)
	}
	answerXML(w, action, result, fail)
}

type credentials struct {
	XMLName         xml.Name `xml:"Credentials"`
	AccessKeyID     string   `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

// stack finds a stack by its name or id; a deleted one has its id only.
func (a *Account) stack(name string) (*Stack, *failure) {
	for _, s := range a.Stacks {
		if s.Name == name && s.status() != "DELETE_COMPLETE" || a.ARN(s) == name {
			return s, nil
		}
	}
	return nil, refuse("ValidationError", "Stack with id %s does not exist", name)
}

func pairs(m map[string]string, parameter bool) []pair {
	var out []pair
	for k, v := range m {
		if parameter {
			out = append(out, pair{ParameterKey: k, ParameterValue: v})
		} else {
			out = append(out, pair{Key: k, Value: v})
		}
	}
	slices.SortFunc(out, func(a, b pair) int { return strings.Compare(a.Key+a.ParameterKey, b.Key+b.ParameterKey) })
	return out
}

func (a *Account) describeStacks(name string) (any, *failure) {
	s, fail := a.stack(name)
	if fail != nil {
		return nil, fail
	}
	return stacksResult{Members: []member{{
		StackID: a.ARN(s), StackName: s.Name, StackStatus: s.status(), CreationTime: "2026-01-02T03:04:05Z",
		Parameters: pairs(s.Parameters, true), Tags: pairs(s.Tags, false),
	}}}, nil
}

// page cuts a list by the form's token.
func page[T any](a *Account, form url.Values, all []T) ([]T, string) {
	start, _ := strconv.Atoi(form.Get("NextToken"))
	end := min(start+a.page(), len(all))
	next := ""
	if end < len(all) {
		next = strconv.Itoa(end)
	}
	return all[min(start, end):end], next
}

// listed is a list with a token: two elements side by side.
type listed struct {
	name    string
	members []member
	next    string
}

// MarshalXML writes the elements without one around them.
func (l listed) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	err := e.EncodeElement(struct {
		Members []member `xml:"member"`
	}{l.members}, xml.StartElement{Name: xml.Name{Local: l.name}})
	if err != nil || l.next == "" {
		return err
	}
	return e.EncodeElement(l.next, xml.StartElement{Name: xml.Name{Local: "NextToken"}})
}

// stackOf gives all resources of the stack that one of them, by its physical
// id, belongs to. Source: CloudFormation API Reference, DescribeStackResources.
func (a *Account) stackOf(physical string) (any, *failure) {
	for _, s := range a.Stacks {
		if s.status() == "DELETE_COMPLETE" || !slices.ContainsFunc(s.Resources, func(r StackResource) bool { return r.Physical == physical }) {
			continue
		}
		var all []member
		for _, r := range s.Resources {
			all = append(all, member{StackID: a.ARN(s), StackName: s.Name, LogicalID: r.LogicalID, PhysicalID: r.Physical, ResourceType: r.Type, ResourceStatus: "CREATE_COMPLETE", LastUpdatedTimestamp: "2026-01-02T03:04:05Z"})
		}
		return listed{"StackResources", all, ""}, nil
	}
	return nil, refuse("ValidationError", "Stack for %s does not exist", physical)
}

func (a *Account) listStacks(form url.Values) any {
	var wanted []string
	for key, values := range form {
		if strings.HasPrefix(key, "StackStatusFilter.member.") {
			wanted = append(wanted, values...)
		}
	}
	var all []member
	for _, s := range a.Stacks {
		if len(wanted) == 0 || slices.Contains(wanted, s.status()) {
			all = append(all, member{StackID: a.ARN(s), StackName: s.Name, StackStatus: s.status(), CreationTime: "2026-01-02T03:04:05Z"})
		}
	}
	some, next := page(a, form, all)
	return listed{"StackSummaries", some, next}
}

func (a *Account) listStackResources(form url.Values) (any, *failure) {
	s, fail := a.stack(form.Get("StackName"))
	if fail != nil {
		return nil, fail
	}
	var all []member
	for _, r := range s.Resources {
		status := r.Status
		if status == "" {
			status = "CREATE_COMPLETE"
		}
		all = append(all, member{LogicalID: r.LogicalID, PhysicalID: r.Physical, ResourceType: r.Type, ResourceStatus: status, LastUpdatedTimestamp: "2026-01-02T03:04:05Z"})
	}
	some, next := page(a, form, all)
	return listed{"StackResourceSummaries", some, next}, nil
}
