package cli_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"plumbline/internal/cli"
)

const bucket = `Resources:
  Vault:
    Type: AWS::S3::Bucket
`

// run runs one command line in this process, in a folder that holds bucket.yaml.
func run(t *testing.T, change func(*cli.Streams), args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("bucket.yaml", []byte(bucket), 0o644); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	s := cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Env: func(string) string { return "" }}
	if change != nil {
		change(&s)
	}
	code = cli.Main(args, s)
	return code, out.String(), errs.String()
}

func TestColour(t *testing.T) {
	terminal := func(s *cli.Streams) { s.OutTTY, s.Width = true, 80 }
	with := func(key, value string) func(*cli.Streams) {
		return func(s *cli.Streams) {
			terminal(s)
			s.Env = func(k string) string { return map[string]string{key: value}[k] }
		}
	}
	for name, tc := range map[string]struct {
		change func(*cli.Streams)
		flags  []string
		want   bool
	}{
		"a terminal":              {terminal, nil, true},
		"no terminal":             {nil, nil, false},
		"NO_COLOR":                {with("NO_COLOR", "1"), nil, false},
		"NO_COLOR, empty":         {with("NO_COLOR", ""), nil, true},
		"a dumb terminal":         {with("TERM", "dumb"), nil, false},
		"never":                   {terminal, []string{"--color", "never"}, false},
		"always":                  {nil, []string{"--color", "always"}, true},
		"always, over NO_COLOR":   {with("NO_COLOR", "1"), []string{"--color", "always"}, true},
		"a terminal, but to file": {terminal, []string{"--output", "report.txt"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := run(t, tc.change, append([]string{"scan", "bucket.yaml"}, tc.flags...)...)
			if code != cli.ExitFindings {
				t.Fatalf("exit code %d: %s", code, errs)
			}
			if written, err := os.ReadFile("report.txt"); err == nil {
				out = string(written)
			}
			if got := strings.Contains(out, "\x1b["); got != tc.want {
				t.Errorf("coloured is %v, want %v:\n%q", got, tc.want, out)
			}
		})
	}
}

func TestWidth(t *testing.T) {
	for _, width := range []int{40, 80} {
		_, out, _ := run(t, func(s *cli.Streams) { s.OutTTY, s.Width = true, width }, "scan", "bucket.yaml", "--color", "never")
		broken := false
		for _, line := range strings.Split(out, "\n") {
			if text, ok := strings.CutPrefix(line, "           "); ok && len([]rune(line)) > width && strings.Contains(text, " ") {
				t.Errorf("%d columns on a terminal of %d: %q", len([]rune(line)), width, line)
			} else if ok {
				broken = true
			}
		}
		if !broken {
			t.Error("no line of text to look at")
		}
	}
	_, out, _ := run(t, nil, "scan", "bucket.yaml")
	if !strings.Contains(out, "Add a statement to the bucket policy that denies s3:* to everyone, on the bucket and its objects") {
		t.Error("lines are broken without a terminal")
	}
}

func TestNothingButTheResultOnStdout(t *testing.T) {
	_, out, errs := run(t, func(s *cli.Streams) { s.ErrTTY = true }, "scan", "bucket.yaml", "--timings")
	if strings.Contains(out, "timing") || !strings.Contains(errs, "timing judge ") {
		t.Errorf("timings are not on stderr: %q", errs)
	}
}

// broken refuses every write.
type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

func TestResultThatCannotBeWritten(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		args []string
		code int
		says string
	}{
		"full disk":            {syscall.ENOSPC, []string{"scan", "bucket.yaml"}, cli.ExitUnjudged, "plumbline: write to standard output: no space left on the device\n"},
		"full disk, a list":    {syscall.ENOSPC, []string{"rules", "list"}, cli.ExitUnjudged, "plumbline: write to standard output: no space left on the device\n"},
		"other error":          {io.ErrShortWrite, []string{"scan", "bucket.yaml"}, cli.ExitUnjudged, "plumbline: write to standard output: short write\n"},
		"reader gone":          {&os.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE}, []string{"scan", "bucket.yaml"}, cli.ExitFindings, ""},
		"reader gone, no fail": {&os.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE}, []string{"rules", "list"}, cli.ExitClean, ""},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, errs := run(t, func(s *cli.Streams) { s.Out = broken{tc.err} }, tc.args...)
			if code != tc.code || errs != tc.says {
				t.Errorf("exit code %d and %q, want %d and %q", code, errs, tc.code, tc.says)
			}
		})
	}
}

func TestStdinThatBreaks(t *testing.T) {
	code, out, errs := run(t, func(s *cli.Streams) { s.In = iotestErr{errors.New("connection reset")} }, "scan", "-")
	if code != cli.ExitUnjudged && code != cli.ExitUsage {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(out+errs, "connection reset") {
		t.Errorf("nobody says why: %q %q", out, errs)
	}
}

type iotestErr struct{ err error }

func (r iotestErr) Read([]byte) (int, error) { return 0, r.err }

func TestOutputOverAnEarlierReport(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "page.html")
	if err := os.WriteFile(page, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := run(t, nil, "scan", "bucket.yaml", "-f", "html", "-o", page); code != cli.ExitFindings {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	got, err := os.ReadFile(page)
	if err != nil || !strings.HasSuffix(string(got), "</html>\n") {
		t.Errorf("page is not whole: %v", err)
	}
	if rest, _ := filepath.Glob(filepath.Join(dir, ".plumbline-*")); len(rest) > 0 {
		t.Errorf("left behind: %v", rest)
	}
}
