package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"plumbline/finding"
)

// Limits of the AWS Security Finding Format, in characters. Source: Security
// Hub User Guide, "Required top-level ASFF attributes" and BatchImportFindings.
const (
	asffTitle       = 256
	asffDescription = 1024
	asffText        = 512
	asffRelated     = 32 // related requirements
)

// ASFFOptions say what rows of the findings table lack for Security Hub.
type ASFFOptions struct {
	Account string // of rows that name none
	Region  string
	// Rule describes a rule; nil for one that is not known.
	Rule func(id string) *Rule
}

// ASFF writes records as a document {"Findings": […]} in the AWS Security
// Finding Format. BatchImportFindings takes 100 of them at a time. A record whose
// account or region nothing names is an error, since Security Hub refuses it.
func ASFF(w io.Writer, records []finding.Record, o ASFFOptions) error {
	type object = map[string]any
	findings := make([]object, 0, len(records))
	for i := range records {
		r := &records[i]
		account, region := or(r.Resource.Account, o.Account), or(r.Resource.Region, o.Region)
		if account == "" || region == "" {
			return fmt.Errorf("%s on %s: Security Hub asks for account and region, and the scan did not know both. give --account and --region", r.Rule, Plain(r.ResourceID()))
		}
		title, remediation := r.Rule, r.Remediation
		var related []string
		if rule := o.Rule(r.Rule); rule != nil {
			title, remediation = or(rule.Title, r.Rule), or(remediation, rule.Remediation)
			for _, c := range rule.Controls {
				if len(related) < asffRelated {
					related = append(related, c.Framework+"/"+c.ID)
				}
			}
		}
		compliance := object{"Status": "FAILED"}
		record, workflow := "ACTIVE", "NEW"
		switch r.State {
		case finding.Resolved:
			compliance["Status"], record, workflow = "PASSED", "ARCHIVED", "RESOLVED"
		case finding.Suppressed:
			workflow = "SUPPRESSED"
		case finding.Acknowledged, finding.InRemediation:
			workflow = "NOTIFIED"
		}
		if len(related) > 0 {
			compliance["RelatedRequirements"] = related
		}
		partition := partitionOf(region)
		resource := object{
			"Type": "Other", "Id": clip(Plain(or(r.Resource.LogicalID, r.Where())), asffText), "Partition": partition, "Region": region,
			"Details": object{"Other": object{
				"ResourceType": or(r.Resource.Type, "template"), "LogicalId": or(r.Resource.LogicalID, "none"), "Stack": clip(Plain(or(r.Where(), "none")), asffDescription),
			}},
		}
		fields := object{"plumbline/State": string(r.State)}
		if !r.Due.IsZero() {
			fields["plumbline/Due"] = r.Due.UTC().Format(time.RFC3339)
		}
		if r.Owner != "" {
			fields["plumbline/Owner"] = clip(Plain(r.Owner), asffText)
		}
		f := object{
			"SchemaVersion": "2018-10-08",
			"Id":            "plumbline/" + r.Fingerprint() + "/" + r.FirstSeen.UTC().Format("20060102T150405.000000000Z"),
			"ProductArn":    fmt.Sprintf("arn:%s:securityhub:%s:%s:product/%s/default", partition, region, account, account),
			"ProductName":   "plumbline", "CompanyName": "plumbline",
			"GeneratorId": "plumbline/" + r.Rule, "AwsAccountId": account, "Region": region,
			"Types":     []string{"Software and Configuration Checks/Industry and Regulatory Standards"},
			"CreatedAt": stamp(r.FirstSeen), "UpdatedAt": stamp(r.LastSeen), "FirstObservedAt": stamp(r.FirstSeen), "LastObservedAt": stamp(r.LastSeen),
			"Severity": object{"Label": strings.ToUpper(string(r.Severity)), "Original": string(r.Severity)},
			"Title":    clip(Plain(title), asffTitle), "Description": clip(Plain(or(r.Message, title)), asffDescription),
			"Resources": []any{resource}, "Compliance": compliance, "Workflow": object{"Status": workflow}, "RecordState": record, "ProductFields": fields,
		}
		if remediation != "" {
			f["Remediation"] = object{"Recommendation": object{"Text": clip(Plain(remediation), asffText)}}
		}
		findings = append(findings, f)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(object{"Findings": findings})
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// partitionOf is the partition that a region lies in.
func partitionOf(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// clip shortens a text to max characters.
func clip(s string, max int) string {
	if r := []rune(s); len(r) > max {
		return string(r[:max-1]) + "…"
	}
	return s
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
