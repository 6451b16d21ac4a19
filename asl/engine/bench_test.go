package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"plumbline/asl/engine"
)

func perTransition(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/transition")
}

// BenchmarkTransitions is a loop of Pass and Choice states over a small payload.
func BenchmarkTransitions(b *testing.B) {
	m := compile(b, `{"StartAt":"L","States":{"L":{"Type":"Pass","Parameters":{"n.$":"States.MathAdd($.n,1)","s.$":"$.s"},"Next":"C"},
		"C":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericLessThan":1000,"Next":"L"}],"Default":"E"},"E":{"Type":"Succeed"}}}`)
	for _, history := range []bool{false, true} {
		b.Run(fmt.Sprintf("history=%v", history), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x, err := engine.Run(context.Background(), m, json.RawMessage(`{"n":0,"s":"hello"}`), engine.Options{History: history})
				if err != nil || x.Result().Status != engine.Succeeded {
					b.Fatal(err, x.Result())
				}
			}
			perTransition(b, 2001)
		})
	}
}

// scan is the shape of a scan: a task, seven branches with retries and
// catches, four more tasks and a choice; 20 transitions.
var scan = func() string {
	task := func(name, next string) string {
		return `"` + name + `":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"${FArn}","Payload":{"scan.$":"$.scan","snapshot.$":"$.snapshot"}},
			"ResultSelector":{"snapshot.$":"$.Payload.snapshot"},"ResultPath":"$.r","TimeoutSeconds":60,
			"Retry":[{"ErrorEquals":["Throttled"],"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.failure","Next":"Failed"}],` + next + `}`
	}
	var branches []string
	for i := range 7 {
		branches = append(branches, fmt.Sprintf(`{"StartAt":"E%d","States":{%s,"Failed":{"Type":"Pass","End":true}}}`, i, task(fmt.Sprintf("E%d", i), `"End":true`)))
	}
	return `{"StartAt":"Fetch","States":{` + task("Fetch", `"Next":"All"`) + `,"All":{"Type":"Parallel","Branches":[` + strings.Join(branches, ",") + `],"ResultPath":"$.verdicts","Next":"Assess"},` +
		task("Assess", `"Next":"Persist"`) + `,` + task("Persist", `"Next":"Write"`) + `,` + task("Write", `"Next":"Is"`) +
		`,"Is":{"Type":"Choice","Choices":[{"Variable":"$.r.snapshot.count","NumericGreaterThan":0,"Next":"Notify"}],"Default":"Done"},` + task("Notify", `"Next":"Done"`) + `,"Done":{"Type":"Succeed"},"Failed":{"Type":"Fail"}}}`
}()

const scanInput = `{"scan":{"id":"s-1","stack":"payments","region":"us-east-1"},"snapshot":{"key":"snapshots/s-1","sha256":"0123456789abcdef","count":3}}`

// BenchmarkScan is one template's workflow, without the work.
func BenchmarkScan(b *testing.B) {
	m := compile(b, scan)
	fs := engine.Functions{"${FArn}": func(_ context.Context, p []byte) ([]byte, error) { return p, nil }}
	b.ReportAllocs()
	for b.Loop() {
		x, err := engine.Run(context.Background(), m, json.RawMessage(scanInput), engine.Options{Tasks: fs, Workers: 2})
		if err != nil || x.Result().Status != engine.Succeeded {
			b.Fatal(err, x.Result())
		}
	}
}

