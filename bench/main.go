// Command bench measures a scan as a whole process and prints figures as
// ratios within one run, since the same machine is not equally fast twice:
// processor time over that of parsing the same files alone (the floor), the
// phases of a scan, and how both grow with the number of templates and of
// resources. `make bench` runs it; with -write it makes docs/benchmarks.md.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// runs of one command; the least processor time counts, as the others hold what disturbed them.
const runs = 5

func main() {
	bin := flag.String("bin", "bin/plumbline", "the program to measure")
	data := flag.String("data", "", "a folder of templates; default: 300 made ones")
	write := flag.String("write", "", "a Markdown file to write as well, or a section of it")
	peers := flag.String("peers", "", "a folder with venv/bin/checkov and trivy: compare with them instead (what bench/peers.sh calls)")
	labelled := flag.String("labels", "", "with -peers: a file of labels (JSON lines) beside labelled templates: compare what scanners find in them instead of how fast they are")
	engineModules := flag.String("engines", "", "a folder with node_modules of aws-local-stepfunctions: compare engines instead (what bench/engines.sh calls)")
	ministack := flag.String("servers", "", "the program ministack: compare Step Functions APIs over HTTP instead (what bench/servers.sh calls)")
	floor := flag.String("floor", "", "only parse the templates below this folder (what the benchmark calls itself with)")
	flag.Parse()
	if *floor != "" {
		if err := parseOnly(*floor); err != nil {
			fatal(err)
		}
		return
	}
	var page strings.Builder
	run, section := bench, ""
	if *ministack != "" {
		section = "servers"
		run = func(w io.Writer, bin, _ string) error { return servers(w, bin, *ministack) }
	}
	if *engineModules != "" {
		section = "engines"
		run = func(w io.Writer, _, _ string) error { return engines(w, *engineModules) }
	}
	switch {
	case *labelled != "":
		section = "detection"
		run = func(w io.Writer, bin, _ string) error { return detection(w, bin, *labelled, *peers) }
	case *peers != "":
		run = func(w io.Writer, bin, data string) error { return compare(w, bin, data, *peers) }
	}
	if err := run(io.MultiWriter(os.Stdout, &page), *bin, *data); err != nil {
		fatal(err)
	}
	if *write != "" {
		if err := writePage(*write, section, page.String()); err != nil {
			fatal(err)
		}
	}
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "bench:", err)
	os.Exit(1)
}

func bench(w io.Writer, bin, data string) error {
	if _, err := os.Stat(bin); err != nil {
		return fmt.Errorf("%w. run `make build` first", err)
	}
	tmp, err := os.MkdirTemp("", "plumbline-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	what := "the templates given"
	if data == "" {
		data, what = filepath.Join(tmp, "made"), "300 made templates of 14 resources"
		if err := makeTemplates(data, 300); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "# Benchmarks\n\nMade by `make bench`, with %s, %s/%s, %d processors. Each figure is the least of %d runs of the whole process. Processor time is user and system time of all threads.\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runs)
	if err := whole(w, bin, data, what); err != nil {
		return err
	}
	if err := phases(w, bin, data, tmp); err != nil {
		return err
	}
	if err := small(w, bin, tmp); err != nil {
		return err
	}
	return growth(w, bin, tmp)
}

// whole compares a scan with the floor.
func whole(w io.Writer, bin, data, what string) error {
	f, err := parsing(data)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "## A scan over the floor\n\nThe floor reads and parses the same files with yaml.v3 (JSON with encoding/json) on two workers and does nothing else. Here: %s.\n\n", what)
	fmt.Fprintf(w, "| | processor time | over the floor | peak memory |\n|---|---:|---:|---:|\n")
	fmt.Fprintf(w, "| floor | %s | 1.00 | %s |\n", ms(f.cpu), mib(f.peak))
	for _, format := range []string{"json", "table", "html"} {
		s, err := measure(bin, "scan", "--format", format, data)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "| scan, %s | %s | %.2f | %s |\n", format, ms(s.cpu), ratio(s.cpu, f.cpu), mib(s.peak))
	}
	fmt.Fprintln(w)
	return nil
}

// phases prints where a scan's processor time goes, as the scan itself counted
// it, without and with a data folder, and which of judging and orchestration costs more.
func phases(w io.Writer, bin, data, tmp string) error {
	plain, err := timed(bin, "scan", "--timings", "--format", "json", data)
	if err != nil {
		return err
	}
	kept, err := timed(bin, "scan", "--timings", "--format", "json", "--data", filepath.Join(tmp, "data"), data)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "## Phases\n\nProcessor time in each phase, added up over workers, of a scan and of a first scan with `--data`. Orchestrate is all the rest of the process's: workflow, tasks, persistence, and garbage collected in the background.\n\n| phase | scan | scan --data |\n|---|---:|---:|\n")
	for _, p := range kept { // which has a phase more: stored-reports
		fmt.Fprintf(w, "| %s | %.1f ms | %.1f ms |\n", p.name, ofPhase(plain, p.name), p.ms)
	}
	fmt.Fprintf(w, "\n%s %s\n\n", comparison("Without `--data`", plain), comparison("With `--data`", kept))
	return nil
}

