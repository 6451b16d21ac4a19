package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"plumbline/blob"
	"plumbline/internal/files"
	"plumbline/internal/sqlite"
	"plumbline/scan"
	"plumbline/tasks/assess"
	"plumbline/tasks/notify"
	"plumbline/tasks/persistfindings"
)

// What lies in a data folder.
const (
	databaseFile = "findings.db"
	bucketFolder = "bucket"        // objects, under the keys that the bucket has on AWS
	noticesFile  = "notices.jsonl" // every message to people, one a line
)

// backends are the stores of a scan. Without a data folder the table is nil
// (nothing is remembered) and all objects lie in memory.
type backends struct {
	memory  *blob.Memory
	blobs   blob.Store
	known   assess.Known
	store   persistfindings.Store
	render  scan.Render
	channel notify.Channel
	db      *sqlite.DB
	notices *notices
}

func openBackends(ctx context.Context, o Options) (*backends, error) {
	b := &backends{memory: new(blob.Memory)}
	b.blobs = b.memory
	b.notices = &notices{tell: o.Notice}
	b.channel = b.notices
	if o.Data == "" {
		return b, nil
	}
	kept, err := files.Open(filepath.Join(o.Data, bucketFolder))
	if err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	b.blobs = blob.Split{Prefix: scan.WorkPrefix, Under: b.memory, Rest: kept}
	if b.db, err = sqlite.Open(ctx, filepath.Join(o.Data, databaseFile)); err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	b.known, b.store, b.render = b.db, b.db, o.Render
	b.notices.path = filepath.Join(o.Data, noticesFile)
	return b, nil
}

func (b *backends) close() error {
	err := b.notices.close()
	if b.db != nil {
		err = errors.Join(err, b.db.Close())
	}
	return err
}

// notices is the channel of a laptop: it appends each message to a file, opened
// when there is a first one, and hands it on.
type notices struct {
	path string            // "": no file
	tell func(scan.Notice) // may be nil

	mu   sync.Mutex
	file *os.File
}

// Send takes one message.
func (n *notices) Send(_ context.Context, m scan.Notice) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.path != "" {
		if err := n.append(m); err != nil {
			return fmt.Errorf("append to %q: %w", n.path, err)
		}
	}
	if n.tell != nil {
		n.tell(m)
	}
	return nil
}

func (n *notices) append(m scan.Notice) error {
	if n.file == nil {
		f, err := os.OpenFile(n.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
		if err != nil {
			return err
		}
		n.file = f
	}
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = n.file.Write(append(b, '\n')) // one write, so that lines of two processes do not mix
	return err
}

func (n *notices) close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.file == nil {
		return nil
	}
	err := n.file.Close()
	n.file = nil
	return err
}
