package deployment

import (
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"plumbline/alert"
	"plumbline/finding"
	"plumbline/infra/permission"
)

// The first two fields of an expression of EventBridge: one value, a list, a
// range or a step. Source: EventBridge User Guide, "Cron expressions reference".
const (
	minutes = `(\*|[0-5]?\d)([-/,][0-5]?\d)*`
	hours   = `(\*|1?\d|2[0-3])([-/,](1?\d|2[0-3]))*`
)

var (
	accountID = regexp.MustCompile(`^\d{12}$`)
	// Region names as AWS forms them: partition or geography, direction, number.
	regionName   = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d$`)
	schedule     = regexp.MustCompile(`^(rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)|cron\(` + minutes + ` ` + hours + ` \S+ \S+ \S+ \S+\))$`)
	resourceType = regexp.MustCompile(`^AWS::([A-Za-z0-9]+::[A-Za-z0-9]+|[A-Za-z0-9]+::\*|\*)$`)
	subnetID     = regexp.MustCompile(`^subnet-[0-9a-f]+$`)
	zoneID       = regexp.MustCompile(`^[a-z]+\d-az\d+$`)
	groupID      = regexp.MustCompile(`^sg-[0-9a-f]+$`)
	secretName   = regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]{1,512}$`)
)

// logDays are the retentions that CloudWatch Logs takes. Source: CloudWatch
// Logs API Reference, PutRetentionPolicy.
var logDays = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// problems collects what is wrong.
type problems []error

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Errorf(format, args...)) }

func (d *Deployment) validate() error {
	var p problems
	if !accountID.MatchString(d.Account) {
		p.add("account %q: 12 digits are needed", d.Account)
	}
	for i, r := range d.Regions() {
		if strings.HasPrefix(r, "cn-") || strings.HasPrefix(r, "us-gov-") {
			p.add("region %q: the stacks are for regions of the partition aws", r)
		}
		if !regionName.MatchString(r) {
			p.add("region %q: a name such as %s is needed", r, DefaultPrimary)
		}
		if slices.Contains(d.Regions()[:i], r) {
			p.add("region %q stands twice in %s. name each region once", r, strings.Join(d.Regions(), ", "))
		}
	}
	p.audience("security", d.Security)
	p.audience("devops", d.DevOps)
	p.schedule("daily", d.Schedules.Daily)
	p.schedule("weekly", d.Schedules.Weekly)
	p.schedule("report", d.Schedules.Report)
	p.schedule("overdue", d.Schedules.Overdue)
	p.retention(d.Retention)
	p.network(d.Network, d.Regions())
	for i, typ := range d.ConfigTypes {
		if !resourceType.MatchString(typ) || strings.Contains(typ, "*") {
			p.add("configTypes[%d] %q: a type such as AWS::S3::Bucket is needed", i, typ)
		}
		if slices.Contains(d.ConfigTypes[:i], typ) {
			p.add("configTypes[%d] %q stands twice. name each type once", i, typ)
		}
	}
	if !slices.Contains([]string{Off, "warn", "fail"}, d.Hook) {
		p.add("hook %q: allowed are off, warn and fail", d.Hook)
	}
	p.webhooks(d.Webhooks)
	if d.Remediation != Off && d.Remediation != On {
		p.add("remediation %q: allowed are %s and %s", d.Remediation, Off, On)
	}
	if d.Remediation == On && len(d.RemediationTypes) == 0 {
		p.add("remediationTypes is empty, so that nothing could be changed. name some, leave the key out, or turn remediation %s", Off)
	}
	for i, typ := range d.RemediationTypes {
		if _, err := permission.OfChange(typ); err != nil {
			p.add("remediationTypes[%d]: %w", i, err)
		}
		if slices.Contains(d.RemediationTypes[:i], typ) {
			p.add("remediationTypes[%d] %q stands twice. name each type once", i, typ)
		}
	}
	if d.Recorder != RecorderExisting && d.Recorder != RecorderCreate {
		p.add("recorder %q: allowed are %s and %s", d.Recorder, RecorderExisting, RecorderCreate)
	}
	p.oidc(d.OIDC)
	for _, k := range slices.Sorted(maps.Keys(d.Tags)) {
		if k == "" || len(k) > 128 || strings.HasPrefix(strings.ToLower(k), "aws:") || k == "application" {
			p.add("tags: key %q: 1 to 128 characters are needed, not aws:… and not application", k)
		}
		if v := d.Tags[k]; v == "" || len(v) > 256 {
			p.add("tags: value %q of %q: 1 to 256 characters are needed", v, k)
		}
	}
	if err := errors.Join(p...); err != nil {
		return fmt.Errorf("deployment: %w", err)
	}
	return nil
}

func (p *problems) webhooks(list []Webhook) {
	names, secrets := map[string]bool{}, map[string]bool{}
	for i, w := range list {
		if !slices.Contains(alert.Kinds, w.Kind) {
			p.add("webhooks[%d].kind %q: allowed are %s", i, w.Kind, strings.Trim(fmt.Sprint(alert.Kinds), "[]"))
		}
		if names[w.Name] {
			p.add("webhooks[%d].name %q stands twice. give each webhook a name of its own", i, w.Name)
		}
		if !secretName.MatchString(w.Secret) {
			p.add("webhooks[%d].secret %q: the name of a secret in Secrets Manager is needed", i, w.Secret)
		}
		if secrets[w.Secret] {
			p.add("webhooks[%d].secret %q stands twice. give each webhook a secret of its own", i, w.Secret)
		}
		for _, s := range w.Severities {
			if !slices.Contains(finding.Severities, s) {
				p.add("webhooks[%d].severities: %q: allowed are critical, high, medium and low", i, s)
			}
		}
		names[w.Name], secrets[w.Secret] = true, true
	}
}

