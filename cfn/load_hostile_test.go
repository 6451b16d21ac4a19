package cfn

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Sources that are written to cost more than their size end in good time, and
// as the limits say.
func TestParseHostile(t *testing.T) {
	numbered := func(format string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 12; i++ {
		bomb += fmt.Sprintf("a%d: &a%[1]d [%s]\n", i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 8), ", "))
	}
	const no = "t.yaml:1:1: no CloudFormation template: there is no Resources section"
	tests := []struct{ name, src, want string }{
		{"alias bomb", bomb, "t.yaml:6:35: aliases stand for more than 250000 values, as in a decompression bomb. write the values out, or use fewer aliases of aliases"},
		{"aliases of one text", "a: &x y\nb:\n" + strings.Repeat("- *x\n", MaxAliased+1), "t.yaml:250003:3: aliases stand for more than 250000 values, as in a decompression bomb. write the values out, or use fewer aliases of aliases"},
		{"merges of a map", "a: &x {k: v}\nb: {<<: [" + strings.Repeat("*x, ", 20000) + "]}\n", no},
		{"a large map merged into another", "a: &x {" + numbered("k%d: v, ", 20000) + "}\nb: {" + numbered("j%d: v, ", 20000) + "<<: *x}\n", no},
		{"functions on one line", "[" + strings.Repeat("!Ref é, ", 30000) + "]", "t.yaml:1:1: the file holds a list; a template is a map with a Resources section"},
		{"one key over and over", strings.Repeat("a: 1\n", 50000), no},
		{"lists in lists", strings.Repeat("- ", 9000), "t.yaml:1:2001: more than 1000 levels of maps and lists inside each other"},
		{"brackets in brackets", strings.Repeat("[", 200000), "t.yaml:1:1: more than 1000 levels of maps and lists inside each other"},
		{"objects in objects", strings.Repeat(`{"a":[`, 50000), "t.yaml:1:1: more than 1000 levels of maps and lists inside each other"},
		{"functions in functions", "a: " + strings.Repeat("!Sub [", 2000) + strings.Repeat("]", 2000), "t.yaml:1:3004: more than 1000 levels of maps and lists inside each other"},
		{"comments", "a:\n" + strings.Repeat("# x\n\n", 50000) + "  b\n", no},
		{"documents", strings.Repeat("---\n", 50000), "t.yaml:1:1: the file holds nothing but comments; a template has at least a Resources section"},
		{"more values than allowed", strings.Repeat("[],", 2<<20), "t.yaml:1:1: some 4194304 values; up to 2000000 are read. split the template into nested stacks"},
		{"an error at the end", strings.Repeat("a:\n  - b: c\n", 30000) + "@", "t.yaml:60001:1: a character that no bare text can begin with (a tab, @, % or a backquote). put the text in quotes"},
		{"larger than allowed", strings.Repeat(" ", MaxSize+1), "t.yaml:1:1: the file is 17 MiB; up to 16 MiB are read, and CloudFormation takes 1 MiB. split the template into nested stacks"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			start := time.Now()
			_, err := Parse("t.yaml", []byte(test.src))
			if took := time.Since(start); took > 5*time.Second { // a fraction of it, but for a busy machine
				t.Errorf("took %s", took)
			}
			if got := fmt.Sprint(err); got != test.want {
				t.Errorf("error %s\n want %s", got, test.want)
			}
		})
	}
}

func TestJSONValueLimit(t *testing.T) {
	_, err := Parse("t.json", []byte("["+strings.Repeat("0,", MaxValues+1)+"0]"))
	const want = "t.json:1:4000000: more than 2000000 values. split the template into nested stacks"
	if fmt.Sprint(err) != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
