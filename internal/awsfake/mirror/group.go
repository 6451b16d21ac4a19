package mirror

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// groups are the security groups, known by their id. EC2 is called by its forms:
// its client would be the largest package of all. Source: CloudFormation,
// AWS::EC2::SecurityGroup; Amazon EC2 API Reference.
func (m *Mirror) groups() kind {
	rules := func(property, direction string) func(context.Context, string, any) error {
		return func(ctx context.Context, id string, v any) error {
			is, err := m.group(ctx, id)
			if err != nil {
				return err
			}
			had, _ := is[property].([]properties)
			var want []properties
			list, _ := v.([]any)
			for _, e := range list {
				r, _ := e.(properties)
				want = append(want, r)
			}
			for _, r := range had {
				if !slices.ContainsFunc(want, func(o properties) bool { return sameRule(r, o) }) {
					if err := m.changeRule(ctx, "RevokeSecurityGroup"+direction, id, r); err != nil {
						return err
					}
				}
			}
			for _, r := range want {
				if !slices.ContainsFunc(had, func(o properties) bool { return sameRule(r, o) }) {
					if err := m.changeRule(ctx, "AuthorizeSecurityGroup"+direction, id, r); err != nil {
						return err
					}
				}
			}
			return nil
		}
	}
	return kind{
		list: func(ctx context.Context) ([]string, error) {
			out, err := m.describeGroups(ctx, nil)
			var ids []string
			for _, g := range out {
				ids = append(ids, g.ID)
			}
			return ids, err
		},
		get: m.group,
		set: map[string]func(context.Context, string, any) error{
			"SecurityGroupIngress": rules("SecurityGroupIngress", "Ingress"), "SecurityGroupEgress": rules("SecurityGroupEgress", "Egress"),
			"Tags": m.setGroupTags,
		},
	}
}

type group struct {
	ID          string       `xml:"groupId"`
	Name        string       `xml:"groupName"`
	Description string       `xml:"groupDescription"`
	VPC         string       `xml:"vpcId"`
	Ingress     []permission `xml:"ipPermissions>item"`
	Egress      []permission `xml:"ipPermissionsEgress>item"`
	Tags        []struct {
		Key   string `xml:"key"`
		Value string `xml:"value"`
	} `xml:"tagSet>item"`
}

type permission struct {
	Protocol string `xml:"ipProtocol"`
	From     *int   `xml:"fromPort"`
	To       *int   `xml:"toPort"`
	Ranges   []struct {
		CIDR        string `xml:"cidrIp"`
		Description string `xml:"description"`
	} `xml:"ipRanges>item"`
	Ranges6 []struct {
		CIDR        string `xml:"cidrIpv6"`
		Description string `xml:"description"`
	} `xml:"ipv6Ranges>item"`
	Groups []struct {
		ID          string `xml:"groupId"`
		Description string `xml:"description"`
	} `xml:"groups>item"`
}

// rules are a permission as CloudFormation has it: one rule a range or group.
func (p permission) rules(peer string) []properties {
	var out []properties
	add := func(key, value, description string) {
		r := properties{"IpProtocol": p.Protocol, key: value}
		if p.From != nil {
			r["FromPort"] = *p.From
		}
		if p.To != nil {
			r["ToPort"] = *p.To
		}
		if description != "" {
			r["Description"] = description
		}
		out = append(out, r)
	}
	for _, r := range p.Ranges {
		add("CidrIp", r.CIDR, r.Description)
	}
	for _, r := range p.Ranges6 {
		add("CidrIpv6", r.CIDR, r.Description)
	}
	for _, g := range p.Groups {
		add(peer, g.ID, g.Description)
	}
	return out
}

