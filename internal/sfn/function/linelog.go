package function

import (
	"bytes"
	"io"
	"sync"
)

// lineLog passes on what processes write, line by line and each with the name
// of its function, so that those of several do not mix.
type lineLog struct {
	mu sync.Mutex
	to io.Writer
}

// prefixed is the writer of one process.
func (l *lineLog) prefixed(name string) *prefixed { return &prefixed{log: l, prefix: name + ": "} }

type prefixed struct {
	log    *lineLog
	prefix string

	mu   sync.Mutex
	rest []byte // of a line that has not ended
}

// maxLine is the longest that is kept back to be ended, in bytes.
const maxLine = 64 << 10

func (p *prefixed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rest = append(p.rest, b...)
	for {
		i := bytes.IndexByte(p.rest, '\n')
		if i < 0 && len(p.rest) < maxLine {
			return len(b), nil
		}
		if i < 0 {
			i = len(p.rest) - 1
		}
		p.line(p.rest[:i+1])
		p.rest = p.rest[i+1:]
	}
}

// line writes one line at once.
func (p *prefixed) line(b []byte) {
	b = append([]byte(p.prefix), bytes.TrimRight(b, "\r\n")...)
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	_, _ = p.log.to.Write(append(b, '\n')) // a log that is full must not end the function
}

// flush writes a last line without an end.
func (p *prefixed) flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.rest) > 0 {
		p.line(p.rest)
		p.rest = nil
	}
}
