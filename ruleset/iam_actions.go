package ruleset

import (
	"sort"
	"strings"
)

// placelessActions are the actions that know no resources, or none that is known
// before, by service and as patterns of their names in lower case: AWS's Service
// Authorization Reference lists no resource type beside them.
var placelessActions = map[string][]string{
	"acm":                     {"listcertificates"},
	"application-autoscaling": {"describe*"},
	"autoscaling":             {"describe*"},
	"ce":                      {"get*"},
	"cloudformation":          {"describeaccountlimits", "estimatetemplatecost", "listexports", "listimports", "liststacks", "validatetemplate"},
	"cloudwatch":              {"describe*", "getmetric*", "listmetrics", "putmetricdata"},
	"comprehend":              {"batchdetect*", "detect*"},
	"dynamodb":                {"listtables"},
	"ec2": {"assignprivateipaddresses", "associateaddress", "attachnetworkinterface", "createnetworkinterface", "deletenetworkinterface", "describe*",
		"detachnetworkinterface", "disassociateaddress", "unassignprivateipaddresses"},
	"ec2messages":          {"*"},
	"ecr":                  {"getauthorizationtoken"},
	"ecs":                  {"createcluster", "describetaskdefinition", "discoverpollendpoint", "listclusters", "listtaskdefinitions", "poll", "registertaskdefinition"},
	"elasticloadbalancing": {"describe*"},
	"iam":                  {"listaccountaliases", "listgroups", "listinstanceprofiles", "listpolicies", "listroles", "listusers"},
	"kms":                  {"createkey", "generaterandom", "listaliases", "listkeys"},
	"lambda":               {"listeventsourcemappings", "listfunctions", "listlayers"},
	"logs": {"createlogdelivery", "deletelogdelivery", "describeloggroups", "describeresourcepolicies", "getlogdelivery", "listlogdeliveries",
		"putresourcepolicy", "updatelogdelivery"},
	"organizations": {"describe*"},
	"polly":         {"describevoices", "synthesizespeech"},
	"pricing":       {"*"},
	"rekognition":   {"detect*"},
	"route53":       {"getchange", "listhostedzones*"},
	"s3":            {"getaccountpublicaccessblock", "listallmybuckets"},
	"sns":           {"listtopics"},
	"sqs":           {"listqueues"},
	"ssm":           {"describeinstanceinformation", "listassociations", "listinstanceassociations", "putconfigurepackageresult", "updateinstanceinformation"},
	"ssmmessages":   {"*"},
	"sts":           {"getcalleridentity", "getsessiontoken"},
	"tag":           {"get*"},
	"textract":      {"analyze*", "detect*"},
	"translate":     {"translatetext"},
	"xray":          {"*"},
}

// placeless reports whether all that an Action takes in knows no resources.
func placeless(action string) bool {
	service, name, found := strings.Cut(strings.ToLower(action), ":")
	return found && name != "" && GlobAny(placelessActions[service], name)
}

// writingVerbs begin the names of the actions that change something, sorted.
var writingVerbs = []string{"add", "associate", "attach", "authorize", "batchdelete", "batchput", "batchwrite", "cancel", "change", "copy", "create", "delete",
	"deregister", "detach", "disable", "disassociate", "enable", "import", "invoke", "modify", "publish", "purge", "put", "reboot", "register", "remove",
	"replace", "reset", "restore", "revoke", "run", "send", "set", "start", "stop", "tag", "terminate", "untag", "update", "upload", "write"}

// keeping are the actions that make a log and add to it: nothing is lost by
// them, and AWS's own execution roles grant them on every log group.
var keeping = map[string]bool{"logs:createloggroup": true, "logs:createlogstream": true, "logs:putlogevents": true}

// writes reports whether an Action takes in one that changes a resource. A
// pattern does if its text before the first wildcard begins with such a verb or is
// the beginning of one ("s3:P*"), or if nothing stands before it ("s3:*Object").
func writes(action string) bool {
	lower := strings.ToLower(action)
	if keeping[lower] {
		return false
	}
	if wholeService(lower) {
		return !placeless(lower)
	}
	_, name, found := strings.Cut(lower, ":")
	if !found {
		name = lower
	}
	fixed, _, pattern := strings.Cut(name, "*")
	if i := strings.IndexByte(fixed, '?'); i >= 0 {
		fixed, pattern = fixed[:i], true
	}
	if fixed == "" {
		return pattern && !placeless(action)
	}
	// The verb that begins the name is the last that does not sort behind it.
	i := sort.SearchStrings(writingVerbs, fixed)
	begins := i < len(writingVerbs) && writingVerbs[i] == fixed || i > 0 && strings.HasPrefix(fixed, writingVerbs[i-1])
	begins = begins || pattern && i < len(writingVerbs) && strings.HasPrefix(writingVerbs[i], fixed)
	return begins && !placeless(action)
}
