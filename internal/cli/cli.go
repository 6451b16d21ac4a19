// Package cli is plumbline's command line: flags, help, progress and exit
// codes. It wires the packages below it together and holds no rule, no verdict
// and no workflow of its own.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"plumbline/internal/nearest"
)

// Version is set by the linker; a build with `go install` takes the module's.
var Version = "dev"

// Exit codes. They are part of plumbline's contract with scripts; the format
// of a report never changes them.
const (
	ExitClean       = 0   // nothing found at or above --fail-on
	ExitFindings    = 1   // findings at or above --fail-on
	ExitUsage       = 2   // nothing was judged: flags, arguments or the policy file are wrong
	ExitUnjudged    = 3   // something could not be judged; wins over ExitFindings
	ExitInterrupted = 130 // SIGINT or SIGTERM, as shells have it
)

const exitCodeHelp = `Exit codes:
  0    nothing found at or above --fail-on
  1    findings at or above --fail-on
  2    nothing was judged: a flag, an argument or the policy file is wrong
  3    something could not be judged (wins over 1)
  130  interrupted
`

// Streams are the process's ends, so that tests can stand in for them.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// OutTTY and ErrTTY say whether these are terminals; Width is Out's, in columns, 0 where it is none.
	OutTTY, ErrTTY bool
	Width          int
	Env            func(string) string
	// Interrupted is called once a signal has ended the work; nil in tests.
	Signals bool
}

// System returns the process's own streams.
func System() Streams {
	s := Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Getenv, Signals: true}
	s.OutTTY, s.ErrTTY = term.IsTerminal(int(os.Stdout.Fd())), term.IsTerminal(int(os.Stderr.Fd()))
	if s.OutTTY {
		if w, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
			s.Width = w
		}
	}
	return s
}

// exit carries a code out of a command that has said all there is to say.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// usageError is an error of flags or arguments: nothing was judged.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, a ...any) error { return usageError{fmt.Errorf(format, a...)} }

// Main runs one command line and returns the exit code.
func Main(args []string, s Streams) int {
	// A scan allocates a little per template and keeps most of it until the
	// report is written: collecting less often halves the processor time, and
	// the limit keeps the peak where a laptop does not notice it.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(80 << 20)

	ctx := context.Background()
	if s.Signals {
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		defer stop()
	}
	root := newRoot(&s)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var code exit
	switch {
	case err == nil:
		return ExitClean
	case errors.As(err, &code):
		return int(code)
	case ctx.Err() != nil || errors.Is(err, context.Canceled):
		fmt.Fprintln(s.Err, "plumbline: interrupted")
		return ExitInterrupted
	case errors.Is(err, syscall.EPIPE):
		// The reader has gone (`plumbline scan … | head`): what it read was right.
		return ExitClean
	}
	fmt.Fprintf(s.Err, "plumbline: %v\n", err)
	return ExitUsage
}

func newRoot(s *Streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "plumbline",
		Short: "Find violations of PCI DSS and of your own policies in CloudFormation and CDK stacks",
		Long: `Plumbline judges CloudFormation templates and CDK output against PCI DSS v4.0.1
and your organisation's own policies, through a Step Functions workflow that runs
unchanged on this machine and on AWS.`,
		Example: `  plumbline scan template.yaml
  plumbline scan cdk.out --format html > report.html
  plumbline explain s3-bucket-versioning CardVault template.yaml
  plumbline rules list`,
		Version:           version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: false},
	}
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.SetVersionTemplate("plumbline {{.Version}}\n")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w%s. see %q", err, nearFlag(c, err), c.CommandPath()+" --help")}
	})
	root.AddCommand(newScan(s), newRules(s), newExplain(s), newHistory(s), newWorkflows(s))
	return root
}

// version is the linker's, or the module's where the program was built by `go install`.
func version() string {
	if Version != "dev" {
		return Version
	}
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" && b.Main.Version != "(devel)" {
		return b.Main.Version
	}
	return Version
}

// colors reports whether to colour a stream, from --color and the environment.
// Source of the variable: no-color.org.
func colors(mode string, tty bool, env func(string) string) (bool, error) {
	switch mode {
	case "always":
		return true, nil
	case "never":
		return false, nil
	case "auto":
		return tty && env("NO_COLOR") == "" && env("TERM") != "dumb", nil
	}
	return false, usagef("--color %q: allowed are auto, always, never", mode)
}

// oneOf checks a flag's value against what is allowed and names the nearest.
func oneOf(flag, value string, allowed []string) error {
	for _, a := range allowed {
		if a == value {
			return nil
		}
	}
	hint := ""
	if n := nearest.Of(value, allowed); n != "" {
		hint = fmt.Sprintf(". did you mean %q?", n)
	}
	return usagef("%s %q is not known: allowed are %s%s", flag, value, strings.Join(allowed, ", "), hint)
}
