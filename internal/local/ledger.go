package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"plumbline/blob"
	"plumbline/finding"
	"plumbline/internal/files"
	"plumbline/internal/sqlite"
	"plumbline/scan"
)

// What lies in a data folder.
const (
	databaseFile = "findings.db"
	bucketFolder = "bucket"        // objects, under the keys that the bucket has on AWS
	noticesFile  = "notices.jsonl" // every message to people, one a line
)

// ledger is a scan's use of a data folder: all that the scan writes is kept
// when it comes to its end, or nothing is. Rows wait in a transaction, which
// also keeps other scans of the folder out until this one has ended; reports
// wait in a stage beside the store, all else in memory. The commit of the
// transaction decides: what a process that died after it left in the stage is
// published by the next scan, what one left before it is removed.
//
// What cannot be written is told once, when the scan ends. It is no failure of
// the scan, which goes on and gives its result: a full disk does not become
// less full within the retries of a workflow.
type ledger struct {
	dir     string
	scanID  string // as a segment of a key
	db      *sqlite.DB
	session *sqlite.Session
	store   *files.Store
	stage   *files.Stage

	mu      sync.Mutex
	small   map[string][]byte // summaries and failures, by key
	notices bytes.Buffer
	err     error // the first; nothing is written after it
}

// lockWait is how long a scan waits for another one of the same data folder.
const lockWait = 2 * time.Minute

// openLedger opens a data folder, which is made where it does not exist, and
// waits until no other scan writes to it; waiting, which may be nil, is called
// where that takes time.
func openLedger(ctx context.Context, dir, scanID string, waiting func()) (*ledger, error) {
	l := &ledger{dir: dir, scanID: blob.Segment(scanID), small: map[string][]byte{}}
	var err error
	if l.store, err = files.Open(filepath.Join(dir, bucketFolder)); err != nil {
		return nil, err
	}
	if l.db, err = sqlite.Open(ctx, filepath.Join(dir, databaseFile)); err != nil {
		return nil, err
	}
	if l.session, err = l.db.Begin(ctx, lockWait, waiting); err != nil {
		return nil, errors.Join(err, l.db.Close())
	}
	if err := l.recover(ctx); err != nil {
		return nil, errors.Join(err, l.session.Rollback(), l.db.Close())
	}
	l.stage = l.store.Stage(l.scanID)
	return l, nil
}

