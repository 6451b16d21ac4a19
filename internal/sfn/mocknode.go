package sfn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// node is a JSON value with its place in the text, for messages.
type node struct {
	kind    byte // { [ " 0 (number) t (true or false) n (null)
	at, end int
	text    string // of a string
	members []member
	items   []*node
}

type member struct {
	key   string
	at    int
	value *node
}

// get returns the value of a field, nil where there is none.
func (n *node) get(key string) *node {
	for i := range n.members {
		if n.members[i].key == key {
			return n.members[i].value
		}
	}
	return nil
}

func (n *node) raw(src []byte) json.RawMessage { return json.RawMessage(src[n.at:n.end]) }

// what names the kind of value for messages.
func (n *node) what() string {
	return map[byte]string{'{': "an object", '[': "a list", '"': "text", '0': "a number", 't': "true or false", 'n': "null"}[n.kind]
}

type nodeError struct {
	at      int
	message string
}

// parseNode reads one JSON text.
func parseNode(src []byte) (*node, *nodeError) {
	r := &nodeReader{src: src, dec: json.NewDecoder(bytes.NewReader(src))}
	r.dec.UseNumber()
	n, err := r.value()
	if err != nil {
		return nil, err
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, &nodeError{r.next(), "more text follows the JSON object. take it away"}
	}
	return n, nil
}

type nodeReader struct {
	src []byte
	dec *json.Decoder
}

// next is where the next token begins.
func (r *nodeReader) next() int {
	at := int(r.dec.InputOffset())
	for at < len(r.src) && bytes.IndexByte([]byte(" \t\r\n,:"), r.src[at]) >= 0 {
		at++
	}
	return at
}

func (r *nodeReader) token() (json.Token, *nodeError) {
	at := r.next()
	t, err := r.dec.Token()
	if err == nil {
		return t, nil
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = max(at, int(syntax.Offset)-1)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, &nodeError{len(r.src), "the JSON text ends too early"}
	}
	return nil, &nodeError{at, fmt.Sprintf("no JSON: %v", err)}
}

func (r *nodeReader) value() (*node, *nodeError) {
	n := &node{at: r.next()}
	t, err := r.token()
	if err != nil {
		return nil, err
	}
	switch v := t.(type) {
	case json.Delim:
		n.kind = byte(v)
		for r.dec.More() {
			if err := r.inside(n); err != nil {
				return nil, err
			}
		}
		if _, err := r.token(); err != nil { // the closing bracket
			return nil, err
		}
	case string:
		n.kind, n.text = '"', v
	case json.Number:
		n.kind = '0'
	case bool:
		n.kind = 't'
	default:
		n.kind = 'n'
	}
	n.end = int(r.dec.InputOffset())
	return n, nil
}

// inside reads one member or item of n.
func (r *nodeReader) inside(n *node) *nodeError {
	if n.kind == '[' {
		item, err := r.value()
		n.items = append(n.items, item)
		return err
	}
	m := member{at: r.next()}
	key, err := r.token()
	if err != nil {
		return err
	}
	m.key, _ = key.(string) // the decoder takes nothing else here
	if n.get(m.key) != nil {
		return &nodeError{m.at, fmt.Sprintf("the name %q stands twice in one object. take one away", m.key)}
	}
	m.value, err = r.value()
	n.members = append(n.members, m)
	return err
}
