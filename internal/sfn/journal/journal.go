// Package journal keeps what a Step Functions server has in one folder: the
// entries of its executions, as asl/engine writes them, its state machines and
// its activities. A server that is killed goes on from there when it starts again.
package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"plumbline/asl/engine"
	"plumbline/internal/sfn"
	"plumbline/internal/sqlite"
)

// FileName is the file in the folder.
const FileName = "executions.db"

// kindDefinition is the kind of the documents that hold machines' texts: each is
// kept once, whichever executions run it.
const kindDefinition = "definition"

// Journal is an open journal: an engine.Committer and an sfn.Store. Its methods are
// safe for concurrent use.
type Journal struct {
	file *sqlite.Journal

	mu          sync.Mutex
	definitions map[string]bool // ids of the texts that are kept
	records     []sfn.Record    // as they were when it was opened
	forgotten   []string        // executions to be dropped
}

var (
	_ engine.Committer = (*Journal)(nil)
	_ sfn.Store        = (*Journal)(nil)
)

// line is an entry as the file has it.
type line struct {
	engine.Entry
	DefinitionID string `json:"definitionId,omitempty"` // in the place of Entry.Definition
}

// Open opens the journal in a folder, which is made where it is not there. The
// entries are for Server.Resume. Losses tell, a line each, what of a damaged file
// cannot be read: an execution that has lost entries fails with States.Runtime and
// says so, one that has lost its start is dropped, and all others go on. The error
// says why there is no journal at all, as where another server has it open.
func Open(ctx context.Context, dir string) (j *Journal, entries []engine.Entry, losses []string, err error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, nil, nil, fmt.Errorf("make the folder of --data: %w", err)
	}
	file, kept, err := sqlite.OpenJournal(ctx, filepath.Join(dir, FileName))
	if err != nil {
		return nil, nil, nil, err
	}
	j = &Journal{file: file, definitions: map[string]bool{}}
	texts := map[string]string{}
	for _, d := range kept.Documents {
		if d.Kind == kindDefinition {
			texts[d.Name] = string(d.Body)
			j.definitions[d.Name] = true
		} else {
			j.records = append(j.records, sfn.Record{Kind: d.Kind, ARN: d.Name, Body: d.Body})
		}
	}
	losses = kept.Losses
	damaged := kept.Damaged
	unreadable := map[string]bool{}
	for _, k := range kept.Entries {
		if unreadable[k.Name] {
			damaged[len(damaged)-1].After++
			continue
		}
		e, err := read(&k, texts)
		if err != nil {
			unreadable[k.Name] = true
			damaged = append(damaged, sqlite.Damage{Name: k.Name, Number: k.Number, Reason: fmt.Sprintf("%s: entry %d: %v", filepath.Join(dir, FileName), k.Number, err)})
			continue
		}
		entries = append(entries, e)
	}
	for _, d := range damaged {
		e, loss, err := j.mend(ctx, &d)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("mend the journal: %w", err)
		}
		losses = append(losses, loss)
		if e.Kind != "" {
			entries = append(entries, e)
		}
	}
	return j, entries, losses, nil
}

// read makes an entry of a line.
func read(k *sqlite.KeptEntry, texts map[string]string) (engine.Entry, error) {
	var l line
	if err := json.Unmarshal(k.Body, &l); err != nil {
		return l.Entry, err
	}
	l.Execution = k.Name
	if l.DefinitionID != "" {
		var known bool
		if l.Definition, known = texts[l.DefinitionID]; !known {
			return l.Entry, fmt.Errorf("the definition of its state machine is lost")
		}
	}
	return l.Entry, nil
}

// mend ends an execution where its entries end, so that it is reported once.
func (j *Journal) mend(ctx context.Context, d *sqlite.Damage) (e engine.Entry, loss string, err error) {
	if err := j.file.Cut(ctx, d.Name, d.Number); err != nil {
		return e, "", err
	}
	if d.Number == 1 {
		return e, fmt.Sprintf("%s is lost: its start cannot be read (%s)", d.Name, d.Reason), nil
	}
	e = engine.Entry{Execution: d.Name, Kind: engine.EntryDamage, Time: time.Now(), Failed: true, Error: engine.ErrRuntime,
		Cause: fmt.Sprintf("The journal of this execution is damaged from its entry %d on. %s. What it did after entry %d is not known; %d later entries are of no use.", d.Number, d.Reason, d.Number-1, d.After)}
	if err := j.Append(e); err != nil {
		return e, "", err
	}
	return e, fmt.Sprintf("%s fails where its entries end, if it had not ended before: entry %d cannot be read (%s), and %d after it are of no use", d.Name, d.Number, d.Reason, d.After), j.Commit()
}

// Append adds an entry to those that the next Commit keeps.
func (j *Journal) Append(e engine.Entry) error {
	l := line{Entry: e}
	name := e.Execution
	l.Execution = ""
	if e.Definition != "" {
		id, err := j.define(e.Definition)
		if err != nil {
			return err
		}
		l.Definition, l.DefinitionID = "", id
	}
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	j.file.Append(name, b)
	return nil
}

// define keeps the text of a machine, once.
func (j *Journal) define(text string) (string, error) {
	sum := sha256.Sum256([]byte(text))
	id := hex.EncodeToString(sum[:])
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.definitions[id] {
		return id, nil
	}
	if err := j.file.Put(context.Background(), kindDefinition, id, []byte(text)); err != nil {
		return "", err
	}
	j.definitions[id] = true
	return id, nil
}

// Commit keeps what was appended since the last.
func (j *Journal) Commit() error { return j.file.Commit() }

// forgetAtOnce is how many executions are dropped together.
const forgetAtOnce = 64

// Forget drops an execution that has ended and need not be known any more. It
// may come back at the next start, for the server to forget it again.
func (j *Journal) Forget(arn string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.forgotten = append(j.forgotten, arn)
	if len(j.forgotten) < forgetAtOnce {
		return nil
	}
	list := j.forgotten
	j.forgotten = nil
	return j.file.Drop(context.Background(), list)
}

// Put keeps a record of the server's.
func (j *Journal) Put(r sfn.Record) error {
	return j.file.Put(context.Background(), r.Kind, r.ARN, r.Body)
}

// Delete removes a record of the server's.
func (j *Journal) Delete(kind, arn string) error {
	return j.file.Delete(context.Background(), kind, arn)
}

// Records returns the records that there were when the journal was opened.
func (j *Journal) Records() ([]sfn.Record, error) { return j.records, nil }

// Close closes the journal. What was not committed is lost.
func (j *Journal) Close() error { return j.file.Close() }
