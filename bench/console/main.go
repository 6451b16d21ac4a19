// Command console measures `plumbline serve` on a large data folder while scans
// write to it, and writes what it finds into docs/console.md.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"plumbline/finding"
	"plumbline/internal/sqlite"
)

func main() {
	bin := flag.String("bin", "bin/plumbline", "the binary")
	n := flag.Int("findings", 100_000, "how many findings")
	load := flag.Duration("load", time.Minute, "how long 1,000 readers and a writer work")
	page := flag.String("write", "docs/console.md", "the page whose figures are written anew; empty prints them")
	flag.Parse()
	if err := run(*bin, *n, *load, *page); err != nil {
		fmt.Fprintln(os.Stderr, "bench/console:", err)
		os.Exit(1)
	}
}

func run(bin string, n int, load time.Duration, page string) (err error) {
	dir, err := os.MkdirTemp("", "plumbline-console-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	db, err := sqlite.Open(ctx, filepath.Join(dir, "findings.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	all := findings(n)
	for some := range slices.Chunk(all, 5000) {
		if err := db.Put(ctx, some); err != nil {
			return err
		}
	}
	s, err := start(ctx, bin, dir)
	if err != nil {
		return err
	}
	defer s.stop()

	var out bytes.Buffer
	if err := s.figures(ctx, &out, db, all); err != nil {
		return err
	}
	if err := s.crowd(ctx, &out, db, all, load); err != nil {
		return err
	}
	if page == "" {
		_, err = os.Stdout.Write(out.Bytes())
		return err
	}
	return write(page, out.Bytes())
}

// findings are n violations of 400 stacks.
func findings(n int) []finding.Record {
	rules := []string{"s3-bucket-versioning", "ec2-security-group-open-ssh", "iam-policy-admin", "s3-bucket-block-public-policy", "rds-instance-encryption", "cloudtrail-log-validation", "lambda-function-dead-letter"}
	began := time.Now().Add(-100 * 24 * time.Hour).UTC().Truncate(time.Second)
	out := make([]finding.Record, n)
	for i := range out {
		at := began.Add(time.Duration(i) * time.Minute)
		out[i] = finding.Record{
			Finding: finding.Finding{
				Rule: rules[i%len(rules)], Severity: finding.Severities[i%4], Domain: finding.Domains[i%7], Verdict: finding.Fail,
				Resource:    finding.Resource{Account: fmt.Sprintf("1111%08d", i%12), Region: "eu-west-1", Stack: fmt.Sprintf("payments-stack-%d", i%400), LogicalID: fmt.Sprintf("Resource%d", i), Type: "AWS::S3::Bucket", ConstructPath: fmt.Sprintf("Payments/Stack%d/Resource%d/Resource", i%400, i)},
				Place:       finding.Place{Path: fmt.Sprintf("cdk.out/payments-stack-%d.template.json", i%400), Line: i%3000 + 1, Column: 7},
				Message:     fmt.Sprintf("value %d of the property is not what the rule asks for", i),
				Remediation: "Set the property as the rule asks, deploy the stack, and look at what depended on the old value before and after it.",
				Fix:         finding.FixAvailable, Owner: []string{"payments", "platform", "data"}[i%3],
			},
			State: []finding.State{finding.Open, finding.Open, finding.New, finding.Resolved, finding.Suppressed}[i%5], FirstSeen: at, LastSeen: at.Add(time.Hour), Due: at.Add(90 * 24 * time.Hour),
		}
	}
	return out
}

// server is the binary at work.
type server struct {
	address string
	command *exec.Cmd
	client  *http.Client
}

func start(ctx context.Context, bin, dir string) (*server, error) {
	s := &server{command: exec.CommandContext(ctx, bin, "serve", "--data", dir, "--port", "0"), client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 1100}}} //nolint:gosec // the binary that is measured
	said, err := s.command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if _, rest, ok := strings.Cut(lines.Text(), "http://"); ok {
			host, _, _ := strings.Cut(rest, "/")
			s.address = "http://" + host
			go func() { _, _ = io.Copy(io.Discard, said) }() // what it says later is not measured
			return s, nil
		}
	}
	return nil, errors.Join(errors.New("plumbline serve did not start"), s.command.Wait())
}

func (s *server) stop() {
	_ = s.command.Process.Signal(syscall.SIGTERM) // it may have ended
	_ = s.command.Wait()
}

// ask is how long the first byte of a page takes, in which a failed answer is an error.
func (s *server) ask(ctx context.Context, path string) (time.Duration, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address+path, nil)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	answer, err := s.client.Do(r)
	if err != nil {
		return 0, err
	}
	first := make([]byte, 1)
	_, err = io.ReadFull(answer.Body, first)
	took := time.Since(began)
	if err == nil {
		_, err = io.Copy(io.Discard, answer.Body)
	}
	if err = errors.Join(err, answer.Body.Close()); err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d", path, answer.StatusCode)
	}
	return took, err
}

// page is a page with its limit.
type page struct {
	name  string
	limit time.Duration
	path  func(i int) string
}

const asks = 200 // of each page

