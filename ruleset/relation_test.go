package ruleset

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/finding"
)

const tlsOnly = `
relations:
  policies: {type: AWS::S3::BucketPolicy, by: Bucket, live: "s3:GetBucketPolicy"}
pass: policies.exists(p, statements(p.PolicyDocument).exists(s, s.denies("s3:*")))
message: |
  size(policies) == 0 ? "no policy" : "policy " + policies.map(p, meta(p).LogicalId).join(", ") + " refuses nothing"
`

const refusing = `PolicyDocument: {Statement: [{Effect: Deny, Principal: "*", Action: "s3:*", Resource: "*"}]}`
const lenient = `PolicyDocument: {Statement: []}`

func TestRelationBy(t *testing.T) {
	s := open(t, nil, ruleText("tls", "[AWS::S3::Bucket]", tlsOnly))
	for _, tt := range []struct {
		name, resources string
		want            []said
	}{
		{"none", "R: {Type: AWS::S3::Bucket}", []said{{"R", "fail", "no policy", nil, nil}}},
		{"by Ref", `
  R: {Type: AWS::S3::Bucket}
  P: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref R, ` + refusing + `}}`,
			[]said{{"R", "pass", "", nil, nil}}},
		{"by Sub", `
  R: {Type: AWS::S3::Bucket}
  P: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Sub "${R}", ` + refusing + `}}`,
			[]said{{"R", "pass", "", nil, nil}}},
		{"by literal name", `
  R: {Type: AWS::S3::Bucket, Properties: {BucketName: data}}
  P: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: data, ` + refusing + `}}`,
			[]said{{"R", "pass", "", nil, nil}}},
		{"by the same Sub as the name", `
  R: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub "${AWS::StackName}-data"}}
  P: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Sub "${AWS::StackName}-data", ` + refusing + `}}`,
			[]said{{"R", "pass", "", nil, nil}}},
		{"another bucket's", `
  R: {Type: AWS::S3::Bucket}
  P: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref Other, ` + refusing + `}}`,
			[]said{{"R", "fail", "no policy", nil, nil}}},
		{"it refuses nothing", `
  R: {Type: AWS::S3::Bucket}
  P: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref R, ` + lenient + `}}`,
			[]said{{"R", "fail", "policy P refuses nothing", nil, nil}}},
		{"a parameter may name it", `
  R: {Type: AWS::S3::Bucket, Properties: {BucketName: data}}
  P: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref Name, ` + refusing + `}}`,
			[]said{{"R", "unknown", "tls: depends on parameter Name", []string{"parameter Name"}, nil}}},
		{"a parameter may name it, and it would not matter", `
  R: {Type: AWS::S3::Bucket, Properties: {BucketName: data}}
  P: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref Name, ` + lenient + `}}`,
			[]said{{"R", "fail", "no policy", nil, nil}}},
		{"a parameter cannot name what has no name yet", `
  R: {Type: AWS::S3::Bucket}
  P: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref Name, ` + refusing + `}}`,
			[]said{{"R", "fail", "no policy", nil, nil}}},
		{"a known part that does not fit", `
  R: {Type: AWS::S3::Bucket, Properties: {BucketName: data}}
  P: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Sub "logs-${Name}", ` + refusing + `}}`,
			[]said{{"R", "fail", "no policy", nil, nil}}},
		{"a policy whose document is unknown", `
  R: {Type: AWS::S3::Bucket}
  P: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref R, PolicyDocument: !ImportValue Doc}}`,
			[]said{{"R", "unknown", "tls: depends on import Doc", []string{"import Doc"}, nil}}},
		{"more unsure policies than are tried", `
  R: {Type: AWS::S3::Bucket, Properties: {BucketName: data}}
  P: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref Name, ` + lenient + `}}
  Q: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref Name, ` + lenient + `}}
  S: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref Name, ` + lenient + `}}
  T: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref Name, ` + lenient + `}}`,
			[]said{{"R", "unknown", "tls: depends on parameter Name", []string{"parameter Name"}, nil}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := judge(t, s, "Parameters: {Name: {Type: String}}\nResources:\n  Other: {Type: AWS::SQS::Queue}\n  "+tt.resources+"\n")
			if diff := cmp.Diff(tt.want, saidOf(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRelationFrom(t *testing.T) {
	s := open(t, nil, ruleText("groups", "[AWS::EC2::Instance]", `
relations:
  groups: {type: AWS::EC2::SecurityGroup, from: "SecurityGroupIds[]"}
pass: '!groups.exists(g, g.SecurityGroupIngress.exists(i, fromWorld(i)))'
`))
	for _, tt := range []struct {
		name, ids string
		want      finding.Verdict
	}{
		{"open", "[!Ref Open]", "fail"},
		{"open by attribute", "[!GetAtt Open.GroupId]", "fail"},
		{"closed", "[!Ref Closed, !Ref Closed]", "pass"},
		{"one of two", "[!Ref Closed, !Ref Open]", "fail"},
		{"imported", "[!Ref Closed, !ImportValue Group]", "unknown"},
		{"imported beside an open one", "[!Ref Open, !ImportValue Group]", "fail"},
		{"an id from outside", "[sg-12345678]", "unknown"},
		{"a nested stack's output", "[!GetAtt Nested.Outputs.Group]", "unknown"},
		{"none", "[]", "pass"},
		{"one text for a list", "!Ref Open", "fail"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := judge(t, s, `
Resources:
  Open: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: x, SecurityGroupIngress: [{IpProtocol: "-1", CidrIp: 0.0.0.0/0}]}}
  Closed: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: x}}
  Nested: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: x}}
  R: {Type: AWS::EC2::Instance, Properties: {SecurityGroupIds: `+tt.ids+`}}
`)
			if len(got) != 1 || got[0].Verdict != tt.want {
				t.Errorf("got %+v, want %s", saidOf(got), tt.want)
			}
		})
	}
}

func TestRelationHops(t *testing.T) {
	s := open(t, nil, ruleText("public", "[AWS::EC2::Subnet]", `
relations:
  links: {type: AWS::EC2::SubnetRouteTableAssociation, by: SubnetId}
  tables: {type: AWS::EC2::RouteTable, from: RouteTableId, of: links}
  routes: {type: AWS::EC2::Route, by: RouteTableId, of: tables}
  vpcs: {type: AWS::EC2::VPC, any: true}
let:
  public: routes.exists(r, fromWorld(r) && has(r.GatewayId))
pass: '!public && size(vpcs) == 1'
`))
	got := judge(t, s, `
Resources:
  V: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  G: {Type: AWS::EC2::InternetGateway}
  T: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref V}}
  Rt: {Type: AWS::EC2::Route, Properties: {RouteTableId: !Ref T, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref G}}
  A: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref V}}
  B: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref V}}
  C: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref V}}
  La: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {SubnetId: !Ref A, RouteTableId: !Ref T}}
  Lc: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {SubnetId: !Ref C, RouteTableId: !ImportValue Table}}
`)
	want := []said{
		{"A", "fail", "public", nil, nil},
		{"B", "pass", "", nil, nil},
		{"C", "unknown", "public: depends on import Table", []string{"import Table"}, nil},
	}
	if diff := cmp.Diff(want, saidOf(got)); diff != "" {
		t.Error(diff)
	}
}

// TestRelationHopsUncounted: how many routes a table outside the template has
// is not known, nor whether it has any.
func TestRelationHopsUncounted(t *testing.T) {
	s := open(t, nil, ruleText("counted", "[AWS::EC2::SubnetRouteTableAssociation]", `
relations:
  tables: {type: AWS::EC2::RouteTable, from: RouteTableId}
  routes: {type: AWS::EC2::Route, by: RouteTableId, of: tables}
  gateways: {type: AWS::EC2::InternetGateway, from: GatewayId, of: routes}
pass: size(tables) == 1 && size(gateways) == 0
`))
	got := judge(t, s, `
Resources:
  T: {Type: AWS::EC2::RouteTable}
  A: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {RouteTableId: !Ref T}}
  B: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {RouteTableId: !ImportValue Table}}
`)
	want := []said{
		{"A", "pass", "", nil, nil},
		{"B", "unknown", "counted: depends on import Table", []string{"import Table"}, nil},
	}
	if diff := cmp.Diff(want, saidOf(got)); diff != "" {
		t.Error(diff)
	}
}

// TestRelationInWorlds: a bucket is the same in both worlds, its policy is not.
func TestRelationInWorlds(t *testing.T) {
	s := open(t, nil, ruleText("tls", "[AWS::S3::Bucket]", tlsOnly))
	got := judge(t, s, `
Parameters: {Environment: {Type: String, Default: prod, AllowedValues: [prod, dev]}}
Conditions: {IsProd: !Equals [!Ref Environment, prod]}
Resources:
  R: {Type: AWS::S3::Bucket}
  P: {Type: AWS::S3::BucketPolicy, Condition: IsProd, Properties: {Bucket: !Ref R, `+refusing+`}}
`)
	want := []said{{"R", "fail", "no policy when Environment is dev", nil, []string{"Environment=dev"}}}
	if diff := cmp.Diff(want, saidOf(got)); diff != "" {
		t.Error(diff)
	}
}

// TestRelationLive: a live resource has no template around it.
func TestRelationLive(t *testing.T) {
	s := open(t, nil, ruleText("tls", "[AWS::S3::Bucket]", `
relations: {policies: {type: AWS::S3::BucketPolicy, by: Bucket}}
pass: size(policies) > 0
`))
	r, err := cfn.Live("AWS::S3::Bucket", "data", []byte(`{"BucketName": "data"}`))
	if err != nil {
		t.Fatal(err)
	}
	m := &cfn.Model{Resources: []*cfn.Resource{r}, Determined: true}
	got, _, err := s.Judge(context.Background(), finding.Network, []*cfn.Model{m}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []said{{"data", "error", "tls: relation policies cannot be read from a live resource", nil, nil}}
	if diff := cmp.Diff(want, saidOf(got)); diff != "" {
		t.Error(diff)
	}
}
