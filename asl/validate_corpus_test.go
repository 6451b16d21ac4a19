package asl

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/internal/sharedtest"
)

// recordedCase is what these tests read of a recorded case of AWS's behaviour.
type recordedCase struct {
	API        string
	Group      string
	Definition json.RawMessage
	Request    struct{ Type string }
	Expect     struct {
		Status   string
		Error    string
		Response struct {
			Diagnostics []struct{ Code, Location, Message, Severity string }
		}
		Exception struct {
			Value   string `json:"exception_value"`
			Message string `json:"message"`
		}
	}
}

func recordedCases(t *testing.T, each func(name string, c recordedCase, src []byte)) {
	files, err := filepath.Glob(filepath.Join(sharedtest.Dir(t, "asl-cases"), "*.json"))
	if err != nil || len(files) == 0 {
		t.Skip("no recorded cases")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c recordedCase
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		src := []byte(c.Definition)
		if len(src) == 0 || string(src) == "null" || c.Group == "test-state" {
			continue
		}
		if src[0] == '"' {
			var s string
			_ = json.Unmarshal(src, &s)
			src = []byte(s)
		}
		// activities are created under a name of their own in each recording
		src = []byte(strings.ReplaceAll(string(src), `"activity_arn"`, `"arn:aws:states:us-east-1:111111111111:activity:a"`))
		each(strings.TrimSuffix(filepath.Base(file), ".json"), c, src)
	}
}

// Every definition that AWS ran is accepted; every one it refused is refused,
// with the recorded text where AWS recorded one.
func TestValidateAgreesWithAWS(t *testing.T) {
	n := 0
	recordedCases(t, func(name string, c recordedCase, src []byte) {
		n++
		got := Check(src, c.Request.Type)
		refused := c.Expect.Status == "INVALID" || c.Expect.Status == "FAIL" || c.Expect.Error == "InvalidDefinition"
		if HasErrors(got) != refused {
			t.Errorf("%s: refused %v, want %v: %v", name, HasErrors(got), refused, got)
			return
		}
		want := c.Expect.Exception.Value + c.Expect.Exception.Message
		if refused && strings.Contains(want, "SCHEMA_VALIDATION_FAILED") {
			if text := got[0].Code + ": " + got[0].Message + " at " + got[0].Location; !strings.Contains(want, "'"+text+"'") {
				t.Errorf("%s: %s\nwant %s", name, text, want)
			}
		}
		if c.API != "ValidateStateMachineDefinition" {
			return
		}
		if len(got) != len(c.Expect.Response.Diagnostics) {
			t.Errorf("%s: %v, want %v", name, got, c.Expect.Response.Diagnostics)
			return
		}
		for i, w := range c.Expect.Response.Diagnostics {
			if g := got[i]; g.Code != w.Code || g.Message != w.Message || g.Location != w.Location || g.Severity != w.Severity {
				t.Errorf("%s: %+v, want %+v", name, g, w)
			}
		}
	})
	t.Logf("%d recorded definitions", n)
}
