package files_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/internal/files"
	"plumbline/remedy/live"
	"plumbline/remedy/live/livetest"
)

func TestLive(t *testing.T) {
	livetest.Resources(t, func(t *testing.T) live.Resources {
		dir := t.TempDir()
		put(t, dir, "jobs.json", `{"type":"`+livetest.Type+`","identifier":"`+livetest.Identifier+`","model":`+livetest.Model+`}`)
		l, err := files.OpenLive(dir)
		if err != nil {
			t.Fatal(err)
		}
		return l
	})
}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestOpenLiveRefuses(t *testing.T) {
	one := `{"type":"AWS::SQS::Queue","identifier":"a","model":{}}`
	for name, tc := range map[string]struct {
		files map[string]string
		want  string
	}{
		"one of two files":       {map[string]string{"a.json": one, "b.json": one}, "stands in"},
		"no JSON":                {map[string]string{"a.json": "{"}, "a.json"},
		"an unknown key":         {map[string]string{"a.json": `{"Typ":"x"}`}, "unknown field"},
		"no model":               {map[string]string{"a.json": `{"type":"AWS::SQS::Queue","identifier":"a"}`}, "want type, identifier and model"},
		"a model that is a list": {map[string]string{"a.json": `{"type":"AWS::SQS::Queue","identifier":"a","model":[]}`}, "an object of properties"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, content := range tc.files {
				put(t, dir, file, content)
			}
			if _, err := files.OpenLive(dir); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v does not say %q", err, tc.want)
			}
		})
	}
	if _, err := files.OpenLive(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a folder that is not there was opened")
	}
}