func (p *problems) audience(name string, a Audience) {
	for i, m := range a.Mail {
		if parsed, err := mail.ParseAddress(m); err != nil || parsed.Address != m {
			p.add("%s.mail: %q: an address such as team@example.com is needed", name, m)
		}
		if slices.Contains(a.Mail[:i], m) {
			p.add("%s.mail: %q stands twice. name each address once", name, m)
		}
	}
	for _, s := range a.Severities {
		if !slices.Contains(finding.Severities, s) {
			p.add("%s.severities: %q: allowed are critical, high, medium and low", name, s)
		}
	}
	if len(a.Mail) > 0 && len(a.Severities) == 0 {
		p.add("%s.severities is empty, so that nobody of %s is told of anything. name some, or leave the key out", name, strings.Join(a.Mail, ", "))
	}
	for _, t := range a.ResourceTypes {
		if !resourceType.MatchString(t) {
			p.add("%s.resourceTypes: %q: a type such as AWS::S3::Bucket or AWS::IAM::* is needed", name, t)
		}
	}
}

func (p *problems) schedule(name, s string) {
	if s != Off && !schedule.MatchString(s) {
		p.add("schedules.%s %q: cron(…) with six fields, rate(1 day) or %s is needed", name, s, Off)
	}
}

func (p *problems) retention(r Retention) {
	if r.ReportDays < 365 {
		p.add("retention.reportDays %d: at least 365 are needed: PCI DSS 10.5.1 asks for twelve months", r.ReportDays)
	}
	if r.ArchiveDays < 1 || r.ArchiveDays >= r.ReportDays {
		p.add("retention.archiveDays %d: 1 to less than reportDays are needed", r.ArchiveDays)
	}
	if r.WorkDays < 2 {
		p.add("retention.workDays %d: at least 2 are needed, since an execution lasts 12 hours and S3 counts whole days", r.WorkDays)
	}
	if r.NoncurrentDays < 1 {
		p.add("retention.noncurrentDays %d: at least 1 is needed", r.NoncurrentDays)
	}
	if !slices.Contains(logDays, r.LogDays) {
		p.add("retention.logDays %d: CloudWatch Logs takes %s", r.LogDays, strings.Trim(fmt.Sprint(logDays), "[]"))
	}
}

func (p *problems) network(n Network, regions []string) {
	cidr, err := netip.ParsePrefix(n.CIDR)
	if err != nil || !cidr.Addr().Is4() || cidr != cidr.Masked() || cidr.Bits() < 16 || cidr.Bits() > 26 {
		p.add("network.cidr %q: a range of IPv4 addresses from /16 to /26 is needed, such as 10.71.0.0/24", n.CIDR)
	}
	if n.Zones != 2 && n.Zones != 3 {
		p.add("network.zones %d: allowed are 2 and 3", n.Zones)
	}
	for _, region := range slices.Sorted(maps.Keys(n.ZoneIDs)) {
		ids := n.ZoneIDs[region]
		if !slices.Contains(regions, region) {
			p.add("network.zoneIds: %q is none of the regions %s", region, strings.Join(regions, ", "))
		}
		if distinct := slices.Compact(slices.Sorted(slices.Values(ids))); len(distinct) != n.Zones || len(ids) != n.Zones || slices.ContainsFunc(ids, func(s string) bool { return !zoneID.MatchString(s) }) {
			p.add("network.zoneIds.%s %q: %d different ids such as use1-az1 are needed", region, ids, n.Zones)
		}
	}
	for _, region := range slices.Sorted(maps.Keys(n.Existing)) {
		e := n.Existing[region]
		if !slices.Contains(regions, region) {
			p.add("network.existing: %q is none of the regions %s", region, strings.Join(regions, ", "))
		}
		if len(slices.Compact(slices.Sorted(slices.Values(e.Subnets)))) < 2 || slices.ContainsFunc(e.Subnets, func(s string) bool { return !subnetID.MatchString(s) }) {
			p.add("network.existing.%s.subnets %q: two different ids or more such as subnet-0a1b are needed", region, e.Subnets)
		}
		if len(e.SecurityGroups) == 0 || slices.ContainsFunc(e.SecurityGroups, func(s string) bool { return !groupID.MatchString(s) }) {
			p.add("network.existing.%s.securityGroups %q: ids such as sg-0a1b are needed", region, e.SecurityGroups)
		}
	}
}

func (p *problems) oidc(o OIDC) {
	if o == (OIDC{}) {
		return
	}
	if u, err := url.Parse(o.Issuer); err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(o.Issuer, "/") {
		p.add("oidc.issuer %q: an https address without a trailing slash is needed", o.Issuer)
	}
	if o.ClientID == "" {
		p.add("oidc.clientId is missing")
	}
}

// keys lists the keys of a deployment's file.
func keys(d Deployment) []string {
	t := reflect.TypeOf(d)
	out := make([]string, 0, t.NumField())
	for i := range t.NumField() {
		out = append(out, t.Field(i).Tag.Get("json"))
	}
	return out
}
