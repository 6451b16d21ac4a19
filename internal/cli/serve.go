package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"plumbline/approval"
	"plumbline/internal/approvalpage"
	"plumbline/internal/bundle/description"
	"plumbline/internal/console"
	"plumbline/internal/local"
	"plumbline/internal/signin/session"
)

// serveFlags are what "plumbline serve" is started with.
type serveFlags struct {
	data  string
	port  int
	judge judgeFlags
	sign  signInFlags
}

const defaultServePort = 8084

func newServe(s *Streams) *cobra.Command {
	var f serveFlags
	c := &cobra.Command{
		Use:   "serve --data DIR",
		Short: "Show a data folder in the browser",
		Long: `Show what a data folder holds in the browser: an overview, findings with their
history and plans, changes that wait for approval, executions with their state
graphs, and the rules. It listens on 127.0.0.1 until Ctrl-C, for this machine
alone. Scans may write to the folder meanwhile.

To show it to others, have a server on this machine that speaks TLS hand over its
requests, give the address that it has as --site, and an issuer: everybody signs in.`,
		Example: `  plumbline scan cdk.out --data .plumbline
  plumbline serve --data .plumbline`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return serve(c.Context(), s, &f) },
	}
	fl := c.Flags()
	fl.StringVar(&f.data, "data", "", "the `DIR` that scans were kept in")
	fl.IntVar(&f.port, "port", defaultServePort, "listen on this `PORT` of 127.0.0.1; 0 takes a free one")
	fl.StringVar(&f.judge.policy, "policy", "", "the policy `FILE` (default: plumbline.yaml in the current folder, if there is one)")
	fl.StringArrayVar(&f.judge.rules, "rules", nil, "also know the rules of this `DIR`; may be given again")
	f.sign.register(c)
	return c
}

func serve(ctx context.Context, s *Streams, f *serveFlags) (err error) {
	switch {
	case f.data == "":
		return usagef("serve needs --data DIR, the folder that \"plumbline scan --data DIR\" wrote to")
	case f.port < 0 || f.port > 65535:
		return usagef("--port %d: allowed are 1 to 65535, and 0 for a free one", f.port)
	}
	if err := f.sign.check(); err != nil {
		return err
	}
	j, err := f.judge.open(s)
	if err != nil {
		return err
	}
	data, err := local.OpenReader(ctx, f.data)
	if err != nil {
		return usageError{err}
	}
	defer func() { err = errors.Join(err, data.Close()) }()
	logger := log.New(s.Err, "plumbline: ", log.LstdFlags)
	var front *door // nil: this machine alone, without signing in
	if f.sign.asked() {
		front = f.sign.door(logger)
	}
	said := description.Of(j.set, j.policy, len(f.judge.rules) > 0)
	page, err := console.New(console.Options{
		Data: data, Rules: j.set, Describe: said.Rule, Frameworks: said.Frameworks(), Due: j.policy.Due,
		Approvals: approvalPages(ctx, f.data, front, logger), Hosts: f.sign.hosts(), Version: version(), Log: logger,
	})
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
	if err := page.Warm(ctx); err != nil {
		return errors.Join(usageError{err}, listener.Close())
	}
	fmt.Fprintf(s.Err, "console of %s at http://%s/. Ctrl-C ends it\n", f.data, listener.Addr())
	if front != nil {
		return serveConsole(ctx, listener, front.before(page), logger)
	}
	return serveConsole(ctx, listener, page, logger)
}

// wordTaken says on the approval pages whose word is taken for who somebody is.
const wordTaken = "On this machine plumbline takes the word of whoever can open this page: it serves this machine alone, and decisions made here are signed with the name of the user who started it."

// approvalPages returns the approval pages once a change was planned in the folder.
func approvalPages(ctx context.Context, dir string, front *door, logger *log.Logger) func() http.Handler {
	var mu sync.Mutex
	var pages http.Handler
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails since Go 1.24
	who := approvalpage.Visitor{Person: approval.Person{Name: osUser()}, Secret: secret, Vouched: wordTaken}
	return func() http.Handler {
		mu.Lock()
		defer mu.Unlock()
		if pages != nil {
			return pages
		}
		d, err := local.OpenChangesData(ctx, dir, false)
		if err != nil {
			return nil // no change was planned yet; a file that is damaged is told by the findings' plans
		}
		context.AfterFunc(ctx, func() { _ = d.Close() }) // what was decided is kept already
		config := approvalpage.Config{
			Desk: d.Desk(), Plans: d.Blobs, Nav: console.Nav, Log: slog.New(slog.NewTextHandler(logger.Writer(), nil)),
			Identify: func(*http.Request) (approvalpage.Visitor, error) { return who, nil },
		}
		if front != nil {
			config.Identify, config.SignIn, config.SignOut = front.identify, session.InPath, session.OutPath
		}
		pages = approvalpage.Handler(config)
		return pages
	}
}

// serveConsole serves the pages within limits that keep a slow or greedy client
// from holding the server up.
func serveConsole(ctx context.Context, listener net.Listener, page http.Handler, logger *log.Logger) error {
	return serveUntil(ctx, "the console", listener, &http.Server{
		Handler: page, ErrorLog: logger, MaxHeaderBytes: 32 << 10,
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
	}, 2*time.Second)
}

// serveUntil serves until ctx ends; calls that are nearly done within grace get
// their answer, a long poll does not. what names what is served in an error.
func serveUntil(ctx context.Context, what string, listener net.Listener, server *http.Server, grace time.Duration) error {
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve %s: %w", what, err)
	case <-ctx.Done():
	}
	left, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if server.Shutdown(left) != nil {
		_ = server.Close() // it ends with the process anyway
	}
	return nil
}
