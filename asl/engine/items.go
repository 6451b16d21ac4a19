package engine

import (
	"plumbline/asl"
	"plumbline/asl/jsonpath"
	"plumbline/asl/value"
)

// readerSpec is a compiled ItemReader.
type readerSpec struct {
	resource   string // without the partition: s3:getObject
	parameters *jsonpath.Template
	inputType  string // JSON, JSONL, CSV, MANIFEST; "" for a listing
	header     string // FIRST_ROW or GIVEN
	headers    []string
	delimiter  string
	maxItems   numberField
}

// readRequest is an object or listing to be read.
type readRequest struct {
	spec        *readerSpec
	bucket, key string // key: of a listing the prefix
	max         int    // 0: all
}

// writerSpec is a compiled ResultWriter.
type writerSpec struct {
	parameters *jsonpath.Template
}

type writeRequest struct {
	bucket, prefix string
	iteration      *iteration
	results        []any
}

// batchSpec is a compiled ItemBatcher.
type batchSpec struct {
	input    *jsonpath.Template
	maxItems numberField
	maxBytes numberField
}

func (c *compiler) readerSpec(s *asl.State) *readerSpec { return nil }
func (c *compiler) batchSpec(s *asl.State) *batchSpec   { return nil }
func (c *compiler) writerSpec(s *asl.State) *writerSpec { return nil }

func (f *frame) readItems(effective any) bool { return false }
func (f *frame) itemsRead(c *completion)      {}
func (f *frame) writeResults(k *fork) bool    { return f.mapDone(k.items, k.results) }
func (f *frame) resultsWritten(c *completion) {}
func (f *frame) batch(it *iteration) error    { return nil }
func (k *fork) batchInput(i int) (any, error) { return &value.Object{}, nil }
