package files

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"plumbline/remedy/live"
)

// Live is a folder that stands for an account: a JSON file a resource, which
// is read and changed as Cloud Control would. Safe for concurrent use; two
// processes must not change one resource at once.
type Live struct {
	dir string
	mu  sync.Mutex
}

// LiveResource is the content of one file.
type LiveResource struct {
	Type       string          `json:"type"`       // AWS::S3::Bucket
	Identifier string          `json:"identifier"` // Cloud Control's primary identifier
	LogicalID  string          `json:"logicalId,omitempty"`
	Stack      string          `json:"stack,omitempty"`       // that owns it; "": none
	StackState string          `json:"stackStatus,omitempty"` // such as UPDATE_IN_PROGRESS; "": at rest
	Account    string          `json:"account,omitempty"`
	Region     string          `json:"region,omitempty"`
	Model      json.RawMessage `json:"model"` // the resource's properties

	File string `json:"-"`
}

// OpenLive opens a folder. The error says which file is none of a resource, and
// which two are of one.
func OpenLive(dir string) (*Live, error) {
	l := &Live{dir: dir}
	all, err := l.All()
	if err != nil {
		return nil, err
	}
	seen := map[string]string{}
	for _, r := range all {
		key := r.Type + "\x00" + r.Identifier
		if first := seen[key]; first != "" {
			return nil, fmt.Errorf("%s: %s %q stands in %s already. keep one", r.File, r.Type, r.Identifier, first)
		}
		seen[key] = r.File
	}
	return l, nil
}

// All reads every resource, by the names of their files. Other files than
// *.json are left alone.
func (l *Live) All() ([]LiveResource, error) {
	names, err := filepath.Glob(filepath.Join(l.dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("list %q: %w", l.dir, err)
	}
	if info, err := os.Stat(l.dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%q is no folder of live resources: it holds one JSON file a resource", l.dir)
	}
	slices.Sort(names)
	out := make([]LiveResource, 0, len(names))
	for _, name := range names {
		src, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("read %q: %w", name, err)
		}
		r := LiveResource{File: name}
		d := json.NewDecoder(bytes.NewReader(src))
		d.DisallowUnknownFields()
		if err := d.Decode(&r); err != nil {
			return nil, fmt.Errorf("%s: %w. want type, identifier, logicalId and model", name, err)
		}
		if r.Type == "" || r.Identifier == "" || !strings.HasPrefix(strings.TrimSpace(string(r.Model)), "{") {
			return nil, fmt.Errorf("%s: want type, identifier and model, an object of properties", name)
		}
		if r.LogicalID == "" {
			r.LogicalID = strings.TrimSuffix(filepath.Base(name), ".json")
		}
		out = append(out, r)
	}
	return out, nil
}

func (l *Live) find(typ, identifier string) (LiveResource, error) {
	all, err := l.All()
	if err != nil {
		return LiveResource{}, err
	}
	for _, r := range all {
		if r.Type == typ && r.Identifier == identifier {
			return r, nil
		}
	}
	return LiveResource{}, fmt.Errorf("%s %q: %w", typ, identifier, live.ErrGone)
}

// Get is live.Resources'.
func (l *Live) Get(_ context.Context, typ, identifier string) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, err := l.find(typ, identifier)
	return r.Model, err
}

// Busy is live.Resources'. Nothing goes on in a folder.
func (l *Live) Busy(context.Context, string, string) (bool, error) { return false, nil }

// Update is live.Resources'. A patch whose outcome is there already was made:
// so the same request is made once, whichever process asks again.
func (l *Live) Update(_ context.Context, typ, identifier string, patch []byte, token string) (live.Progress, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, err := l.find(typ, identifier)
	if err != nil {
		return live.Progress{}, err
	}
	p := live.Progress{Request: token, State: live.Succeeded}
	made, err := live.Patched(r.Model, patch)
	if err != nil {
		return live.Progress{}, fmt.Errorf("%s: %w", r.File, err)
	}
	if made {
		return p, nil
	}
	after, err := live.Patch(r.Model, patch, 0)
	if err != nil {
		return live.Progress{Request: token, State: live.Failed, Code: "InvalidRequest", Message: err.Error()}, nil
	}
	r.Model = after
	src, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return live.Progress{}, err
	}
	if err := write(r.File, append(src, '\n')); err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return live.Progress{Request: token, State: live.Failed, Code: "AccessDenied", Message: err.Error()}, nil
		}
		return live.Progress{}, explain("write", r.File, err)
	}
	return p, nil
}
