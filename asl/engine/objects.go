package engine

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"plumbline/asl/value"
)

// Objects is where ItemReader reads and ResultWriter writes: a bucket store.
// Implementations are safe for concurrent use.
type Objects interface {
	Get(ctx context.Context, bucket, key string) (io.ReadCloser, error)
	List(ctx context.Context, bucket, prefix string) ([]ObjectInfo, error) // by key
	Put(ctx context.Context, bucket, key string, body []byte) error
}

// ObjectInfo is one object of a listing.
type ObjectInfo struct {
	Key          string
	Size         int64 // bytes
	ETag         string
	LastModified time.Time
	StorageClass string // "" is STANDARD
}

// MemoryObjects is an Objects that keeps everything in memory. The zero value is empty.
type MemoryObjects struct {
	mu      sync.Mutex
	objects map[string][]byte // by bucket/key
}

// ErrNoObject is MemoryObjects' error for an object that is not there.
var ErrNoObject = errors.New("the specified key does not exist")

// Get reads an object.
func (o *MemoryObjects) Get(_ context.Context, bucket, key string) (io.ReadCloser, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b, ok := o.objects[bucket+"/"+key]
	if !ok {
		return nil, fmt.Errorf("get %s/%s: %w", bucket, key, ErrNoObject)
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// List lists the objects of a bucket whose keys begin with prefix.
func (o *MemoryObjects) List(_ context.Context, bucket, prefix string) ([]ObjectInfo, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := []ObjectInfo{}
	for path, b := range o.objects {
		if key, ok := strings.CutPrefix(path, bucket+"/"); ok && strings.HasPrefix(key, prefix) {
			sum := md5.Sum(b)
			list = append(list, ObjectInfo{Key: key, Size: int64(len(b)), ETag: `"` + hex.EncodeToString(sum[:]) + `"`})
		}
	}
	slices.SortFunc(list, func(a, b ObjectInfo) int { return strings.Compare(a.Key, b.Key) })
	return list, nil
}

// Put writes an object.
func (o *MemoryObjects) Put(_ context.Context, bucket, key string, body []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.objects == nil {
		o.objects = map[string][]byte{}
	}
	o.objects[bucket+"/"+key] = bytes.Clone(body)
	return nil
}

// objectJob is what a call of an ItemReader or ResultWriter does.
func (e *Engine) objectJob(c *pendingCall) func(context.Context) completion {
	return func(ctx context.Context) completion {
		name := ErrItemReaderFailed
		var out any
		err := errors.New("the engine has no Objects to read from or write to")
		if c.kind == callWrite {
			name = ErrResultWriterFailed
			if e.options.Objects != nil {
				err = c.writer.write(ctx, e.options.Objects)
			}
		} else if e.options.Objects != nil {
			out, err = c.reader.read(ctx, e.options.Objects)
		}
		if err != nil {
			return completion{err: &Error{Name: name, Cause: err.Error()}}
		}
		return completion{output: out}
	}
}

// read returns the items: an array, or an object whose fields are the items.
func (r *readRequest) read(ctx context.Context, o Objects) (any, error) {
	if r.spec.list {
		return r.listing(ctx, o)
	}
	body, err := o.Get(ctx, r.bucket, r.key)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	switch r.spec.inputType {
	case "CSV":
		return r.readCSV(body)
	case "JSONL":
		return r.readLines(body)
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	v, err := value.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("the object is not JSON: %w", err)
	}
	return v, nil
}

// full reports whether n items are enough.
func (r *readRequest) full(n int) bool { return r.max > 0 && n >= r.max }

func (r *readRequest) listing(ctx context.Context, o Objects) (any, error) {
	list, err := o.List(ctx, r.bucket, r.key)
	if err != nil {
		return nil, err
	}
	items := []any{}
	for _, info := range list {
		if r.full(len(items)) {
			break
		}
		class := info.StorageClass
		if class == "" {
			class = "STANDARD"
		}
		items = append(items, value.Of("Etag", info.ETag, "Key", info.Key,
			"LastModified", max(0, info.LastModified.Unix()), "Size", info.Size, "StorageClass", class))
	}
	return items, nil
}

// readCSV makes an object of each row; a missing field is "", one beyond the
// headers is dropped.
func (r *readRequest) readCSV(body io.Reader) (any, error) {
	in := csv.NewReader(body)
	in.FieldsPerRecord = -1
	in.LazyQuotes = true
	in.Comma = r.spec.delimiter
	headers := r.spec.headers
	items := []any{}
	for !r.full(len(items)) {
		row, err := in.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("the object is not CSV: %w", err)
		}
		if headers == nil {
			headers = row
			continue
		}
		fields := make([]value.Field, len(headers))
		for i, h := range headers {
			text := ""
			if i < len(row) {
				text = row[i]
			}
			fields[i] = value.Field{Key: h, Value: text}
		}
		items = append(items, value.NewObject(fields...))
	}
	return items, nil
}

// maxLine is the longest line of a JSONL object: an item may not be larger
// than a state's input.
const maxLine = maxPayload * 4

func (r *readRequest) readLines(body io.Reader) (any, error) {
	in := bufio.NewScanner(body)
	in.Buffer(make([]byte, 0, 4096), maxLine)
	items := []any{}
	for n := 1; !r.full(len(items)) && in.Scan(); n++ {
		if len(bytes.TrimSpace(in.Bytes())) == 0 {
			continue
		}
		v, err := value.Decode(in.Bytes())
		if err != nil {
			return nil, fmt.Errorf("line %d is not JSON: %w", n, err)
		}
		items = append(items, v)
	}
	return items, in.Err()
}
