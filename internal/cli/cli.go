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
	"sync"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"plumbline/internal/account"
	"plumbline/internal/nearest"
)

// Version is set by the linker; a build with `go install` takes the module's.
var Version = "dev"

// Exit codes. They are part of plumbline's contract with scripts; the format
// of a report never changes them.
const (
	ExitClean       = 0   // nothing found at or above --fail-on
	ExitFindings    = 1   // findings at or above --fail-on
	ExitUsage       = 2   // nothing was judged: flags, arguments or the files they name are wrong
	ExitUnjudged    = 3   // something could not be judged, or the result not be written; wins over ExitFindings
	ExitInterrupted = 130 // SIGINT or SIGTERM, as shells have it
)

const exitCodeHelp = `Exit codes:
  0    nothing found at or above --fail-on
  1    findings at or above --fail-on
  2    nothing was judged: a flag, an argument or the policy file is wrong
  3    something could not be judged, or the report not be written (wins over 1)
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
	// Accounts opens AWS accounts; nil where the binary carries no SDK.
	Accounts account.Opener
	// Signals makes SIGINT and SIGTERM end the work, and a closed pipe an error
	// like any other; off in tests, whose process is not the command's own.
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

// Main runs one command line and returns the exit code.
func Main(args []string, s Streams) int {
	collectLate()

	ctx := context.Background()
	if s.Signals {
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop)   // a second one ends the process at once
		signal.Ignore(syscall.SIGPIPE) // a reader that has gone must not change the exit code
	}
	s.In = &interruptible{ctx: ctx, r: s.In}
	out := &resultWriter{w: s.Out}
	s.Out = out
	root := newRoot(&s)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if out.err != nil && (err == nil || errors.As(err, new(exit)) || errors.Is(err, out.err)) {
		err = out.fold(err)
	}
	return code(ctx, &s, err)
}

// interruptible is standard input whose reading ends with the context: a person
// who waits at a terminal for "plumbline scan -" leaves with one Ctrl-C.
type interruptible struct {
	ctx  context.Context
	r    io.Reader
	once sync.Once
	pipe *io.PipeReader
}

func (i *interruptible) Read(p []byte) (int, error) {
	i.once.Do(func() {
		var w *io.PipeWriter
		i.pipe, w = io.Pipe()
		context.AfterFunc(i.ctx, func() { _ = i.pipe.CloseWithError(i.ctx.Err()) }) // never fails
		go func() {
			_, err := io.Copy(w, i.r)
			_ = w.CloseWithError(err) // never fails; nil is the end
		}()
	})
	n, err := i.pipe.Read(p)
	if i.ctx.Err() != nil && err != nil {
		return n, i.ctx.Err()
	}
	return n, err
}

// resultWriter is standard output. It keeps the first error, so that no command
// can end well whose result did not arrive.
type resultWriter struct {
	w   io.Writer
	err error
}

// fold makes the error of a command of its own and of what became of its
// result. A reader that has gone (`plumbline scan … | head`) is no error: what
// was judged stays judged, so the exit code is the command's.
func (r *resultWriter) fold(err error) error {
	switch {
	case !errors.Is(r.err, syscall.EPIPE):
		return fmt.Errorf("write to standard output: %s", cause(r.err))
	case errors.Is(err, r.err):
		return nil
	}
	return err
}

func (r *resultWriter) Write(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.w.Write(p)
	r.err = err
	return n, err
}

// code tells what went wrong and turns it into the exit code.
func code(ctx context.Context, s *Streams, err error) int {
	var said exit
	var usage usageError
	switch {
	case err == nil:
		return ExitClean
	case errors.As(err, &said):
		return int(said)
	case ctx.Err() != nil || errors.Is(err, context.Canceled):
		fmt.Fprintln(s.Err, "plumbline: interrupted")
		return ExitInterrupted
	}
	complain(s.Err, err)
	if errors.As(err, &usage) {
		return ExitUsage
	}
	return ExitUnjudged
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
		Args:              noSubcommand,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
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
		return usageError{fmt.Errorf("%w%s", err, flagHint(c, err))}
	})
	root.AddCommand(newScan(s), newRules(s), newExplain(s), newFix(s), newRemediate(s), newApprovals(s), newAudit(s), newHistory(s), newSLA(s), newEvidence(s), newNotify(s), newServe(s), newWorkflows(s), newSfn(s), newDoctor(s))
	root.SetHelpCommand(newHelp())
	root.InitDefaultCompletionCmd("completion")
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Args, c.RunE = noSubcommand, func(c *cobra.Command, _ []string) error { return c.Help() }
		}
	}
	return root
}

// newHelp is cobra's help command, which would exit with 0 on a word that is no command.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about any command",
		RunE: func(c *cobra.Command, args []string) error {
			at := c.Root()
			for i, word := range args {
				next, _, err := at.Find(args[i : i+1])
				if err != nil || next == at {
					return noSubcommand(at, []string{word})
				}
				at = next
			}
			at.InitDefaultHelpFlag()
			return at.Help()
		},
	}
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
	return usagef("%s %q is not known: allowed are %s%s", flag, value, strings.Join(allowed, ", "), didYouMean(value, allowed))
}

// didYouMean is the nearest word as the end of a message, "" where none is near.
func didYouMean(got string, words []string) string {
	if n := nearest.Of(got, words); n != "" {
		return fmt.Sprintf(". did you mean %q?", n)
	}
	return ""
}
