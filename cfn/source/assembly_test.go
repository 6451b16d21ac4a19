package source

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const app = `
-- cdk.out/cdk.out --
{"version":"38.0.0"}
-- cdk.out/manifest.json --
{"version":"38.0.0","artifacts":{
 "Shop.assets":{"type":"cdk:asset-manifest","properties":{"file":"Shop.assets.json"}},
 "Shop":{"type":"aws:cloudformation:stack","environment":"aws://123456789012/eu-west-1",
  "properties":{"templateFile":"Shop.template.json","stackName":"shop-live"}},
 "Free":{"type":"aws:cloudformation:stack","environment":"aws://unknown-account/unknown-region",
  "properties":{"templateFile":"Free.template.json"}},
 "assembly-Prod":{"type":"cdk:cloud-assembly","properties":{"directoryName":"assembly-Prod"}},
 "Tree":{"type":"cdk:tree","properties":{"file":"tree.json"}}}}
-- cdk.out/tree.json --
{"Resources":{"T":{"Type":"AWS::SNS::Topic"}}}
-- cdk.out/asset.0123/function.yaml --
Resources: {T: {Type: AWS::SNS::Topic}}
-- cdk.out/Free.template.json --
{"Resources":{"T":{"Type":"AWS::SNS::Topic"}}}
-- cdk.out/Shop.template.json --
{"Resources":{
 "DataNested":{"Type":"AWS::CloudFormation::Stack","Metadata":{"aws:asset:path":"ShopData01.nested.template.json","aws:asset:property":"TemplateURL"}},
 "Handler":{"Type":"AWS::Lambda::Function","Metadata":{"aws:asset:path":"asset.0123","aws:asset:property":"Code"}}}}
-- cdk.out/ShopData01.nested.template.json --
{"Resources":{"Inner":{"Type":"AWS::CloudFormation::Stack","Metadata":{"aws:asset:path":"ShopInner02.nested.template.json"}}}}
-- cdk.out/ShopInner02.nested.template.json --
{"Resources":{"T":{"Type":"AWS::SNS::Topic"}}}
-- cdk.out/Unnamed03.nested.template.json --
{"Resources":{"T":{"Type":"AWS::SNS::Topic"}}}
-- cdk.out/assembly-Prod/manifest.json --
{"version":"38.0.0","artifacts":{"ProdShop":{"type":"aws:cloudformation:stack","environment":"aws://210987654321/us-east-1",
  "properties":{"templateFile":"ProdShop.template.json","stackName":"Prod-Shop"}}}}
-- cdk.out/assembly-Prod/ProdShop.template.json --
{"Resources":{"T":{"Type":"AWS::SNS::Topic"}}}
-- other.yaml --
Resources: {T: {Type: AWS::SNS::Topic}}
`