// BenchmarkEstate is a scan of 300 templates as children of a distributed Map.
func BenchmarkEstate(b *testing.B) {
	m := compile(b, `{"StartAt":"M","States":{"M":{"Type":"Map","ItemsPath":"$.targets","MaxConcurrency":8,"ToleratedFailurePercentage":100,
		"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"},"StartAt":"Scan","States":{"Scan":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:sfn:startSyncExecution",
		"Parameters":{"StateMachineArn":"${ScanArn}","Input.$":"States.JsonToString($)"},"ResultSelector":{"status.$":"$.Status"},"End":true}}},"End":true}}}`)
	child := compile(b, scan).As(engine.Identity{Name: "scan", Express: true})
	fs := engine.Functions{"${FArn}": func(_ context.Context, p []byte) ([]byte, error) { return p, nil }}
	input := `{"targets":[` + strings.TrimSuffix(strings.Repeat(scanInput+",", 300), ",") + `]}`
	b.ReportAllocs()
	for b.Loop() {
		x, err := engine.Run(context.Background(), m, json.RawMessage(input), engine.Options{Tasks: fs, Workers: 2, Machines: map[string]*engine.Machine{"${ScanArn}": child}})
		if err != nil || x.Result().Status != engine.Succeeded {
			b.Fatal(err, x.Result())
		}
	}
}

// BenchmarkMap is an inline Map of 1,000 items, each a Pass.
func BenchmarkMap(b *testing.B) {
	m := compile(b, `{"StartAt":"M","States":{"M":{"Type":"Map","ItemSelector":{"i.$":"$$.Map.Item.Index","v.$":"$$.Map.Item.Value"},"ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"End":true}}}`)
	input := json.RawMessage(`[` + strings.TrimSuffix(strings.Repeat(`{"a":1},`, 1000), ",") + `]`)
	b.ReportAllocs()
	for b.Loop() {
		x, err := engine.Run(context.Background(), m, input, engine.Options{})
		if err != nil || x.Result().Status != engine.Succeeded {
			b.Fatal(err, x.Result())
		}
	}
	perTransition(b, 1001)
}

// BenchmarkWaiting starts 10,000 executions that wait for a token, and tells
// the memory of one.
func BenchmarkWaiting(b *testing.B) {
	const n = 10_000
	m := compile(b, approval)
	clock := engine.NewVirtualClock(start)
	clock.Hold()
	fs := engine.Functions{"${AskArn}": func(context.Context, []byte) ([]byte, error) { return nil, nil }}
	var before, after runtime.MemStats
	var bytes float64
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		e := engine.New(engine.Options{Clock: clock, Tasks: fs, Workers: 2})
		for range n {
			if _, err := e.Start(m, "", json.RawMessage(`{"findingId":"f-1","plan":{"hash":"0123456789abcdef"}}`)); err != nil {
				b.Fatal(err)
			}
		}
		e.Settle()
		runtime.GC()
		runtime.ReadMemStats(&after)
		bytes = float64(after.HeapAlloc-before.HeapAlloc) / n
		if w := e.Waiting(); len(w) != n {
			b.Fatalf("%d wait", len(w))
		}
		runtime.KeepAlive(e)
	}
	b.ReportMetric(bytes, "B/execution")
}

// BenchmarkMapSizes is an inline and a distributed Map of so many items, each a
// Pass, with full history: the time for one item must not grow with their number.
func BenchmarkMapSizes(b *testing.B) {
	for _, mode := range []string{"INLINE", "DISTRIBUTED"} {
		for _, n := range []int{1_000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", mode, n), func(b *testing.B) {
				m, input := mapOf(b, mode, n)
				b.ReportAllocs()
				for b.Loop() {
					x, err := engine.Run(context.Background(), m, input, engine.Options{History: true})
					if err != nil || x.Result().Status != engine.Succeeded {
						b.Fatal(err, x.Result())
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/item")
			})
		}
	}
}

// mapOf is a Map of n items and the input of it; items are small, so that the
// limit of a payload is not met.
func mapOf(tb testing.TB, mode string, n int) (*engine.Machine, json.RawMessage) {
	m := compile(tb, `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"ProcessorConfig":{"Mode":"`+mode+`","ExecutionType":"EXPRESS"},
		"StartAt":"A","States":{"A":{"Type":"Pass","Result":1,"End":true}}},"End":true}}}`)
	return m.As(engine.Identity{Name: "each", Express: true}), json.RawMessage(`[` + strings.TrimSuffix(strings.Repeat(`1,`, n), ",") + `]`)
}
