package journal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl"
	"plumbline/asl/engine"
	"plumbline/internal/sfn/journal"
)

// killedDir tells the test binary that it is the process to be killed, and its folder.
const killedDir = "PLUMBLINE_TEST_KILLED_DIR"

// kills is how often a process is killed where PLUMBLINE_TEST_KILLS does not say.
const kills = 120

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedDir); dir != "" {
		if err := work(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1) //nolint:forbidigo // it is a process of its own
		}
		return
	}
	m.Run()
}

// everything has each kind of waiting in a branch of its own.
const everything = `{"StartAt":"All","States":{"All":{"Type":"Parallel","Next":"Done","Branches":[
	{"StartAt":"Work","States":{
		"Work":{"Type":"Task","Resource":"f","Retry":[{"ErrorEquals":["Boom"],"IntervalSeconds":1}],"Next":"More"},
		"More":{"Type":"Task","Resource":"f","End":true}}},
	{"StartAt":"Pause","States":{"Pause":{"Type":"Wait","Seconds":10,"Next":"After"},"After":{"Type":"Task","Resource":"f","End":true}}},
	{"StartAt":"Each","States":{"Each":{"Type":"Map","MaxConcurrency":2,"ItemsPath":"$.items","ItemProcessor":{"StartAt":"Item","States":{"Item":{"Type":"Task","Resource":"f","End":true}}},"End":true}}},
	{"StartAt":"Ask","States":{"Ask":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","HeartbeatSeconds":90000,"Parameters":{"n.$":"$.n"},"Next":"Asked"},"Asked":{"Type":"Task","Resource":"f","End":true}}},
	{"StartAt":"Child","States":{"Child":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2","Parameters":{"StateMachineArn":"child","Input.$":"$"},"ResultSelector":{"o.$":"$.Output"},"End":true}}},
	{"StartAt":"Many","States":{"Many":{"Type":"Map","ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"JSON"},"Parameters":{"Bucket":"b","Key":"k"}},
		"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"One","States":{"One":{"Type":"Task","Resource":"f","End":true}}},"End":true}}},
	{"StartAt":"Job","States":{"Job":{"Type":"Task","Resource":"later","Next":"Then"},"Then":{"Type":"Task","Resource":"f","End":true}}},
	{"StartAt":"Limit","States":{"Limit":{"Type":"Task","Resource":"hang","TimeoutSeconds":5,"Catch":[{"ErrorEquals":["States.Timeout"],"ResultPath":"$.failure","Next":"Caught"}],"End":true},"Caught":{"Type":"Task","Resource":"f","End":true}}}]},
	"Done":{"Type":"Task","Resource":"f","End":true}}}`

const childMachine = `{"StartAt":"First","States":{"First":{"Type":"Task","Resource":"f","Next":"Rest"},"Rest":{"Type":"Wait","Seconds":3,"Next":"Second"},"Second":{"Type":"Task","Resource":"f","End":true}}}`

// executions is how many run at the same time.
const executions = 4

// fastClock is real time, twenty times as fast, over all processes of a run.
type fastClock struct{ from time.Time }

const fast = 20

func (c fastClock) Now() time.Time { return c.from.Add(time.Since(c.from) * fast) }

func (c fastClock) At(t time.Time, f func()) func() {
	timer := time.AfterFunc(t.Sub(c.Now())/fast, f)
	return func() { timer.Stop() }
}

// ledger is the world outside: a file that one process after another appends
// to. What an idempotent service knows by a key, it knows from there.
type ledger struct {
	mu      sync.Mutex
	file    *os.File
	effects map[string]bool     // keys with attempts
	tokens  map[string]bool     // given out, and whether they have been answered
	calls   map[string][]string // keys with attempts, in their order, by execution and frame
	started map[string]bool
}

func openLedger(dir string) (*ledger, error) {
	path := filepath.Join(dir, "ledger")
	b, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	l := &ledger{effects: map[string]bool{}, tokens: map[string]bool{}, calls: map[string][]string{}, started: map[string]bool{}}
	for text := range strings.Lines(string(b)) {
		l.take(strings.Split(strings.TrimSuffix(text, "\n"), "\t"))
	}
	l.file, err = os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return l, err
}