// figures measures pages while a scan writes all findings again and again.
func (s *server) figures(ctx context.Context, out io.Writer, db *sqlite.DB, all []finding.Record) error {
	pages := []page{
		{"overview", 50 * time.Millisecond, func(int) string { return "/" }},
		{"findings, first page", 50 * time.Millisecond, func(int) string { return "/findings" }},
		{"one finding", 50 * time.Millisecond, func(i int) string { return "/findings/" + all[(i*7919)%len(all)].Fingerprint() }},
		{"filter by severity and state", 100 * time.Millisecond, func(i int) string { return "/findings?severity=" + string(finding.Severities[i%4]) + "&state=open" }},
		{"filter by stack and rule", 100 * time.Millisecond, func(i int) string { return fmt.Sprintf("/findings?stack=payments-stack-%d&rule=%s", i, all[i].Rule) }},
		{"search", 100 * time.Millisecond, func(i int) string { return fmt.Sprintf("/findings?q=resource%d+value", i) }},
		{"filter by framework, the due first", 100 * time.Millisecond, func(int) string { return "/findings?framework=pci-dss-4.0.1&sort=due&owner=payments" }},
		{"group by stack", 100 * time.Millisecond, func(int) string { return "/findings?group=stack" }},
	}
	baseline, err := s.baseline(ctx, db)
	if err != nil {
		return err
	}
	writing, end := context.WithCancel(ctx)
	defer end()
	written := make(chan error, 1)
	go func() { written <- scans(writing, db, all) }()
	fmt.Fprintf(out, "%d findings, %d requests of each page, one after the other, while a scan writes all findings again; time to the first byte.\nThe last column is the 95th percentile as a share of one `LIKE` over the same table in SQLite, in the same run.\n\n", len(all), asks)
	fmt.Fprintln(out, "| page | median | 95th percentile | limit | share of a `LIKE` |\n|---|---|---|---|---|")
	var missed []string
	for _, p := range pages {
		var took []time.Duration
		for i := range asks {
			d, err := s.ask(ctx, p.path(i))
			if err != nil {
				return err
			}
			took = append(took, d)
		}
		slices.Sort(took)
		p50, p95 := took[len(took)/2], took[len(took)*95/100]
		fmt.Fprintf(out, "| %s | %s | %s | %d ms | %.2f |\n", p.name, ms(p50), ms(p95), p.limit.Milliseconds(), float64(p95)/float64(baseline))
		if p95 > p.limit {
			missed = append(missed, fmt.Sprintf("%s: %s", p.name, ms(p95)))
		}
	}
	end()
	if err := <-written; err != nil {
		return err
	}
	if len(missed) > 0 {
		fmt.Fprintf(out, "\nBeyond their limits: %s.\n", strings.Join(missed, ", "))
	}
	return nil
}

// baseline is how long SQLite takes to look through all findings.
func (s *server) baseline(ctx context.Context, db *sqlite.DB) (time.Duration, error) {
	var took []time.Duration
	for range 5 {
		began := time.Now()
		if _, err := db.CountLike(ctx, "%resource77 %"); err != nil {
			return 0, err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[2], nil
}

// scans writes all findings in one transaction, as a scan does, until ctx ends.
func scans(ctx context.Context, db *sqlite.DB, all []finding.Record) error {
	for round := 1; ctx.Err() == nil; round++ {
		session, err := db.Begin(context.WithoutCancel(ctx), time.Minute, nil)
		if err != nil {
			return err
		}
		for some := range slices.Chunk(all, 500) {
			some = slices.Clone(some)
			for i := range some {
				some[i].LastSeen = some[i].LastSeen.Add(time.Duration(round) * time.Hour)
			}
			if err := session.Put(context.WithoutCancel(ctx), some); err != nil {
				return errors.Join(err, session.Rollback())
			}
			if ctx.Err() != nil {
				return session.Rollback()
			}
		}
		if err := session.Commit(context.WithoutCancel(ctx), fmt.Sprint("scan-", round)); err != nil {
			return err
		}
	}
	return nil
}

// crowd has 1,000 readers ask and a writer write at once.
func (s *server) crowd(ctx context.Context, out io.Writer, db *sqlite.DB, all []finding.Record, long time.Duration) error {
	const crowd = 1000
	ctx, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	var pages, failed atomic.Int64
	var first atomic.Pointer[error]
	var wg sync.WaitGroup
	for i := range crowd {
		wg.Go(func() {
			for k := i; ctx.Err() == nil; k++ {
				path := "/findings/" + all[(k*7919)%len(all)].Fingerprint() // asks SQLite
				if k%4 == 0 {
					path = fmt.Sprintf("/findings?stack=payments-stack-%d", k%400)
				}
				if _, err := s.ask(ctx, path); err == nil {
					pages.Add(1)
				} else if ctx.Err() == nil {
					failed.Add(1)
					first.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	rounds := 0
	var wrote error
	for ; ctx.Err() == nil && wrote == nil; rounds++ {
		some := slices.Clone(all[(rounds*97)%(len(all)-97):][:97])
		for i := range some {
			some[i].LastSeen = time.Now().UTC()
		}
		wrote = db.Put(context.WithoutCancel(ctx), some)
	}
	wg.Wait()
	fmt.Fprintf(out, "\n%d readers at once and a writer, for %s: %d pages, %d transactions, %d errors.\n", crowd, long, pages.Load(), rounds, failed.Load())
	if e := first.Load(); e != nil {
		return errors.Join(wrote, *e)
	}
	return wrote
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

// heading is where the figures stand in the page; they end it.
const heading = "## Figures\n"

func write(file string, figures []byte) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, _, ok := bytes.Cut(text, []byte(heading))
	if !ok {
		return fmt.Errorf("%s has no section %q", file, strings.TrimSpace(heading))
	}
	return os.WriteFile(file, slices.Concat(before, []byte(heading+"\nMeasured by `make bench-console`.\n\n"), figures), 0o644) //nolint:gosec // a page of the repository
}
