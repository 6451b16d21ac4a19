package remedy_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/cfn"
	"plumbline/finding"
	"plumbline/remedy"
)

func TestRestore(t *testing.T) {
	before := `{"A":1,"B":{"C":[1]},"Other":"x"}`
	patch, undo, after, err := remedy.PatchModel([]byte(before), []cfn.Op{{Do: "set", Path: []string{"A"}, Value: 2}, {Do: "set", Path: []string{"B", "D"}, Value: true}, {Do: "remove", Path: []string{"B", "C"}}})
	if err != nil {
		t.Fatal(err)
	}
	p := &remedy.Plan{Before: []byte(before), After: after, Patch: patch, Undo: undo}
	for _, row := range []struct{ name, model, want string }{
		{"nothing made", `{"A":1,"B":{"C":[1]},"Other":"y"}`, `null []`},
		{"all made", `{"A":2,"B":{"D":true},"Other":"y"}`, `[{"op":"test","path":"/A","value":2},{"op":"replace","path":"/A","value":1},{"op":"add","path":"/B/C","value":[1]},{"op":"test","path":"/B/D","value":true},{"op":"remove","path":"/B/D"}] []`},
		{"half made", `{"A":2,"B":{"C":[1]}}`, `[{"op":"test","path":"/A","value":2},{"op":"replace","path":"/A","value":1}] []`},
		{"set by somebody else", `{"A":3,"B":{"C":[1],"D":"x"}}`, `null ["A","B.D"]`},
		{"a default filled in", `{"A":1,"B":{"C":[1],"D":false}}`, `null []`},
	} {
		t.Run(row.name, func(t *testing.T) {
			patch, foreign, err := p.Restore([]byte(row.model))
			if err != nil {
				t.Fatal(err)
			}
			a, _ := json.Marshal(patch)
			if foreign == nil {
				foreign = []string{}
			}
			b, _ := json.Marshal(foreign)
			if diff := cmp.Diff(row.want, string(a)+" "+string(b)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	for model, want := range map[string]bool{before: false, string(after): true} {
		if made, err := p.Made([]byte(model)); err != nil || made != want {
			t.Errorf("%s is made: %v %v", model, made, err)
		}
	}
}

// TestRestoreReadsAsServicesAnswer: what was written comes back with defaults
// filled in, without what is empty, or in another order.
func TestRestoreReadsAsServicesAnswer(t *testing.T) {
	type row struct{ name, before, model, want string }
	for _, typ := range []struct {
		name string
		op   cfn.Op
		rows []row
	}{
		{"AWS::S3::Bucket", cfn.Op{Do: "set", Path: []string{"PublicAccessBlockConfiguration", "BlockPublicAcls"}, Value: true}, []row{
			{"made, with defaults", `{}`, `{"PublicAccessBlockConfiguration":{"BlockPublicAcls":true,"IgnorePublicAcls":false}}`,
				`[{"op":"test","path":"/PublicAccessBlockConfiguration","value":{"BlockPublicAcls":true,"IgnorePublicAcls":false}},{"op":"remove","path":"/PublicAccessBlockConfiguration"}] null`},
			{"made, and more by somebody else", `{}`, `{"PublicAccessBlockConfiguration":{"BlockPublicAcls":true,"IgnorePublicAcls":true}}`, `null ["PublicAccessBlockConfiguration"]`},
		}},
		{"AWS::S3::Bucket", cfn.Op{Do: "set", Path: []string{"VersioningConfiguration", "Status"}, Value: "Enabled"}, []row{
			{"versioning is suspended at best", `{}`, `{"VersioningConfiguration":{"Status":"Suspended"}}`, `null null`},
		}},
		{"AWS::EC2::SecurityGroup", cfn.Op{Do: "remove", Path: []string{"SecurityGroupIngress", "0"}}, []row{
			{"the last rule went", `{"SecurityGroupIngress":[{"CidrIp":"0.0.0.0/0"}]}`, `{}`,
				`[{"op":"add","path":"/SecurityGroupIngress","value":[{"CidrIp":"0.0.0.0/0"}]}] null`},
			{"back in another order", `{"SecurityGroupIngress":[{"CidrIp":"0.0.0.0/0"},{"CidrIp":"10.0.0.0/8"}]}`, `{"SecurityGroupIngress":[{"CidrIp":"10.0.0.0/8"},{"CidrIp":"0.0.0.0/0"}]}`, `null null`},
			{"another rule is there", `{"SecurityGroupIngress":[{"CidrIp":"0.0.0.0/0"},{"CidrIp":"10.0.0.0/8"}]}`, `{"SecurityGroupIngress":[{"CidrIp":"10.1.0.0/16"}]}`, `null ["SecurityGroupIngress"]`},
		}},
	} {
		for _, row := range typ.rows {
			t.Run(row.name, func(t *testing.T) {
				patch, undo, after, err := remedy.PatchModel([]byte(row.before), []cfn.Op{typ.op})
				if err != nil {
					t.Fatal(err)
				}
				p := &remedy.Plan{Resource: finding.Resource{Type: typ.name}, Before: []byte(row.before), After: after, Patch: patch, Undo: undo}
				back, foreign, err := p.Restore([]byte(row.model))
				if err != nil {
					t.Fatal(err)
				}
				a, _ := json.Marshal(back)
				b, _ := json.Marshal(foreign)
				if diff := cmp.Diff(row.want, string(a)+" "+string(b)); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		}
	}
}
