package permission

import "strings"

// cloudControl are the actions of Cloud Control, which IAM counts among
// CloudFormation's and which have an endpoint of their own. Source: Service
// Authorization Reference, "AWS Cloud Control API".
var cloudControl = []string{"GetResource", "ListResources", "UpdateResource", "GetResourceRequestStatus", "ListResourceRequests"}

// Service is the service whose endpoint an action needs, by the name that the
// endpoint has.
func Service(action string) string {
	service, name, _ := strings.Cut(action, ":")
	if service == "cloudformation" {
		for _, a := range cloudControl {
			if a == name {
				return "cloudcontrolapi"
			}
		}
	}
	return service
}

// SecurityAudit is AWS's own policy that reads the settings of all services,
// and no data. Functions that read live resources have it: Cloud Control reads
// each type with its caller's permissions, and AWS keeps the policy in step
// with the types.
const SecurityAudit = "arn:${AWS::Partition}:iam::aws:policy/SecurityAudit"