func (l *ledger) take(f []string) {
	switch f[0] {
	case "call":
		if id := f[2]; !slices.Contains(l.calls[f[1]], id) {
			l.calls[f[1]] = append(l.calls[f[1]], id)
		}
	case "effect":
		l.effects[f[1]] = true
	case "token":
		if _, known := l.tokens[f[1]]; !known {
			l.tokens[f[1]] = false
		}
	case "answered":
		l.tokens[f[1]] = true
	case "started":
		l.started[f[1]] = true
	}
}

func (l *ledger) write(fields ...string) {
	if _, err := l.file.WriteString(strings.Join(fields, "\t") + "\n"); err != nil {
		panic(err)
	}
	l.take(fields)
}

// service does what tasks ask for, once for each key and attempt.
type service struct {
	*ledger
	engine    *engine.Engine
	completed map[string]int // calls whose outcome the journal had at the start, by execution and frame
}

func (s *service) Invoke(ctx context.Context, c engine.Call) (json.RawMessage, error) {
	parts := strings.Split(c.Key, "/")
	frame := c.Root + "/" + parts[len(parts)-2]
	id := c.Key + "#" + strconv.Itoa(c.Attempt)
	s.mu.Lock()
	s.write("call", frame, id)
	if at := slices.Index(s.calls[frame], id); at < s.completed[frame] {
		s.write("violation", id)
	}
	if !s.effects[id] {
		s.write("effect", id, c.Root, c.State, strconv.Itoa(c.Attempt), string(c.Input))
	}
	if c.Token != "" {
		s.write("token", c.Token)
	}
	s.mu.Unlock()
	select {
	case <-time.After(time.Duration(rand.IntN(4000)) * time.Microsecond): //nolint:gosec // any
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	switch {
	case c.State == "Work" && c.Attempt < 2:
		return nil, &engine.Error{Name: "Boom"}
	case c.Resource == "later":
		return nil, &engine.Later{After: 5 * time.Second, Submitted: json.RawMessage(`{}`), Output: c.Input}
	case c.Resource == "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	case c.Token != "":
		go s.answer(c.Token)
	}
	return c.Input, nil
}

// answer is who answers a token, some time later.
func (s *service) answer(token string) {
	time.Sleep(time.Duration(rand.IntN(5000)) * time.Microsecond) //nolint:gosec // any
	s.mu.Lock()
	done := s.tokens[token]
	s.mu.Unlock()
	if done {
		return
	}
	_ = s.engine.Succeed(token, json.RawMessage(`{"n":"answered"}`)) // it may have been answered before the kill
	s.mu.Lock()
	s.write("answered", token)
	s.mu.Unlock()
}

// work is the process to be killed: it begins or goes on, and ends when all
// executions have ended.
func work(dir string) error {
	l, err := openLedger(dir)
	if err != nil {
		return err
	}
	from, err := os.Stat(dir + "/from")
	if err != nil {
		return err
	}
	j, entries, losses, err := journal.Open(context.Background(), dir)
	if err != nil {
		return err
	}
	if len(losses) > 0 {
		return fmt.Errorf("losses: %q", losses)
	}
	s := &service{ledger: l, completed: map[string]int{}}
	for i := range entries {
		if e := &entries[i]; e.Kind == "call" || e.Kind == "later" {
			s.completed[e.Execution+"/"+strconv.Itoa(int(e.Frame))]++
		}
	}
	objects := &engine.MemoryObjects{}
	if err := objects.Put(context.Background(), "b", "k", []byte(`["p","q","r"]`)); err != nil {
		return err
	}
	main, child, err := machines()
	if err != nil {
		return err
	}
	s.engine = engine.New(engine.Options{Clock: fastClock{from.ModTime()}, Tasks: s, Objects: objects, Journal: j, History: true,
		Seed: 7, Ordered: true, Machines: map[string]*engine.Machine{"child": child}})
	if _, err := s.engine.Resume(entries, nil); err != nil {
		return err
	}
	l.mu.Lock()
	for token, answered := range l.tokens {
		if !answered {
			go s.answer(token)
		}
	}
	l.mu.Unlock()
	var list []*engine.Execution
	for n := range executions {
		name := "x" + strconv.Itoa(n)
		x, err := s.engine.Start(main, name, json.RawMessage(fmt.Sprintf(`{"n":%d,"items":[1,2,3]}`, n)))
		if err != nil {
			return err
		}
		l.mu.Lock()
		if l.started[name] && !slices.ContainsFunc(entries, func(e engine.Entry) bool { return e.Execution == x.ARN }) {
			l.write("violation", name+" had been started, and was not there")
		}
		l.write("started", name)
		l.mu.Unlock()
		list = append(list, x)
	}
	for _, x := range list {
		<-x.Done()
	}
	return json.NewEncoder(os.Stdout).Encode(outcome(s.engine))
}

func machines() (main, child *engine.Machine, err error) {
	if main, err = compile(everything, "main"); err == nil {
		child, err = compile(childMachine, "child")
	}
	return main, child, err
}

func compile(text, name string) (*engine.Machine, error) {
	d, err := asl.Parse([]byte(text))
	if err != nil {
		return nil, err
	}
	m, err := engine.Compile(d)
	if err != nil {
		return nil, err
	}
	return m.As(engine.Identity{Name: name}), nil
}

// outcome is how executions ended, with the events of each in an order that does
// not depend on which branch was faster.
func outcome(e *engine.Engine) map[string][]string {
	all := map[string][]string{}
	for _, x := range e.Executions() {
		r := x.Result()
		var events []string
		for _, ev := range x.History() {
			events = append(events, ev.Type+" "+ev.Details.Name+" "+ev.Details.Error)
		}
		slices.Sort(events)
		all[x.ARN] = append([]string{string(r.Status), string(r.Output), r.Error, r.Cause}, events...)
	}
	return all
}

// run runs a process in dir and kills it after a time; 0: not at all. It returns
// what the process wrote, nil where it was killed.
func run(t *testing.T, dir string, after time.Duration) map[string][]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0]) //nolint:gosec // this test
	c.Env = append(os.Environ(), killedDir+"="+dir)
	var out, problems bytes.Buffer
	c.Stdout, c.Stderr = &out, &problems
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if after > 0 {
		timer := time.AfterFunc(after, func() { _ = c.Process.Kill() }) // it may have ended
		defer timer.Stop()
	}
	err := c.Wait()
	if err != nil && !strings.Contains(err.Error(), "signal: killed") || ctx.Err() != nil {
		t.Fatalf("%v: %s", err, problems.String())
	}
	if err != nil {
		return nil
	}
	var all map[string][]string
	if err := json.Unmarshal(out.Bytes(), &all); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	return all
}

