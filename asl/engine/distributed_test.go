package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plumbline/asl/engine"
	"plumbline/asl/value"
)

// distributed is a Map in distributed mode over tasks, with more fields.
func distributed(fields string) string {
	return `{"StartAt":"M","States":{"M":{"Type":"Map",` + fields + `"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"},
		"StartAt":"A","States":{"A":{"Type":"Task","Resource":"f","End":true}}},"End":true}}}`
}

// oddFails fails for odd numbers and gives back the others.
var oddFails = engine.InvokerFunc(func(_ context.Context, c engine.Call) (json.RawMessage, error) {
	if s := string(c.Input); strings.ContainsAny(s[len(s)-1:], "13579") {
		return nil, &engine.Error{Name: "Odd", Cause: s}
	}
	return c.Input, nil
})

func TestToleratedFailures(t *testing.T) {
	exceeded := engine.Result{Status: engine.Failed, Error: "States.ExceedToleratedFailureThreshold", Cause: "The specified tolerated failure threshold was exceeded"}
	passed := engine.Result{Status: engine.Succeeded, Output: json.RawMessage(`[0,2,4]`)}
	tests := []struct {
		fields string
		want   engine.Result
	}{
		{``, exceeded},
		{`"ToleratedFailureCount":1,`, exceeded},
		{`"ToleratedFailureCount":2,`, passed},
		{`"ToleratedFailurePercentage":39.9,`, exceeded},
		{`"ToleratedFailurePercentage":40,`, passed},
		{`"ToleratedFailureCount":2,"ToleratedFailurePercentage":10,`, exceeded},
		{`"ToleratedFailureCount":0,"ToleratedFailurePercentage":100,`, exceeded},
	}
	for _, tt := range tests {
		t.Run(tt.fields, func(t *testing.T) {
			x := run(t, distributed(tt.fields), `[0,1,2,3,4]`, engine.Options{Tasks: oddFails})
			if d := cmp.Diff(tt.want, x.Result()); d != "" {
				t.Error(d)
			}
		})
	}
}

