package remedy_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/remedy"
	"plumbline/ruleset"
)

// harmless are rules on who reaches what, and how it is encrypted, whose fix
// cuts nobody off and can be taken back, though no schema says so: why.
var harmless = map[string]string{
	"apigateway-stage-cache-encrypted":          "the cache fills again",
	"cognito-user-pool-mfa":                     "a second factor is offered, not asked for",
	"firehose-stream-encrypted":                 "AWS's own key needs no permission",
	"kms-key-enabled":                           "it gives access",
	"kms-key-rotation":                          "earlier versions of the key go on reading",
	"rds-cluster-iam-auth":                      "passwords stay valid",
	"rds-instance-iam-auth":                     "passwords stay valid",
	"redshift-cluster-encrypted":                "it is decrypted by the same way",
	"networkfirewall-policy-default-action":     "the stateful rules decide",
	"networkfirewall-policy-fragment-action":    "the stateful rules decide",
	"ssm-document-public-sharing":               "what is public stays so",
	"sqs-queue-encrypted":                       "SSE-SQS needs no permission; only requests without a signature over HTTP are refused",
	"ecs-task-efs-transit":                      "the mount helper does both",
	"sagemaker-data-quality-traffic-encryption": "jobs take longer",
}

// TestFixesSayWhomTheyCutOff: a fix on network exposure, authentication, TLS or
// encryption at rest asks people first, unless somebody has judged it harmless.
func TestFixesSayWhomTheyCutOff(t *testing.T) {
	set := builtin(t)
	listed := map[string]bool{}
	rules, err := set.Rules()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		id := r.ID
		if len(r.Fix) == 0 || !slices.Contains([]finding.Domain{finding.Network, finding.Identity, finding.Encryption}, r.Domain) {
			continue
		}
		var c remedy.Consequences
		c.OfRule(r)
		said := len(c.Destructive)+len(c.Irreversible) > 0
		known := true
		for _, typ := range r.Types {
			c, ops := remedy.Consequences{}, stepOps(r)
			if len(ops) > 0 {
				c = remedy.ConsequencesOf(typ, ops)
			}
			known = known && (len(ops) == 0 || len(c.Destructive) > 0 || len(c.TemplateOnly) > 0)
		}
		_, harms := harmless[id]
		listed[id] = true
		if !said && !known && !harms {
			t.Errorf("%s does not say whether its fix cuts somebody off (cutsOff) or can never be taken back (irreversible): %s", id, r.Breaks)
		}
	}
	for id := range harmless {
		if !listed[id] {
			t.Errorf("%s is listed as harmless, and is no such rule", id)
		}
	}
}

// TestIrreversibleWordsAreData: no rule says in words alone that its fix stays.
func TestIrreversibleWordsAreData(t *testing.T) {
	set := builtin(t)
	rules, err := set.Rules()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		id := r.ID
		said := strings.Contains(r.Breaks, "cannot be taken back") || strings.Contains(r.Breaks, "cannot be turned off again")
		if said != (r.Permanent != "") {
			t.Errorf("%s: breaks %q, irreversible %q", id, r.Breaks, r.Permanent)
		}
	}
}

func TestPlansOfWhatCutsOffOrStays(t *testing.T) {
	for _, row := range []struct {
		rule, typ, model string
		cuts, final      bool
	}{
		{"eks-cluster-public-endpoint", "AWS::EKS::Cluster", `{"Name":"c","ResourcesVpcConfig":{"SubnetIds":["s"],"EndpointPublicAccess":true}}`, true, false},
		{"opensearch-domain-https", "AWS::OpenSearchService::Domain", `{"DomainName":"d"}`, true, false},
		{"opensearch-domain-node-to-node", "AWS::OpenSearchService::Domain", `{"DomainName":"d"}`, false, true},
		{"opensearch-domain-encrypted", "AWS::OpenSearchService::Domain", `{"DomainName":"d"}`, false, true},
		{"s3-bucket-object-lock", "AWS::S3::Bucket", `{"BucketName":"b","VersioningConfiguration":{"Status":"Enabled"}}`, false, true},
		{"s3-bucket-versioning", "AWS::S3::Bucket", `{"BucketName":"b"}`, false, false},
	} {
		t.Run(row.rule, func(t *testing.T) {
			p, err := remedy.Make(context.Background(), builtin(t), found(row.rule, row.typ, "R"), "id", []byte(row.model), nil)
			if err != nil {
				t.Fatal(err)
			}
			cuts := slices.ContainsFunc(p.Destructive, func(s string) bool { return strings.HasPrefix(s, "somebody may be cut off: ") })
			if cuts != row.cuts || p.Final() != row.final || row.final != (len(p.Undo) == 0) {
				t.Errorf("destructive %q, irreversible %q, undo %v", p.Destructive, p.Irreversible, p.Undo)
			}
		})
	}
}

// stepOps are a rule's changes of its own resource.
func stepOps(r *ruleset.Rule) (ops []cfn.Op) {
	for _, s := range r.Fix {
		if s.On == "" && (s.Do == cfn.OpSet || s.Do == cfn.OpAdd || s.Do == cfn.OpRemove) {
			path := make([]string, 0, len(s.Path))
			for _, key := range s.Path {
				if name, each := strings.CutSuffix(key, "[]"); each {
					path = append(path, name, "*")
				} else {
					path = append(path, key)
				}
			}
			ops = append(ops, cfn.Op{Do: s.Do, Path: path})
		}
	}
	return ops
}
