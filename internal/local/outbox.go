package local

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"plumbline/alert"
	"plumbline/finding"
	"plumbline/scan"
	"plumbline/tasks/deliver"
)

// Files of a data folder beside the messages.
const (
	deliveredFile = "delivered.jsonl"   // which message went to which channel
	parkedFile    = "undelivered.jsonl" // messages that a channel refused for good, with the reason
)

// Notices reads the messages that a data folder keeps, in the order in which
// they were composed, each once. A folder without any has none.
func Notices(dir string) ([]scan.Notice, error) {
	var out []scan.Notice
	seen := map[string]bool{}
	err := eachLine(filepath.Join(dir, noticesFile), func(line []byte) error {
		var n scan.Notice
		if err := json.Unmarshal(line, &n); err != nil {
			return err
		}
		if !seen[n.ID] { // a process that died between two steps may have written it twice
			seen[n.ID] = true
			out = append(out, n)
		}
		return nil
	})
	return out, err
}

// eachLine calls f for the lines of a file; one that does not exist has none. A
// line that f refuses, such as one that a full disk cut off, does not hold up
// the others: the error tells of it at the end.
func eachLine(path string, f func([]byte) error) error {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, len(b)+1)
	var damaged error
	for n := 1; lines.Scan(); n++ {
		if err := f(lines.Bytes()); err != nil && damaged == nil {
			damaged = fmt.Errorf("%s:%d: %w. the other lines were read; remove this one to be told no more", path, n, err)
		}
	}
	return errors.Join(damaged, lines.Err())
}

// Delivered is what a round of deliveries came to.
type Delivered struct {
	Sent    int
	Waiting int // not taken this time: the next round tries again
	Refused int // put aside in undelivered.jsonl
}

// sent is a line of the file of deliveries.
type sent struct {
	Channel string    `json:"channel"`
	ID      string    `json:"id"`
	Refused bool      `json:"refused,omitempty"`
	At      time.Time `json:"at"`
}

// batch is how many messages are delivered before it is written down: what a
// process that dies may deliver again.
const batch = 10

// Deliver takes the messages of a data folder that a channel has not had yet to
// it, in their order: the function Deliver over files in place of a queue.
// failed, which may be nil, is told of each message that was not taken.
func Deliver(ctx context.Context, dir string, c alert.Channel, s deliver.Sender, failed func(alert.Delivery, error)) (Delivered, error) {
	var out Delivered
	unlock, err := lockDeliveries(ctx, dir)
	if err != nil {
		return out, err
	}
	defer unlock()
	notices, damaged := Notices(dir)
	had := map[string]bool{}
	err = eachLine(filepath.Join(dir, deliveredFile), func(line []byte) error {
		var x sent
		if err := json.Unmarshal(line, &x); err != nil {
			return err
		}
		had[x.Channel+"\x00"+x.ID] = true
		return nil
	})
	damaged = errors.Join(damaged, err)
	closed := false // the receiver takes nothing for now
	p := &parking{dir: dir, refused: map[string]bool{}}
	h := deliver.New(deliver.Options{
		Sender:  func(context.Context, string) (deliver.Sender, error) { return s, nil },
		Parking: p, Failed: func(d alert.Delivery, err error) {
			var later *alert.LaterError
			closed = closed || errors.As(err, &later) && later.Closed
			if failed != nil {
				failed(d, err)
			}
		},
	})
	held := map[string]bool{}
	var records []deliver.Record
	for i, n := range notices {
		d := alert.Delivery{Channel: c.Name, Notice: n}
		if c.Takes(n) && !had[c.Name+"\x00"+n.ID] {
			if closed || held[d.Order()] {
				out.Waiting++
			} else {
				b, err := json.Marshal(d)
				if err != nil {
					return out, err
				}
				r := deliver.Record{MessageID: n.ID, Body: string(b)}
				r.Attributes.Group = d.Order()
				records = append(records, r)
			}
		}
		if len(records) < batch && i < len(notices)-1 || len(records) == 0 {
			continue
		}
		if err := round(ctx, dir, c.Name, h, records, held, p, &out); err != nil {
			return out, err
		}
		records = nil
	}
	return out, errors.Join(ctx.Err(), damaged)
}

// lockDeliveries waits until no other process delivers from the folder: two at
// once would both send what neither has written down yet.
func lockDeliveries(ctx context.Context, dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, deliveredFile), os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, err
	}
	for {
		mine, err := tryLock(f)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), err), f.Close())
		}
		if mine {
			return func() { _ = f.Close() }, nil // nothing was written to it here
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), f.Close())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// round delivers one batch and writes down what became of it.
func round(ctx context.Context, dir, channel string, h *deliver.Handler, records []deliver.Record, held map[string]bool, p *parking, out *Delivered) error {
	answer, err := h.Handle(ctx, deliver.In{Records: records})
	if err != nil {
		return err
	}
	kept := map[string]bool{}
	for _, f := range answer.Failures {
		kept[f.ID] = true
	}
	var lines bytes.Buffer
	for _, r := range records {
		if kept[r.MessageID] {
			held[r.Attributes.Group] = true
			out.Waiting++
			continue
		}
		x := sent{Channel: channel, ID: r.MessageID, Refused: p.refused[r.MessageID], At: time.Now().UTC()}
		if x.Refused {
			out.Refused++
		} else {
			out.Sent++
		}
		b, err := json.Marshal(x)
		if err != nil {
			return err
		}
		lines.Write(append(b, '\n'))
	}
	if lines.Len() == 0 {
		return nil
	}
	return appendTo(filepath.Join(dir, deliveredFile), lines.Bytes())
}

// parking keeps what was refused for good in a file.
type parking struct {
	dir     string
	refused map[string]bool
}

// Park appends the message and the reason.
func (p *parking) Park(_ context.Context, d alert.Delivery) error {
	b, err := json.Marshal(d)
	if err != nil {
		return err
	}
	if err := appendTo(filepath.Join(p.dir, parkedFile), append(b, '\n')); err != nil {
		return err
	}
	p.refused[d.Notice.ID] = true
	return nil
}

// Records yields every record of a data folder.
func Records(ctx context.Context, dir string) iter.Seq2[finding.Record, error] {
	return func(yield func(finding.Record, error) bool) {
		db, err := openData(ctx, dir)
		if err != nil {
			yield(finding.Record{}, err)
			return
		}
		defer func() { _ = db.Close() }() // nothing was written
		for r, err := range db.All(ctx) {
			if !yield(r, err) {
				return
			}
		}
	}
}

// SecretFile reads what a channel is called with: a file, or the variable NAME
// of the environment where the source is env:NAME. The error does not quote it.
func SecretFile(from string, env func(string) string) ([]byte, error) {
	if name, ok := strings.CutPrefix(from, "env:"); ok {
		text := env(name)
		if text == "" {
			return nil, fmt.Errorf("environment variable %s is not set", name)
		}
		return []byte(text), nil
	}
	return os.ReadFile(from)
}
