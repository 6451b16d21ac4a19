package metric_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/metric"
)

var at = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

func TestWrite(t *testing.T) {
	for _, tc := range []struct {
		name, value string
		samples     []metric.Sample
		want        string
		wrong       bool
	}{
		{"nothing", "", nil, "", false},
		{"not divided", "", []metric.Sample{{metric.ScannedTargets, 1}, {metric.PartialTargets, 0}},
			`{"PartialTargets":0,"ScannedTargets":1,"_aws":{"CloudWatchMetrics":[{"Dimensions":[[]],"Metrics":[{"Name":"ScannedTargets","Unit":"Count"},{"Name":"PartialTargets","Unit":"Count"}],"Namespace":"Plumbline"}],"Timestamp":1780272000000}}`, false},
		{"by severity", "high", []metric.Sample{{metric.Found, 3}},
			`{"NewViolations":3,"Severity":"high","_aws":{"CloudWatchMetrics":[{"Dimensions":[["Severity"]],"Metrics":[{"Name":"NewViolations","Unit":"Count"}],"Namespace":"Plumbline"}],"Timestamp":1780272000000}}`, false},
		{"a value without its dimension", "high", []metric.Sample{{metric.ScannedTargets, 1}}, "", true},
		{"a dimension without its value", "", []metric.Sample{{metric.Found, 1}}, "", true},
		{"two dimensions", "high", []metric.Sample{{metric.Found, 1}, {metric.Within, 1}}, "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var b bytes.Buffer
			err := metric.Write(&b, at, tc.value, tc.samples...)
			if (err != nil) != tc.wrong {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, strings.TrimSuffix(b.String(), "\n")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if b.Len() > 0 && !json.Valid(b.Bytes()) {
				t.Error("not JSON")
			}
		})
	}
}

func TestWriteEach(t *testing.T) {
	var b bytes.Buffer
	values, counts := []string{"critical", "low"}, map[string]int{"low": 2}
	if err := metric.WriteEach(&b, at, metric.Found, values, counts); err != nil || strings.Count(b.String(), "\n") != 1 {
		t.Errorf("a flow: %s, %v", b.String(), err)
	}
	b.Reset()
	if err := metric.WriteEach(&b, at, metric.Open, values, counts); err != nil || strings.Count(b.String(), "\n") != 2 {
		t.Errorf("a state: %s, %v", b.String(), err)
	}
}

// TestAll: a name and a dimension are one metric, of one unit.
func TestAll(t *testing.T) {
	seen, units := map[[2]string]bool{}, map[string]metric.Unit{}
	for _, m := range metric.All {
		k := [2]string{m.Name, string(m.By)}
		if seen[k] || m.Name == "" || m.Task == "" || m.Meaning == "" || m.Unit == "" {
			t.Errorf("%+v", m)
		}
		if u, ok := units[m.Name]; ok && u != m.Unit {
			t.Errorf("%s is in %s and in %s", m.Name, u, m.Unit)
		}
		seen[k], units[m.Name] = true, m.Unit
	}
}

func TestType(t *testing.T) {
	if !slices.IsSorted(metric.Types) {
		t.Error("Types are searched, and are not sorted")
	}
	for in, want := range map[string]string{"AWS::S3::Bucket": "AWS::S3::Bucket", "AWS::S3::bucket": metric.Other, "": metric.Other, "Custom::Anything": metric.Other} {
		if got := metric.Type(in); got != want {
			t.Errorf("Type(%q) = %q, want %q", in, got, want)
		}
	}
	if n := len(metric.AllTypes()); n != len(metric.Types)+1 || n > 30 {
		t.Errorf("%d types have metrics", n)
	}
}