func TestFindAssembly(t *testing.T) {
	const (
		free    = "cdk.out/Free.template.json Free"
		shop    = "cdk.out/Shop.template.json shop-live 123456789012 eu-west-1"
		data    = "cdk.out/ShopData01.nested.template.json shop-live-DataNested 123456789012 eu-west-1"
		inner   = "cdk.out/ShopInner02.nested.template.json shop-live-DataNested-Inner 123456789012 eu-west-1"
		unnamed = "cdk.out/Unnamed03.nested.template.json"
		prod    = "cdk.out/assembly-Prod/ProdShop.template.json Prod-Shop 210987654321 us-east-1"
	)
	all := []string{free, shop, data, inner, unnamed, prod}
	tests := []struct {
		name  string
		paths []string
		want  []string
	}{
		{"the assembly", []string{"cdk.out"}, all},
		{"its manifest", []string{"cdk.out/manifest.json"}, all},
		{"the folder around it", []string{"."}, append(append([]string{}, all...), "other.yaml")},
		{"the assembly and a template in it", []string{"cdk.out/Shop.template.json", "cdk.out"}, all},
		{"a template in it", []string{"cdk.out/Shop.template.json"}, []string{shop}},
		{"a nested template", []string{"cdk.out/ShopInner02.nested.template.json", "cdk.out/ShopData01.nested.template.json"}, []string{data, inner}},
		{"a template of a stage", []string{"cdk.out/assembly-Prod/ProdShop.template.json"}, []string{prod}},
		{"the stage", []string{"cdk.out/assembly-Prod"}, []string{prod}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tree(t, app)
			got, err := Find(test.paths, nil)
			if diff := cmp.Diff(test.want, found(got)); diff != "" || err != nil {
				t.Errorf("error %v, listing (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestFindBrokenAssembly(t *testing.T) {
	const good = "-- out/S.template.json --\n" + `{"Resources":{"T":{"Type":"AWS::SNS::Topic"}}}` + "\n"
	tests := []struct {
		name, files string
		want        []string
		err         string
	}{
		{"a manifest that is no JSON", "-- out/cdk.out --\n{}\n-- out/manifest.json --\n{\"version\":\n" + good,
			[]string{"out/S.template.json", "out/manifest.json failed: not the manifest of a cloud assembly: it is cut off in the middle. run cdk synth again"}, ""},
		{"a manifest that is cut off, beside a stack's template", "-- out/manifest.json --\n{\"version\":\n" + good,
			[]string{"out/S.template.json", "out/manifest.json failed: not the manifest of a cloud assembly: it is cut off in the middle. run cdk synth again"}, ""},
		{"an artifact whose type is a number", "-- out/cdk.out --\n{}\n-- out/manifest.json --\n{\"version\":\"1\",\n \"artifacts\":{\"S\":{\"type\":5}}}\n" + good,
			[]string{"out/S.template.json", `out/manifest.json failed: not the manifest of a cloud assembly: line 2, column 27: "type": want a text, got a number. run cdk synth again`}, ""},
		{"artifacts that are a list", "-- out/cdk.out --\n{}\n-- out/manifest.json --\n{\"version\":\"1\",\n \"artifacts\":[]}\n" + good,
			[]string{"out/S.template.json", `out/manifest.json failed: not the manifest of a cloud assembly: line 2, column 14: "artifacts": want an object, got a list. run cdk synth again`}, ""},
		{"a manifest with a comma too many", "-- out/cdk.out --\n{}\n-- out/manifest.json --\n{\"version\":\"1\",\n}\n" + good,
			[]string{"out/S.template.json", `out/manifest.json failed: not the manifest of a cloud assembly: line 2, column 1: not JSON: invalid character '}' where there should be beginning of object key string. run cdk synth again`}, ""},
		{"a manifest without artifacts", "-- out/cdk.out --\n{}\n-- out/manifest.json --\n{\"version\": \"1\"}\n" + good,
			[]string{"out/S.template.json", "out/manifest.json failed: not the manifest of a cloud assembly: it has no artifacts. run cdk synth again"}, ""},
		{"a manifest without a version", "-- out/cdk.out --\n{}\n-- out/manifest.json --\n{\"artifacts\": {}}\n" + good,
			[]string{"out/S.template.json", "out/manifest.json failed: not the manifest of a cloud assembly: it has no version. run cdk synth again"}, ""},
		{"another program's manifest", "-- out/manifest.json --\n{\"version\":\n-- out/a.yaml --\nResources: {T: {Type: AWS::SNS::Topic}}\n",
			[]string{"out/a.yaml", "skipped out/manifest.json: no Resources section"}, ""},
		{"another program's manifest with artifacts", "-- out/manifest.json --\n{\"version\": \"1\", \"artifacts\": {\"x\": {\"type\": \"jar\"}}}\n" + good,
			[]string{"out/S.template.json", "skipped out/manifest.json: no Resources section"}, ""},
		{"a template that is gone", "-- out/manifest.json --\n" + `{"version":"1","artifacts":{"S":{"type":"aws:cloudformation:stack","properties":{"templateFile":"S.template.json"}}}}` + "\n",
			[]string{"out/S.template.json S failed: the cloud assembly names this template, but it is not there. run cdk synth again"}, ""},
		{"a template outside", "-- out/manifest.json --\n" + `{"version":"1","artifacts":{"S":{"type":"aws:cloudformation:stack","properties":{"templateFile":"../S.template.json"}}}}` + "\n",
			[]string{`out/manifest.json S failed: the template of stack "S", "../S.template.json", lies outside of the assembly`}, ""},
		{"a stage that is gone", "-- out/manifest.json --\n" + `{"version":"1","artifacts":{"P":{"type":"cdk:cloud-assembly","properties":{"directoryName":"assembly-P"}}}}` + "\n",
			[]string{"out/assembly-P failed: a stage of the assembly without a readable manifest. run cdk synth again"}, ""},
		{"a stage outside", "-- out/manifest.json --\n" + `{"version":"1","artifacts":{"P":{"type":"cdk:cloud-assembly","properties":{"directoryName":"../P"}}}}` + "\n",
			[]string{`out/manifest.json failed: stage folder "../P" lies outside of the assembly`}, ""},
		{"a stage that is itself", "-- out/manifest.json --\n" + `{"version":"1","artifacts":{"P":{"type":"cdk:cloud-assembly","properties":{"directoryName":"."}},"S":{"type":"aws:cloudformation:stack","properties":{"templateFile":"S.template.json"}}}}` + "\n" + good,
			[]string{"out/S.template.json S"}, ""},
		{"no stack", "-- out/cdk.out --\n{}\n-- out/manifest.json --\n" + `{"version":"1","artifacts":{}}` + "\n",
			[]string{}, `cloud assembly "out" deploys no stack`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tree(t, test.files)
			got, err := Find([]string{"out"}, nil)
			if diff := cmp.Diff(test.want, found(got)); diff != "" {
				t.Errorf("listing (-want +got):\n%s", diff)
			}
			if text := errText(err); text != test.err {
				t.Errorf("error:\n got %s\nwant %s", text, test.err)
			}
		})
	}
}
