package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"plumbline/internal/sfn"
)

// sfnFlags are what "plumbline sfn" is started with.
type sfnFlags struct {
	port    int
	mocks   string
	virtual bool
	seed    uint64
	data    string

	lambda          string   // the endpoint; "": the environment's
	functions       []string // NAME=PATH, or a folder
	functionTimeout time.Duration
}

const defaultSfnPort = 8083 // Step Functions Local's

func newSfn(s *Streams) *cobra.Command {
	var f sfnFlags
	c := &cobra.Command{
		Use:   "sfn",
		Short: "Serve the Step Functions API on this machine",
		Long: `Serve the API of AWS Step Functions on this machine, as Step Functions Local
does: the AWS CLI and the SDKs create state machines here, start executions and
read histories. It listens on 127.0.0.1 until Ctrl-C and needs no account.

What a task calls is answered by a mock file (--mock-config, or SFN_MOCK_CONFIG),
the one of Step Functions Local: start an execution with the name of a test case
behind the ARN of its state machine, as in arn:…:stateMachine:Orders#HappyPath.
What no mock answers is called: a function as a process of this machine where
--function names its program, anything else at the endpoint that the environment
has for its service.

With --virtual-time a Wait of three days is over at once: time jumps to the next
thing that is due as soon as no call is in flight.`,
		Example: `  # serve on port 8083, and talk to it
  plumbline sfn
  aws stepfunctions list-state-machines --endpoint-url http://127.0.0.1:8083

  # answer tasks from a mock file, and skip all waiting
  plumbline sfn --mock-config MockConfigFile.json --virtual-time

  # run a function's binary as Lambda does, send messages to an emulator, and
  # keep executions over restarts
  SQS_ENDPOINT=http://127.0.0.1:4566 plumbline sfn --function Charge=dist/charge/bootstrap --data .sfn`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return serveSfn(c.Context(), s, &f) },
	}
	flags := c.Flags()
	flags.IntVar(&f.port, "port", defaultSfnPort, "listen on this `PORT` of 127.0.0.1; 0 takes a free one")
	flags.StringVar(&f.mocks, "mock-config", "", "answer tasks from this mock `FILE` (default: $SFN_MOCK_CONFIG)")
	flags.BoolVar(&f.virtual, "virtual-time", false, "let time jump over all waiting")
	flags.StringVar(&f.data, "data", "", "keep state machines and executions in this `DIR`, and go on with them at the next start")
	flags.StringVar(&f.lambda, "lambda-endpoint", "", "invoke functions at this `URL`, as http://127.0.0.1:3001 (default: $LAMBDA_ENDPOINT)")
	flags.StringArrayVar(&f.functions, "function", nil, "run the function of a name as a program, `NAME=PATH`, or all in a folder of NAME/bootstrap; may be repeated")
	flags.DurationVar(&f.functionTimeout, "function-timeout", 15*time.Minute, "end a function's call after this `TIME`")
	flags.Uint64Var(&f.seed, "seed", 0, "draw jitter and random values from this `NUMBER`; 0 is a new one each time")
	c.SetHelpTemplate(c.HelpTemplate() + `
Environment:
  SFN_MOCK_CONFIG              the mock file where --mock-config is not given
  AWS_REGION, AWS_ACCOUNT_ID   what stands in ARNs (default: us-east-1, 123456789012)
  LAMBDA_ENDPOINT, SQS_ENDPOINT, SNS_ENDPOINT, DYNAMODB_ENDPOINT, EVENTS_ENDPOINT,
  STEP_FUNCTIONS_ENDPOINT      where tasks find these services
  AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL
                               where they find any, as the AWS SDKs have it

Exit codes:
  0  ended by Ctrl-C or SIGTERM
  2  a flag or the mock file is wrong, or the port is taken
`)
	return c
}

// config is the server that the flags and the environment ask for.
func (f *sfnFlags) config(s *Streams) (sfn.Config, error) {
	c := sfn.Config{Virtual: f.virtual, Seed: f.seed, Log: log.New(s.Err, "plumbline: ", log.LstdFlags)}
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if c.Region == "" {
			c.Region = s.Env(name)
		}
	}
	c.Account = s.Env("AWS_ACCOUNT_ID")
	flag, file := "--mock-config", f.mocks
	if file == "" {
		flag, file = "SFN_MOCK_CONFIG", s.Env("SFN_MOCK_CONFIG")
	}
	if file == "" {
		return c, nil
	}
	var err error
	if c.Mocks, err = sfn.ReadMocks(file); err != nil {
		if errors.As(err, new(*fs.PathError)) {
			return c, fileProblem(flag, file, err)
		}
		return c, usageError{err}
	}
	return c, nil
}

// sfnMode says what is special about the server.
func sfnMode(f *sfnFlags, c *sfn.Config) string {
	var parts []string
	if c.Mocks != nil {
		parts = append(parts, "tasks answered by "+c.Mocks.File())
	}
	if f.virtual {
		parts = append(parts, "virtual time")
	}
	if f.data != "" {
		parts = append(parts, "kept in "+f.data)
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// serveSfn serves until ctx ends.
func serveSfn(ctx context.Context, s *Streams, f *sfnFlags) error {
	if f.port < 0 || f.port > 65535 {
		return usagef("--port %d: allowed are 1 to 65535, and 0 for a free one", f.port)
	}
	config, err := f.config(s)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(f.port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return usagef("port %d is taken by another program. give another by --port, or 0 for a free one", f.port)
	}
	if err != nil {
		return usageError{fmt.Errorf("listen on port %d: %w", f.port, err)}
	}
	endTasks, err := f.callTasks(s, &config, "http://"+listener.Addr().String())
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer endTasks()
	api, closeData, err := newSfnServer(ctx, f, &config)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer closeData()
	server := &http.Server{Handler: api, ReadHeaderTimeout: time.Minute, ErrorLog: config.Log}
	fmt.Fprintf(s.Err, "Step Functions API at http://%s%s. Ctrl-C ends it\n", listener.Addr(), sfnMode(f, &config))
	return serveUntil(ctx, "the API", listener, server, 200*time.Millisecond)
}