// recover ends what processes that died have left. The session keeps those
// that live out.
func (l *ledger) recover(ctx context.Context) error {
	names, err := l.store.Stages()
	if err != nil {
		return err
	}
	for _, name := range names {
		kept, err := l.db.Committed(ctx, name)
		if err != nil {
			return err
		}
		stage := l.store.Stage(name)
		if kept {
			err = l.publish(stage)
		} else {
			err = stage.Discard()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// broken notes an error of the folder. An error that ends the context is none.
func (l *ledger) broken(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
}

func (l *ledger) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// ledgerRows is the findings table of a ledger.
type ledgerRows struct{ *ledger }

// Put writes records.
func (l ledgerRows) Put(ctx context.Context, records []finding.Record) error {
	if l.failed() != nil {
		return nil
	}
	if err := l.session.Put(ctx, records); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		l.broken(err)
	}
	return nil
}

// OfStack yields the records of a stack or of a template's name.
func (l ledgerRows) OfStack(ctx context.Context, stack string) iter.Seq2[finding.Record, error] {
	return func(yield func(finding.Record, error) bool) {
		if l.failed() != nil {
			return
		}
		for r, err := range l.session.OfStack(ctx, stack) {
			if err != nil && ctx.Err() == nil {
				l.broken(err)
				return
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// PutStream keeps a report until the end of the scan.
func (l *ledger) PutStream(ctx context.Context, key string, write func(io.Writer) error) (blob.Ref, error) {
	if l.failed() != nil {
		return blob.Ref{Key: key}, blob.ValidKey(key)
	}
	var made error
	ref, err := l.stage.PutStream(ctx, key, func(w io.Writer) error {
		made = write(w)
		return made
	})
	if err == nil || err == made || ctx.Err() != nil { //nolint:errorlint // the very error: one of the stage's may wrap it
		return ref, err
	}
	l.broken(err)
	return blob.Ref{Key: key}, nil
}

// Put keeps an object until the end of the scan.
func (l *ledger) Put(ctx context.Context, key string, v any) (blob.Ref, error) {
	if !strings.HasPrefix(key, scan.ReportsPrefix) {
		b, ref, err := blob.Encode(key, v)
		if err == nil {
			l.mu.Lock()
			l.small[key] = b
			l.mu.Unlock()
		}
		return ref, err
	}
	if l.failed() == nil {
		ref, err := l.stage.Put(ctx, key, v)
		if err == nil || ctx.Err() != nil {
			return ref, err
		}
		l.broken(err)
	}
	return blob.Ref{Key: key}, blob.ValidKey(key)
}

// Get reads an object of this scan, or one that was kept before.
func (l *ledger) Get(ctx context.Context, r blob.Ref, v any) error {
	l.mu.Lock()
	b, ok := l.small[r.Key]
	l.mu.Unlock()
	if ok {
		return blob.Decode(r, b, v)
	}
	err := l.stage.View().Get(ctx, r, v)
	if errors.Is(err, blob.ErrNotFound) {
		err = l.store.Get(ctx, r, v)
	}
	return err
}

// notice keeps a message until the end of the scan.
func (l *ledger) notice(m scan.Notice) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notices.Write(append(b, '\n'))
	return nil
}

// ending is how a scan came to its end.
type ending int

const (
	interrupted ending = iota // nothing is kept
	failed                    // only why it failed is kept
	succeeded
)

// close keeps what the ending allows and closes the folder. Nothing may write
// any more.
func (l *ledger) close(how ending) error {
	ctx := context.Background() // what is begun here is ended, whoever interrupts
	err := l.failed()
	if err == nil && how == succeeded {
		if err = l.keep(ctx); err == nil {
			return wrapData(l.db.Close())
		}
	} else {
		err = errors.Join(err, l.session.Rollback())
	}
	err = errors.Join(err, l.stage.Discard())
	if how == failed && err == nil {
		err = errors.Join(l.write(ctx, l.store.Put, scan.FailuresPrefix), l.write(ctx, l.store.Put, ExecutionsPrefix))
	}
	return wrapData(errors.Join(err, l.db.Close()))
}

func wrapData(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("--data: %w", err)
}

// keep commits the scan. From then on it is kept, even where it could not be
// published at once.
func (l *ledger) keep(ctx context.Context) error {
	err := l.write(ctx, l.stage.Put, "")
	if err == nil && l.notices.Len() > 0 {
		_, err = l.stage.Put(ctx, noticesFile, blob.Raw(l.notices.Bytes()))
	}
	if err != nil {
		return errors.Join(err, l.session.Rollback())
	}
	if err := l.session.Commit(ctx, l.scanID); err != nil {
		return err
	}
	if err := l.publishAlone(ctx); err != nil {
		return errors.Join(err, errUnpublished)
	}
	return nil
}

// publishAlone puts the committed scan in place while no other scan writes: the
// one that came next publishes what it finds committed, and both at once would
// append messages twice. It waits until it is alone or the other one has done it.
func (l *ledger) publishAlone(ctx context.Context) error {
	for until := time.Now().Add(lockWait); ; {
		names, err := l.store.Stages()
		if err != nil || !slices.Contains(names, l.scanID) {
			return err
		}
		session, err := l.db.Begin(ctx, 0, nil)
		if errors.Is(err, finding.ErrThrottled) && time.Now().Before(until) {
			continue
		}
		if err != nil {
			return err
		}
		if names, err = l.store.Stages(); err == nil && slices.Contains(names, l.scanID) {
			err = l.publish(l.stage)
		}
		return errors.Join(err, session.Rollback())
	}
}

// errUnpublished says what becomes of a scan whose reports could not be put in place.
var errUnpublished = errors.New("the findings are kept; the next scan with this folder puts the reports in place")

// write writes the objects in memory under a prefix.
func (l *ledger) write(ctx context.Context, put func(context.Context, string, any) (blob.Ref, error), prefix string) error {
	for key, b := range l.small {
		if !strings.HasPrefix(key, prefix) {
			continue
		}
		if _, err := put(ctx, key, blob.Raw(b)); err != nil {
			return err
		}
	}
	return nil
}

// publish puts the objects of a scan in place and appends its messages. It is
// called while a session keeps other scans out.
func (l *ledger) publish(stage *files.Stage) error {
	path := stage.View().Path(noticesFile)
	lines, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		if err := appendTo(filepath.Join(l.dir, noticesFile), lines); err != nil {
			return err
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return stage.Publish()
}

// appendTo appends lines to a file in one write, below what a full disk may have
// cut off.
func appendTo(path string, lines []byte) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return err
	}
	if info, err := f.Stat(); err == nil && info.Size() > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			lines = append([]byte{'\n'}, lines...)
		}
	}
	_, err = f.Write(lines)
	return errors.Join(err, f.Close())
}
