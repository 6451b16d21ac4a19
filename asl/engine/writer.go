package engine

import (
	"context"
	"encoding/json"
	"fmt"

	"plumbline/asl"
	"plumbline/asl/jsonpath"
	"plumbline/asl/value"
)

// writerSpec is a compiled ResultWriter.
type writerSpec struct {
	parameters     *jsonpath.Template // nil: nothing is exported, the output is transformed
	lines          bool               // OutputType JSONL
	transformation string             // NONE, COMPACT, FLATTEN
}

// writeRequest is the results of a map run to be written.
type writeRequest struct {
	spec           *writerSpec
	bucket, prefix string // the prefix ends in /
	iteration      *iteration
	machine        *Machine
}

func (c *compiler) writerSpec(s *asl.State) *writerSpec {
	if s.ResultWriter == nil {
		return nil
	}
	var raw struct {
		Resource     string
		Parameters   json.RawMessage
		WriterConfig struct{ OutputType, Transformation string }
	}
	if err := json.Unmarshal(s.ResultWriter, &raw); err != nil {
		c.problem(s.Pos, "ResultWriter of state %q: %v", s.Name, err)
		return nil
	}
	if raw.Resource == "" && raw.WriterConfig.Transformation == "" {
		return nil
	}
	w := &writerSpec{
		lines:          raw.WriterConfig.OutputType == "JSONL",
		transformation: raw.WriterConfig.Transformation,
	}
	if raw.Resource != "" {
		w.parameters = c.template(s, "Parameters of the ResultWriter", raw.Parameters)
	}
	if w.transformation == "" {
		w.transformation = "NONE"
	}
	return w
}

// writeResults has the results of a map run written, where its ResultWriter says so.
func (f *frame) writeResults(k *fork) bool {
	it := k.items
	w := it.spec.writer
	if w.parameters == nil {
		return f.mapDone(it, w.transform(it, f.x.machine, true))
	}
	args, err := f.fill(w.parameters, it.effective)
	if err != nil {
		return f.failed(err)
	}
	o, _ := args.(*value.Object)
	req := &writeRequest{spec: w, bucket: o.String("Bucket"), prefix: it.runID + "/", iteration: it, machine: f.x.machine}
	if p := o.String("Prefix"); p != "" {
		req.prefix = p + "/" + req.prefix
	}
	f.await(&wait{kind: waitCall, call: &pendingCall{kind: callWrite, writer: req}})
	return false
}

// resultsWritten ends the Map once its results are written.
func (f *frame) resultsWritten(c *completion) {
	req := f.wait.call.writer
	f.rest()
	if c.err != nil {
		f.carry(f.mapRunFailed(c.err))
		return
	}
	f.carry(f.mapDone(req.iteration, value.Of("MapRunArn", req.iteration.run, "ResultWriterDetails",
		value.Of("Bucket", req.bucket, "Key", req.prefix+"manifest.json"))))
}

// transform is the results of those children that ended as succeeded says, as
// WriterConfig's Transformation wants them.
func (w *writerSpec) transform(it *iteration, m *Machine, succeeded bool) []any {
	list := []any{}
	for i := range it.children {
		c := &it.children[i]
		if c.run == nil || (c.err == nil) != succeeded {
			continue
		}
		switch {
		case w.transformation == "NONE" || !succeeded:
			list = append(list, c.record(m))
		case w.transformation == "FLATTEN":
			if items, ok := c.output.([]any); ok {
				list = append(list, items...)
				continue
			}
			list = append(list, c.output)
		default:
			list = append(list, c.output)
		}
	}
	return list
}

// record is a child execution as ResultWriter describes it.
func (c *childRecord) record(m *Machine) *value.Object {
	included := value.Of("Included", true)
	fields := []value.Field{}
	add := func(key string, v any) { fields = append(fields, value.Field{Key: key, Value: v}) }
	status, redrive := "SUCCEEDED", "NOT_REDRIVABLE"
	if c.err != nil {
		status, redrive = "FAILED", "REDRIVABLE_BY_MAP_RUN"
		add("Cause", c.err.Cause)
		add("Error", c.err.Name)
	}
	add("ExecutionArn", c.run.arn)
	add("Input", value.Text(c.run.input))
	add("InputDetails", included)
	add("Name", c.run.name)
	if c.err == nil {
		add("Output", value.Text(c.output))
		add("OutputDetails", included)
	}
	add("RedriveCount", int64(0))
	add("RedriveStatus", redrive)
	if c.err == nil {
		add("RedriveStatusReason", "Execution is SUCCEEDED and cannot be redriven")
	}
	add("StartDate", timeText(c.run.start))
	add("StateMachineArn", m.ARN)
	add("Status", status)
	add("StopDate", timeText(c.stopped))
	return value.NewObject(fields...)
}

// write stores the result files and the manifest that lists them.
func (r *writeRequest) write(ctx context.Context, o Objects) error {
	files := map[string][]any{"SUCCEEDED": {}, "FAILED": {}, "PENDING": {}}
	for _, kind := range []string{"SUCCEEDED", "FAILED"} {
		list := r.spec.transform(r.iteration, r.machine, kind == "SUCCEEDED")
		if len(list) == 0 {
			continue
		}
		ext, body := "json", []byte(value.Encode(list))
		if r.spec.lines {
			ext, body = "jsonl", nil
			for _, v := range list {
				body = append(value.Append(body, v), '\n')
			}
		}
		key := fmt.Sprintf("%s%s_0.%s", r.prefix, kind, ext)
		if err := o.Put(ctx, r.bucket, key, body); err != nil {
			return fmt.Errorf("write %s: %w", key, err)
		}
		files[kind] = append(files[kind], value.Of("Key", key, "Size", int64(len(body))))
	}
	manifest := value.Of("DestinationBucket", r.bucket, "MapRunArn", r.iteration.run, "ResultFiles",
		value.Of("FAILED", files["FAILED"], "PENDING", files["PENDING"], "SUCCEEDED", files["SUCCEEDED"]))
	key := r.prefix + "manifest.json"
	if err := o.Put(ctx, r.bucket, key, value.Encode(manifest)); err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	return nil
}
