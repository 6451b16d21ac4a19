package sqlite

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"time"
	"unicode/utf8"

	"plumbline/finding"
)

// Brief yields every record as All does, without what a list of findings does
// not show: Remediation, Fix, Needs, Assuming, Suppressed and ExpiresAt stay
// empty. Reading all records of a large table takes a third of the time.
func (d *DB) Brief(ctx context.Context) iter.Seq2[finding.Record, error] {
	return func(yield func(finding.Record, error) bool) {
		known := interned{}
		for b, err := range d.raw(ctx, "SELECT record FROM findings ORDER BY rowid") {
			var r finding.Record
			if err == nil {
				err = explain("read", d.path, brief(b, &r, known))
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// brief reads a record. Those that this package wrote are read by hand; any
// other spelling of JSON goes through the decoder.
func brief(b []byte, r *finding.Record, known interned) error {
	s := scanner{b: b, known: known}
	s.object(func(key string) {
		switch key {
		case "Rule":
			r.Rule = s.name()
		case "Severity":
			r.Severity = finding.Severity(s.name())
		case "Domain":
			r.Domain = finding.Domain(s.name())
		case "Verdict":
			r.Verdict = finding.Verdict(s.name())
		case "Message":
			r.Message = string(s.text())
		case "Owner":
			r.Owner = s.name()
		case "Scope":
			r.Scope = s.name()
		case "State":
			r.State = finding.State(s.name())
		case "FirstSeen":
			r.FirstSeen = s.time()
		case "LastSeen":
			r.LastSeen = s.time()
		case "Due":
			r.Due = s.time()
		case "Resource":
			s.resource(&r.Resource)
		case "Place":
			s.place(&r.Place)
		default:
			s.skip()
		}
	})
	if !s.failed && s.at == len(b) {
		return nil
	}
	*r = finding.Record{}
	if err := json.Unmarshal(b, r); err != nil {
		return fmt.Errorf("decode record: %w", err)
	}
	r.Remediation, r.Fix, r.Needs, r.Assuming, r.Suppressed, r.ExpiresAt = "", "", nil, nil, nil, time.Time{}
	return nil
}

func (s *scanner) resource(r *finding.Resource) {
	s.object(func(key string) {
		switch key {
		case "Account":
			r.Account = s.name()
		case "Region":
			r.Region = s.name()
		case "Stack":
			r.Stack = s.name()
		case "LogicalID":
			r.LogicalID = string(s.text())
		case "Type":
			r.Type = s.name()
		case "ConstructPath":
			r.ConstructPath = string(s.text())
		default:
			s.skip()
		}
	})
}

func (s *scanner) place(p *finding.Place) {
	s.object(func(key string) {
		switch key {
		case "Path":
			p.Path = s.name()
		case "Name":
			p.Name = s.name()
		case "Line":
			p.Line = s.number()
		case "Column":
			p.Column = s.number()
		default:
			s.skip()
		}
	})
}

// interned holds texts that many records share, each once.
type interned map[string]string

// scanner reads compact JSON. It fails at anything that it does not expect, and
// from then on reads nothing.
type scanner struct {
	b      []byte
	at     int
	failed bool
	known  interned
}

func (s *scanner) fail() { s.failed, s.at = true, len(s.b) }

// take reads one byte if it is the next.
func (s *scanner) take(c byte) bool {
	if s.at < len(s.b) && s.b[s.at] == c {
		s.at++
		return true
	}
	return false
}

// object calls value at each value of an object; value reads it.
func (s *scanner) object(value func(key string)) {
	if !s.take('{') {
		s.fail()
		return
	}
	if s.take('}') {
		return
	}
	for !s.failed {
		key := s.name()
		if !s.take(':') {
			s.fail()
			return
		}
		value(key)
		if s.take('}') {
			return
		}
		if !s.take(',') {
			s.fail()
		}
	}
}

// text reads a string.
func (s *scanner) text() []byte {
	if !s.take('"') {
		s.fail()
		return nil
	}
	begin, plain := s.at, true
	for ; s.at < len(s.b) && s.b[s.at] != '"'; s.at++ {
		switch c := s.b[s.at]; {
		case c == '\\':
			plain = false
			s.at++
		case c < 0x20:
			s.fail()
			return nil
		}
	}
	if s.at >= len(s.b) {
		s.fail()
		return nil
	}
	got := s.b[begin:s.at]
	s.at++
	if !utf8.Valid(got) {
		s.fail()
		return nil
	}
	if !plain {
		var decoded string
		if json.Unmarshal(s.b[begin-1:s.at], &decoded) != nil {
			s.fail()
		}
		return []byte(decoded)
	}
	return got
}

// name reads a string that other records have as well.
func (s *scanner) name() string {
	b := s.text()
	if len(b) == 0 {
		return ""
	}
	if have, ok := s.known[string(b)]; ok {
		return have
	}
	text := string(b)
	s.known[text] = text
	return text
}

func (s *scanner) number() int {
	begin := s.at
	for s.at < len(s.b) && (s.b[s.at] == '-' || s.b[s.at] >= '0' && s.b[s.at] <= '9') {
		s.at++
	}
	n, err := strconv.Atoi(string(s.b[begin:s.at]))
	if err != nil {
		s.fail()
	}
	return n
}

func (s *scanner) time() time.Time {
	b := s.text()
	if bytes.Equal(b, zeroTime) {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, string(b))
	if err != nil {
		s.fail()
	}
	return t
}

var zeroTime = []byte("0001-01-01T00:00:00Z")

// skip passes over a value.
func (s *scanner) skip() {
	depth := 0
	for s.at < len(s.b) {
		switch s.b[s.at] {
		case '"':
			s.text()
			if s.failed || depth == 0 {
				return
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return // of the object that the value is in
			}
			if depth--; depth == 0 {
				s.at++
				return
			}
		case ',':
			if depth == 0 {
				return
			}
		}
		s.at++
	}
}