// effects are what the tasks of a run have done, without what differs from run
// to run, sorted. A call under another key would be there twice.
func effects(t *testing.T, dir string) (list []string, calls int) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	for text := range strings.Lines(string(b)) {
		switch f := strings.Split(strings.TrimSuffix(text, "\n"), "\t"); f[0] {
		case "effect":
			list = append(list, strings.Join(f[2:], " "))
		case "call":
			calls++
		case "violation":
			t.Errorf("called again, or lost: %s", f[1])
		}
	}
	slices.Sort(list)
	return list, calls
}

func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "from"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A process that is killed at any point, again and again, leaves executions that
// end as those of a process that is left alone: with the same output and events,
// every effect applied once, and no task called again that had completed.
func TestKill(t *testing.T) {
	want, again := kills, os.Getenv("PLUMBLINE_TEST_KILLS")
	if again != "" {
		var err error
		if want, err = strconv.Atoi(again); err != nil {
			t.Fatalf("PLUMBLINE_TEST_KILLS: %v", err)
		}
	} else if testing.Short() {
		want = 10
	}
	alone := folder(t)
	expected := run(t, alone, 0)
	expectedEffects, expectedCalls := effects(t, alone)
	killed, runs, repeated := 0, 0, 0
	began := time.Now()
	for killed < want {
		dir := folder(t)
		var got map[string][]string
		for got == nil {
			after := time.Duration(10+rand.IntN(90)) * time.Millisecond //nolint:gosec // any
			if killed >= want {
				after = 0
			}
			if got = run(t, dir, after); got == nil {
				killed++
			}
		}
		runs++
		if d := cmp.Diff(expected, got); d != "" {
			t.Fatalf("executions end otherwise: %s", d)
		}
		gotEffects, calls := effects(t, dir)
		if d := cmp.Diff(expectedEffects, gotEffects); d != "" {
			t.Fatalf("effects differ: %s", d)
		}
		repeated += calls - expectedCalls
	}
	t.Logf("killed %d times in %d runs of %d executions, %v: %d effects each, %d calls in flight made again", killed, runs, len(expected), time.Since(began).Round(time.Millisecond), len(expectedEffects), repeated)
}