func (m *Mirror) group(ctx context.Context, id string) (properties, error) {
	found, err := m.describeGroups(ctx, url.Values{"GroupId.1": {id}})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errGone
	}
	g := found[0]
	p := properties{"Id": g.ID, "GroupId": g.ID, "GroupName": g.Name, "GroupDescription": g.Description, "VpcId": g.VPC}
	for property, list := range map[string][]permission{"SecurityGroupIngress": g.Ingress, "SecurityGroupEgress": g.Egress} {
		peer := "SourceSecurityGroupId"
		if property == "SecurityGroupEgress" {
			peer = "DestinationSecurityGroupId"
		}
		var rules []properties
		for _, one := range list {
			rules = append(rules, one.rules(peer)...)
		}
		p[property] = rules
	}
	have := map[string]string{}
	for _, t := range g.Tags {
		have[t.Key] = t.Value
	}
	p["Tags"] = tags(have)
	return p, nil
}

func (m *Mirror) describeGroups(ctx context.Context, form url.Values) ([]group, error) {
	b, err := m.ec2(ctx, "DescribeSecurityGroups", form)
	if err != nil {
		if strings.Contains(err.Error(), "InvalidGroup.NotFound") {
			return nil, nil
		}
		return nil, err
	}
	var out struct {
		Groups []group `xml:"securityGroupInfo>item"`
	}
	return out.Groups, xml.Unmarshal(b, &out)
}

// sameRule compares two rules, of which one may be decoded from JSON.
func sameRule(a, b properties) bool {
	plain := func(p properties) map[string]string {
		out := map[string]string{}
		for k, v := range p {
			if k != "Description" {
				out[k] = fmt.Sprint(v)
			}
		}
		return out
	}
	return reflect.DeepEqual(plain(a), plain(b))
}

func (m *Mirror) changeRule(ctx context.Context, action, id string, r properties) error {
	const p = "IpPermissions.1."
	form := url.Values{"GroupId": {id}, p + "IpProtocol": {text(r, "IpProtocol")}}
	for key, name := range map[string]string{"FromPort": "FromPort", "ToPort": "ToPort"} {
		switch n := r[key].(type) {
		case float64:
			form.Set(p+name, strconv.Itoa(int(n)))
		case int:
			form.Set(p+name, strconv.Itoa(n))
		}
	}
	for key, name := range map[string]string{
		"CidrIp": "IpRanges.1.CidrIp", "CidrIpv6": "Ipv6Ranges.1.CidrIpv6", "SourceSecurityGroupId": "Groups.1.GroupId", "DestinationSecurityGroupId": "Groups.1.GroupId",
	} {
		if v := text(r, key); v != "" {
			form.Set(p+name, v)
			if d := text(r, "Description"); d != "" {
				form.Set(p+name[:strings.LastIndex(name, ".")]+".Description", d)
			}
		}
	}
	_, err := m.ec2(ctx, action, form)
	return err
}

func (m *Mirror) setGroupTags(ctx context.Context, id string, v any) error {
	is, err := m.group(ctx, id)
	if err != nil {
		return err
	}
	had := map[string]string{}
	list, _ := is["Tags"].([]properties)
	for _, t := range list {
		had[text(t, "Key")] = text(t, "Value")
	}
	call := func(action string, keys []string, values map[string]string) error {
		form := url.Values{"ResourceId.1": {id}}
		for i, k := range keys {
			form.Set(fmt.Sprintf("Tag.%d.Key", i+1), k)
			if values != nil {
				form.Set(fmt.Sprintf("Tag.%d.Value", i+1), values[k])
			}
		}
		_, err := m.ec2(ctx, action, form)
		return err
	}
	return retag(had, untag(v), func(want map[string]string) error {
		var keys []string
		for _, t := range tags(want) {
			keys = append(keys, text(t, "Key"))
		}
		return call("CreateTags", keys, want)
	}, func(keys []string) error { return call("DeleteTags", keys, nil) })
}

// ec2 calls EC2.
func (m *Mirror) ec2(ctx context.Context, action string, form url.Values) ([]byte, error) {
	all := url.Values{"Action": {action}, "Version": {"2016-11-15"}}
	for k, v := range form {
		all[k] = v
	}
	body := all.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, *m.config.BaseEndpoint, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	who, err := m.config.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(ctx, who, r, hex.EncodeToString(sum[:]), "ec2", m.config.Region, time.Now()); err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", action, answer.Status, b)
	}
	return b, err
}