type phase struct {
	name string
	ms   float64
}

// timed runs a scan and reads the timings that it prints.
func timed(bin string, args ...string) ([]phase, error) {
	cmd := exec.Command(bin, args...)
	cmd.Stdout = io.Discard
	var text strings.Builder
	cmd.Stderr = &text
	if err := tolerate(cmd.Run()); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", cmd, err, text.String())
	}
	return readTimings(text.String())
}

func readTimings(text string) ([]phase, error) {
	var out []phase
	for line := range strings.Lines(text) {
		var p phase
		if n, _ := fmt.Sscanf(line, "timing %s %g ms", &p.name, &p.ms); n == 2 {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("the scan printed no timings:\n%s", text)
	}
	return out, nil
}

func ofPhase(ps []phase, name string) float64 {
	for _, p := range ps {
		if p.name == name {
			return p.ms
		}
	}
	return 0
}

// comparison says in a sentence whether workflow, tasks and persistence together cost less than judging.
func comparison(what string, ps []phase) string {
	judging := ofPhase(ps, "compile") + ofPhase(ps, "judge")
	rest := ofPhase(ps, "orchestrate")
	word := "less"
	if rest >= judging {
		word = "more"
	}
	return fmt.Sprintf("%s, workflow, tasks and persistence together cost %s than judging: %.0f ms to %.0f ms.", what, word, rest, judging)
}

// small is the scan that an editor runs on every save.
func small(w io.Writer, bin, tmp string) error {
	dir := filepath.Join(tmp, "one")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "one.yaml"), []byte("Resources:\n  Open:\n    Type: AWS::S3::Bucket\n"), 0o644); err != nil {
		return err
	}
	s, err := measure(bin, "scan", dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "## One small template\n\nOne bucket: %s of processor time from start to exit, peak memory %s.\n\n", ms(s.cpu), mib(s.peak))
	return nil
}

// growth shows that cost is linear in templates and in resources.
func growth(w io.Writer, bin, tmp string) error {
	fmt.Fprintf(w, "## Growth\n\n| input | processor time | per resource | peak memory |\n|---|---:|---:|---:|\n")
	for _, n := range []int{50, 200, 800} {
		dir := filepath.Join(tmp, fmt.Sprint("n", n))
		if err := makeTemplates(dir, n); err != nil {
			return err
		}
		s, err := measure(bin, "scan", "--format", "json", dir)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "| %d templates, %d resources | %s | %.1f µs | %s |\n", n, n*perTemplate, ms(s.cpu), float64(s.cpu.Microseconds())/float64(n*perTemplate), mib(s.peak))
	}
	for _, n := range []int{320, 1280, 5000} {
		path := filepath.Join(tmp, fmt.Sprintf("big%d.yaml", n))
		if err := os.WriteFile(path, template(0, n), 0o644); err != nil {
			return err
		}
		s, err := measure(bin, "scan", "--format", "json", path)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "| one template, %d resources | %s | %.1f µs | %s |\n", n, ms(s.cpu), float64(s.cpu.Microseconds())/float64(n), mib(s.peak))
	}
	fmt.Fprintln(w)
	return nil
}

type cost struct {
	cpu  time.Duration
	peak int64 // bytes
}

func parsing(dir string) (cost, error) {
	self, err := os.Executable()
	if err != nil {
		return cost{}, err
	}
	return measure(self, "-floor", dir)
}

func measure(name string, args ...string) (cost, error) { return measureRuns(runs, name, args...) }

func measureRuns(n int, name string, args ...string) (cost, error) {
	best := cost{cpu: time.Hour}
	for range n {
		cmd := exec.Command(name, args...)
		var text strings.Builder
		cmd.Stdout, cmd.Stderr = io.Discard, &text
		if err := tolerate(cmd.Run()); err != nil {
			return cost{}, fmt.Errorf("%s: %w\n%s", cmd, err, text.String())
		}
		best.cpu = min(best.cpu, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
		if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			best.peak = max(best.peak, r.Maxrss<<10)
		}
	}
	return best, nil
}

// tolerate takes the exit codes of a scan that found something for success.
func tolerate(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && (exit.ExitCode() == 1 || exit.ExitCode() == 3) {
		return nil
	}
	return err
}

func ms(d time.Duration) string { return fmt.Sprintf("%.0f ms", float64(d.Microseconds())/1000) }
func mib(n int64) string        { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }
func ratio(a, b time.Duration) float64 {
	return float64(a) / float64(max(b, 1))
}
