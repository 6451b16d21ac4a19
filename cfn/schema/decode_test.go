package schema

import (
	"slices"
	"strings"
	"testing"
)

func TestIndexIsSorted(t *testing.T) {
	names := slices.Collect(Types())
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Error("the types are not sorted, or one is there twice")
	}
	if len(names) < 1850 {
		t.Errorf("only %d types", len(names))
	}
}

// Every type decodes into a sound graph whose objects have names that Find knows.
func TestEveryTypeDecodes(t *testing.T) {
	for name := range Types() {
		r := Lookup(name)
		if r == nil || r.Type == nil || r.Type.Name != name {
			t.Fatalf("%s does not decode", name)
		}
		seen := map[*Type]bool{}
		var check func(typ *Type)
		check = func(typ *Type) {
			if seen[typ] {
				return
			}
			seen[typ] = true
			if (typ.Elem != nil) != (typ.Kind == List || typ.Kind == Map) {
				t.Errorf("%s: a %s with item type %v", name, typ.Kind, typ.Elem)
			}
			if typ.Elem != nil {
				check(typ.Elem)
			}
			if typ.Kind != Object {
				if typ.Properties != nil || typ.Name != "" {
					t.Errorf("%s: a %s with properties or a name", name, typ.Kind)
				}
				return
			}
			if Find(typ.Name) != typ {
				t.Errorf("%s: another type is called %s too", name, typ.Name)
			}
			if typ != r.Type && !strings.HasPrefix(typ.Name, name+".") {
				t.Errorf("%s: a definition is called %s", name, typ.Name)
			}
			if !slices.IsSortedFunc(typ.Properties, func(a, b Property) int { return strings.Compare(a.Name, b.Name) }) {
				t.Errorf("%s: properties are not sorted", typ.Name)
			}
			for i := range typ.Properties {
				check(typ.Properties[i].Type)
			}
		}
		check(r.Type)
		for _, h := range r.Handlers {
			r.Permissions(h)
		}
		r.Permissions("tag")
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"AWS::SQS::Queue", "AWS::S3::Bucket", "AWS::WAFv2::WebACL", "AWS::QuickSight::Dashboard"} {
		b.Run(strings.ReplaceAll(name, "::", "."), func(b *testing.B) {
			i, _ := embedded.find(name)
			b.ReportAllocs()
			for b.Loop() {
				embedded.decode(i)
			}
		})
	}
}

func BenchmarkDecodeAll(b *testing.B) {
	for b.Loop() {
		for i := range embedded.count() {
			embedded.decode(i)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Lookup("AWS::S3::Bucket")
	}
}

func BenchmarkNearest(b *testing.B) {
	for b.Loop() {
		Nearest("AWS::EC2::SecurtyGroup")
	}
}
