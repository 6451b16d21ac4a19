package engine

import (
	"encoding/json"
	"strconv"
	"strings"

	"plumbline/asl"
	"plumbline/asl/jsonpath"
	"plumbline/asl/value"
)

// readerSpec is a compiled ItemReader.
type readerSpec struct {
	list       bool // s3:listObjectsV2, else s3:getObject
	parameters *jsonpath.Template
	inputType  string   // JSON, JSONL, CSV
	headers    []string // of CSV; nil: the first row
	delimiter  rune
	maxItems   numberField
}

// readRequest is an object or listing to be read.
type readRequest struct {
	spec        *readerSpec
	bucket, key string // key: of a listing the prefix
	max         int    // 0: all
	iteration   *iteration
}

// batchSpec is a compiled ItemBatcher.
type batchSpec struct {
	input    *jsonpath.Template // BatchInput; nil: none
	maxItems numberField
	maxBytes numberField
}

var delimiters = map[string]rune{"": ',', "COMMA": ',', "PIPE": '|', "SEMICOLON": ';', "SPACE": ' ', "TAB": '\t'}

func (c *compiler) readerSpec(s *asl.State) *readerSpec {
	if s.ItemReader == nil {
		return nil
	}
	var raw struct {
		Resource     string
		Parameters   json.RawMessage
		ReaderConfig struct {
			InputType, CSVHeaderLocation, CSVDelimiter string
			CSVHeaders                                 []string
			MaxItems                                   json.RawMessage
			MaxItemsPath                               string
		}
	}
	if err := json.Unmarshal(s.ItemReader, &raw); err != nil {
		c.problem(s.Pos, "ItemReader of state %q: %v", s.Name, err)
		return nil
	}
	cfg := raw.ReaderConfig
	r := &readerSpec{
		parameters: c.template(s, "Parameters of the ItemReader", raw.Parameters),
		inputType:  cfg.InputType,
		maxItems:   c.number(s, "MaxItems", cfg.MaxItems, cfg.MaxItemsPath),
	}
	switch {
	case strings.HasSuffix(raw.Resource, ":states:::s3:listObjectsV2"):
		r.list = true
	case !strings.HasSuffix(raw.Resource, ":states:::s3:getObject"):
		c.problem(s.Pos, "ItemReader of state %q reads by %q. use arn:aws:states:::s3:getObject or s3:listObjectsV2", s.Name, raw.Resource)
	case cfg.InputType != "JSON" && cfg.InputType != "JSONL" && cfg.InputType != "CSV":
		c.problem(s.Pos, "ItemReader of state %q has the InputType %q. this engine reads JSON, JSONL and CSV", s.Name, cfg.InputType)
	}
	if cfg.CSVHeaderLocation == "GIVEN" {
		r.headers = append([]string{}, cfg.CSVHeaders...)
	}
	var ok bool
	if r.delimiter, ok = delimiters[cfg.CSVDelimiter]; !ok {
		c.problem(s.Pos, "ItemReader of state %q has the CSVDelimiter %q. use one of COMMA, PIPE, SEMICOLON, SPACE, TAB", s.Name, cfg.CSVDelimiter)
	}
	return r
}

func (c *compiler) batchSpec(s *asl.State) *batchSpec {
	if s.ItemBatcher == nil {
		return nil
	}
	var raw struct {
		BatchInput                                      json.RawMessage
		MaxItemsPerBatch, MaxInputBytesPerBatch         json.RawMessage
		MaxItemsPerBatchPath, MaxInputBytesPerBatchPath string
	}
	if err := json.Unmarshal(s.ItemBatcher, &raw); err != nil {
		c.problem(s.Pos, "ItemBatcher of state %q: %v", s.Name, err)
		return nil
	}
	return &batchSpec{
		input:    c.template(s, "BatchInput", raw.BatchInput),
		maxItems: c.number(s, "MaxItemsPerBatch", raw.MaxItemsPerBatch, raw.MaxItemsPerBatchPath),
		maxBytes: c.number(s, "MaxInputBytesPerBatch", raw.MaxInputBytesPerBatch, raw.MaxInputBytesPerBatchPath),
	}
}