// Iterations of a distributed Map are child executions: their events are their
// own, and they do not see the variables around them.
func TestDistributedChildren(t *testing.T) {
	src := `{"StartAt":"V","States":{"V":{"Type":"Pass","Assign":{"v":1},"Next":"M"},"M":{"Type":"Map","MaxConcurrency":1,"ToleratedFailureCount":1,"Label":"L",
		"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"v.$":"$v"},"End":true}}},
		"Catch":[{"ErrorEquals":["States.ALL"],"Next":"C"}],"End":true},"C":{"Type":"Pass","End":true}}}`
	events := map[string][]string{}
	var children []string
	e := engine.New(engine.Options{Clock: engine.NewVirtualClock(start), Watch: func(ev engine.Event) {
		if events[ev.Execution] == nil {
			children = append(children, ev.Execution)
		}
		events[ev.Execution] = append(events[ev.Execution], ev.Type)
	}})
	x, _ := e.Start(compile(t, src), "x", json.RawMessage(`[1,2,3]`))
	if r := wait(t, x); !strings.Contains(string(r.Output), "ExceedToleratedFailureThreshold") {
		t.Error(r)
	}
	want := []string{"ExecutionStarted", "PassStateEntered", "PassStateExited", "MapStateEntered", "MapStateStarted", "MapRunStarted", "MapRunFailed", "MapStateFailed", "MapStateExited", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"}
	if d := cmp.Diff(want, events[x.ARN]); d != "" {
		t.Error(d)
	}
	if len(children) != 3 || !strings.HasPrefix(children[1], "arn:aws:states:us-east-1:123456789012:execution:StateMachine/L:") {
		t.Fatalf("children %v", children)
	}
	if d := cmp.Diff([]string{"ExecutionStarted", "PassStateEntered", "ExecutionFailed"}, events[children[1]]); d != "" {
		t.Error(d)
	}
}

// A run that fails aborts the children that are still at work.
func TestDistributedAbort(t *testing.T) {
	src := `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
		"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$","NumericEquals":1,"Next":"F"}],"Default":"W"},"F":{"Type":"Fail"},"W":{"Type":"Wait","Seconds":9,"End":true}}},"End":true}}}`
	ends := map[string]int{}
	clock := engine.NewVirtualClock(start)
	e := engine.New(engine.Options{Clock: clock, Watch: func(ev engine.Event) { ends[ev.Type]++ }})
	x, _ := e.Start(compile(t, src), "x", json.RawMessage(`[0,0,1]`))
	if r := wait(t, x); r.Error != "States.ExceedToleratedFailureThreshold" {
		t.Error(r)
	}
	if ends["ExecutionAborted"] != 2 || ends["ExecutionFailed"] != 2 || !clock.Now().Equal(start) {
		t.Errorf("%v at %s", ends, clock.Now())
	}
}

func TestItemReader(t *testing.T) {
	objects := &engine.MemoryObjects{}
	put := func(key, body string) {
		if err := objects.Put(context.Background(), "b", key, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	put("a.json", `["x",{"y":1}]`)
	put("o.json", `{"x":1}`)
	put("bad.json", `[`)
	put("l.jsonl", "1\n\n\"two\"\n{\"three\":3}\n")
	put("bad.jsonl", "1\n{\n")
	put("c.csv", "a|b\n1|2\n3\n4|5|6\n")
	put("q.csv", "a,b\n\"1,\"\"x\"\"\",2\n")
	read := func(resource, config, params string) string {
		return distributed(`"ItemReader":{"Resource":"arn:aws:states:::s3:` + resource + `","ReaderConfig":{` + config + `},"Parameters":{"Bucket":"b",` + params + `}},`)
	}
	failed := "States.ItemReaderFailed"
	tests := []struct{ name, src, want string }{
		{"json", read("getObject", `"InputType":"JSON"`, `"Key":"a.json"`), `["x",{"y":1}]`},
		{"json, first", read("getObject", `"InputType":"JSON","MaxItems":1`, `"Key":"a.json"`), `["x"]`},
		{"json object", read("getObject", `"InputType":"JSON"`, `"Key":"o.json"`), failed},
		{"no json", read("getObject", `"InputType":"JSON"`, `"Key":"bad.json"`), failed},
		{"jsonl", read("getObject", `"InputType":"JSONL"`, `"Key":"l.jsonl"`), `[1,"two",{"three":3}]`},
		{"jsonl, two", read("getObject", `"InputType":"JSONL","MaxItemsPath":"$.two"`, `"Key":"l.jsonl"`), `[1,"two"]`},
		{"bad jsonl", read("getObject", `"InputType":"JSONL"`, `"Key":"bad.jsonl"`), failed},
		{"csv", read("getObject", `"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW","CSVDelimiter":"PIPE"`, `"Key":"c.csv"`), `[{"a":"1","b":"2"},{"a":"3","b":""},{"a":"4","b":"5"}]`},
		{"csv, given headers", read("getObject", `"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["h"],"MaxItems":2`, `"Key":"q.csv"`), `[{"h":"a"},{"h":"1,\"x\""}]`},
		{"absent", read("getObject", `"InputType":"JSON"`, `"Key":"none"`), failed},
		{"parameters", read("getObject", `"InputType":"JSON"`, `"Key.$":"$.no"`), "States.Runtime"},
		{"max items", read("getObject", `"InputType":"JSON","MaxItemsPath":"$.no"`, `"Key":"a.json"`), "States.Runtime"},
		{"max items no number", read("getObject", `"InputType":"JSON","MaxItemsPath":"$.list"`, `"Key":"a.json"`), "States.Runtime"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, tt.src, `{"two":"2","list":[]}`, engine.Options{Tasks: script{"A": {nil}}, Objects: objects}).Result()
			if got := string(r.Output) + r.Error; got != tt.want {
				t.Errorf("got %s (%s), want %s", got, r.Cause, tt.want)
			}
		})
	}
	list := strings.Replace(read("listObjectsV2", ``, `"Prefix":"bad"`), `"ItemReader"`, `"ItemSelector":{"k.$":"$$.Map.Item.Value.Key","s.$":"$$.Map.Item.Source","n.$":"$$.Map.Item.Value.Size"},"ItemReader"`, 1)
	x := run(t, list, `{}`, engine.Options{Tasks: script{"A": {nil}}, Objects: objects})
	want := `[{"k":"bad.json","s":"S3://b/bad","n":1},{"k":"bad.jsonl","s":"S3://b/bad","n":4}]`
	if d := cmp.Diff(want, string(x.Result().Output)); d != "" {
		t.Error(d)
	}
	x = run(t, list, `{}`, engine.Options{Tasks: script{"A": {nil}}})
	if r := x.Result(); r.Error != failed || r.Cause != "the engine has no Objects to read from or write to" {
		t.Error(r)
	}
}

func TestDistributedObjectItems(t *testing.T) {
	x := run(t, distributed(``), `{"a":0,"b":{"c":2}}`, engine.Options{Tasks: script{"A": {nil}}})
	if d := cmp.Diff(`[{"Key":"a","Value":0},{"Key":"b","Value":{"c":2}}]`, string(x.Result().Output)); d != "" {
		t.Error(d)
	}
	x = run(t, distributed(`"ItemSelector":{"k.$":"$$.Map.Item.Key","v.$":"$$.Map.Item.Value"},`), `{"a":0}`, engine.Options{Tasks: script{"A": {nil}}})
	if d := cmp.Diff(`[{"k":"a","v":0}]`, string(x.Result().Output)); d != "" {
		t.Error(d)
	}
}

func TestItemBatcher(t *testing.T) {
	tests := []struct{ fields, want string }{
		{`"ItemBatcher":{"MaxItemsPerBatch":2},`, `[{"Items":[1,2]},{"Items":[3]}]`},
		{`"ItemBatcher":{"MaxItemsPerBatchPath":"$.n","BatchInput":{"x.$":"$.x"}},`, `[{"Items":[1,2],"BatchInput":{"x":"y"}},{"Items":[3],"BatchInput":{"x":"y"}}]`},
		{`"ItemBatcher":{"MaxInputBytesPerBatch":14},`, `[{"Items":[1]},{"Items":[2]},{"Items":[3]}]`},
		{`"ItemBatcher":{"MaxInputBytesPerBatch":16},`, `[{"Items":[1,2]},{"Items":[3]}]`},
		{`"ItemSelector":{"i.$":"$$.Map.Item.Value"},"ItemBatcher":{"MaxItemsPerBatch":5},`, `[{"Items":[{"i":1},{"i":2},{"i":3}]}]`},
		{`"ItemBatcher":{"MaxItemsPerBatchPath":"$.no"},`, `States.Runtime`},
		{`"ItemBatcher":{"MaxInputBytesPerBatchPath":"$.no"},`, `States.Runtime`},
		{`"ItemBatcher":{"MaxItemsPerBatch":1,"BatchInput":{"x.$":"$.no"}},`, `States.Runtime`},
		{`"ItemSelector":{"i.$":"$.no"},"ItemBatcher":{"MaxItemsPerBatch":5},`, `States.Runtime`},
	}
	for _, tt := range tests {
		t.Run(tt.fields, func(t *testing.T) {
			r := run(t, distributed(`"ItemsPath":"$.items",`+tt.fields), `{"items":[1,2,3],"n":2,"x":"y"}`, engine.Options{Tasks: script{"A": {nil}}}).Result()
			if d := cmp.Diff(tt.want, string(r.Output)+r.Error); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestResultWriter(t *testing.T) {
	writer := func(config string) string {
		return distributed(`"ToleratedFailureCount":5,"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"out","Prefix":"p"}` + config + `},`)
	}
	tests := []struct{ name, src, file, want string }{
		{"plain", writer(``), "SUCCEEDED_0.json", ``},
		{"compact", writer(`,"WriterConfig":{"Transformation":"COMPACT","OutputType":"JSON"}`), "SUCCEEDED_0.json", `[0,[2,4],6]`},
		{"flat lines", writer(`,"WriterConfig":{"Transformation":"FLATTEN","OutputType":"JSONL"}`), "SUCCEEDED_0.jsonl", "0\n2\n4\n6\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			objects := &engine.MemoryObjects{}
			tasks := engine.InvokerFunc(func(_ context.Context, c engine.Call) (json.RawMessage, error) {
				if string(c.Input) == "1" {
					return nil, &engine.Error{Name: "Odd", Cause: "1"}
				}
				return c.Input, nil
			})
			r := run(t, tt.src, `[0,1,[2,4],6]`, engine.Options{Tasks: tasks, Objects: objects}).Result()
			v, err := value.Decode(r.Output)
			if err != nil {
				t.Fatalf("%v: %v", r, err)
			}
			where, _ := v.(*value.Object).Get("ResultWriterDetails")
			key := where.(*value.Object).String("Key")
			folder, ok := strings.CutSuffix(key, "manifest.json")
			if !ok || !strings.HasPrefix(key, "p/") {
				t.Fatalf("key %s", key)
			}
			get := func(key string) string {
				body, err := objects.Get(context.Background(), "out", key)
				if err != nil {
					t.Fatal(err)
				}
				b, _ := io.ReadAll(body)
				return string(b)
			}
			manifest, _ := value.DecodeString(get(key))
			files, _ := manifest.(*value.Object).Get("ResultFiles")
			succeeded, _ := files.(*value.Object).Get("SUCCEEDED")
			if got := succeeded.([]any)[0].(*value.Object).String("Key"); got != folder+tt.file {
				t.Errorf("the manifest names %s", got)
			}
			got := get(folder + tt.file)
			if tt.want != "" {
				if d := cmp.Diff(tt.want, got); d != "" {
					t.Error(d)
				}
				return
			}
			list, _ := value.DecodeString(got)
			first := list.([]any)[0].(*value.Object)
			if len(list.([]any)) != 3 || first.String("Status") != "SUCCEEDED" || first.String("Output") != "0" || first.String("StartDate") == "" {
				t.Errorf("written %s", got)
			}
			failed, _ := value.DecodeString(get(folder + "FAILED_0.json"))
			one := failed.([]any)[0].(*value.Object)
			if one.String("Error") != "Odd" || one.String("Input") != "1" || one.String("Status") != "FAILED" {
				t.Errorf("written %s", value.Text(failed))
			}
		})
	}
	x := run(t, distributed(`"ResultWriter":{"WriterConfig":{"Transformation":"FLATTEN","OutputType":"JSON"}},`), `[[1],[2,3]]`, engine.Options{Tasks: script{"A": {nil}}})
	if d := cmp.Diff(`[1,2,3]`, string(x.Result().Output)); d != "" {
		t.Error(d)
	}
	x = run(t, writer(``), `[0]`, engine.Options{Tasks: script{"A": {nil}}})
	if x.Result().Error != "States.ResultWriterFailed" {
		t.Error(x.Result())
	}
	x = run(t, strings.Replace(writer(``), `"Prefix":"p"`, `"Prefix.$":"$.no"`, 1), `[0]`, engine.Options{Tasks: script{"A": {nil}}})
	if x.Result().Error != "States.Runtime" {
		t.Error(x.Result())
	}
	for _, at := range []int{0, 1} {
		x = run(t, writer(``), `[0]`, engine.Options{Tasks: script{"A": {nil}}, Objects: &fullDisk{after: at}})
		if r := x.Result(); r.Error != "States.ResultWriterFailed" || !strings.Contains(r.Cause, "disk full") {
			t.Error(r)
		}
	}
}

// fullDisk is an Objects that takes so many objects and no more.
type fullDisk struct {
	engine.MemoryObjects
	after int
}

func (d *fullDisk) Put(ctx context.Context, bucket, key string, body []byte) error {
	if d.after--; d.after < 0 {
		return errors.New("disk full")
	}
	return d.MemoryObjects.Put(ctx, bucket, key, body)
}

func TestMemoryObjects(t *testing.T) {
	o := &engine.MemoryObjects{}
	if _, err := o.Get(context.Background(), "b", "k"); !errors.Is(err, engine.ErrNoObject) {
		t.Errorf("Get says %v", err)
	}
	_ = o.Put(context.Background(), "b", "k2", []byte("x"))
	_ = o.Put(context.Background(), "b", "k1", []byte("x"))
	_ = o.Put(context.Background(), "c", "k1", []byte("x"))
	list, err := o.List(context.Background(), "b", "")
	want := []engine.ObjectInfo{{Key: "k1", Size: 1, ETag: `"9dd4e461268c8034f5c8564e155c67a6"`}, {Key: "k2", Size: 1, ETag: `"9dd4e461268c8034f5c8564e155c67a6"`}}
	if d := cmp.Diff(want, list); d != "" || err != nil {
		t.Error(d, err)
	}
}