// readItems asks for the items of an ItemReader.
func (f *frame) readItems(it *iteration) bool {
	r := it.spec.reader
	args, err := f.fill(r.parameters, it.effective)
	if err != nil {
		return f.failed(err)
	}
	o, _ := args.(*value.Object)
	req := &readRequest{spec: r, bucket: o.String("Bucket"), key: o.String("Key"), iteration: it}
	if r.list {
		req.key = o.String("Prefix")
	}
	n, err := f.count("MaxItemsPath", r.maxItems, it.effective)
	if err != nil {
		return f.failed(err)
	}
	if n < 0 {
		return f.mapRunFailed(&Error{Name: ErrItemReaderFailed, Cause: "field MaxItems must be positive"})
	}
	req.max = n
	it.source = "S3://" + req.bucket
	if req.key != "" {
		it.source += "/" + req.key
	}
	f.await(&wait{kind: waitCall, call: &pendingCall{kind: callRead, reader: req}})
	return false
}

// mapRunFailed fails a distributed Map as a whole.
func (f *frame) mapRunFailed(err *Error) bool {
	f.endMapRun(Failed)
	f.emit("MapRunFailed", func(d *Details) { d.setError(err) })
	return f.fail(err)
}

// itemsRead goes on with the items that a reader has brought.
func (f *frame) itemsRead(c *completion) {
	req := f.wait.call.reader
	f.rest()
	if c.err != nil {
		f.carry(f.mapRunFailed(c.err))
		return
	}
	// ItemsPath has no say here: as recorded, a Map with an ItemReader goes over
	// the whole of what was read.
	it := req.iteration
	items, ok := c.output.([]any)
	if !ok {
		f.carry(f.mapRunFailed(&Error{Name: ErrItemReaderFailed, Cause: "Attempting to map over non-iterable node."}))
		return
	}
	if req.max > 0 && len(items) > req.max {
		items = items[:req.max:req.max]
	}
	it.items = items
	f.carry(f.startMap(it))
}

// count reads a number of items or bytes, which may be text from a path; 0 where there is none.
func (f *frame) count(field string, n numberField, data any) (int, error) {
	if n.path == nil {
		return int(n.value), nil
	}
	v, err := f.scope(data).Find(n.path)
	if err != nil {
		return 0, f.wrong(err)
	}
	if s, ok := v.(string); ok {
		if i, err := strconv.Atoi(s); err == nil {
			return i, nil
		}
	}
	i, ok := value.Int(v)
	if !ok {
		return 0, f.runtime("The %s field refers to value %s which is not a valid integer: %s", field, quotedText(v), n.path)
	}
	return int(i), nil
}

// batch groups the items, after ItemSelector, as ItemBatcher says.
func (f *frame) batch(it *iteration) error {
	b := it.spec.batcher
	most, err := f.count("MaxItemsPerBatchPath", b.maxItems, it.effective)
	if err != nil {
		return err
	}
	room, err := f.count("MaxInputBytesPerBatchPath", b.maxBytes, it.effective)
	if err != nil {
		return err
	}
	if b.input != nil {
		if it.batchBase, err = f.fill(b.input, it.effective); err != nil {
			return err
		}
		it.hasBase = true
	}
	if room == 0 || room > maxPayload {
		room = maxPayload
	}
	empty := len(value.Encode(it.batchOf(nil)))
	var batch []any
	it.batches = [][]any{}
	left := room - empty
	for i := range it.items {
		v, _, err := f.itemInput(it, i)
		if err != nil {
			return err
		}
		size := len(value.Encode(v)) + 1
		if len(batch) > 0 && (most > 0 && len(batch) == most || size > left) {
			it.batches = append(it.batches, batch)
			batch, left = nil, room-empty
		}
		batch = append(batch, v)
		left -= size
	}
	if len(batch) > 0 {
		it.batches = append(it.batches, batch)
	}
	return nil
}

func (it *iteration) batchOf(items []any) *value.Object {
	o := value.Of("Items", items)
	if it.hasBase {
		o = o.With("BatchInput", it.batchBase)
	}
	return o
}

func (it *iteration) batchInput(i int) any { return it.batchOf(it.batches[i]) }
