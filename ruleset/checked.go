package ruleset

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"sort"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// CheckedFile is the generated file of checked expressions, at the root of the
// rules' file system.
const CheckedFile = "checked.bin"

// checkedTexts are rules that were read and expressions that were parsed and
// checked when the rules were generated, which takes several times as long as
// planning them. A rule is found by its whole file, an expression by that, the
// resource type and its key, so what changed since is merely read and checked
// as usual.
//
// The file is, all numbers of the head 32 bits and little-endian:
//
//	the number of strings, and the end of each
//	the number of rules and expressions, for each the first 16 bytes of the SHA-256 of
//	what it is found by, in order, and where it begins
//	the strings
//	the rules and trees, whose forms codec and checkedReader tell
//
// The objects' types are not in it: planning asks for none, since the provider
// gives no accessors. A nil *checkedTexts knows no expression.
type checkedTexts struct {
	strings []string
	entries []byte
	trees   []byte
}

const (
	keySize   = 16
	entrySize = keySize + 4
)

// checkedKey is what an expression is found by.
func checkedKey(source [sha256.Size]byte, typ, key string) [keySize]byte {
	text := make([]byte, 0, 128)
	text = append(text, source[:]...)
	text = append(append(text, typ...), 0)
	sum := sha256.Sum256(append(text, key...))
	return [keySize]byte(sum[:keySize])
}

// readChecked reads the file of a file system, nil where it has none.
func readChecked(rules fs.FS) (*checkedTexts, error) {
	src, err := fs.ReadFile(rules, CheckedFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read checked rules: %w", err)
	}
	c, ok := decodeChecked(src)
	if !ok {
		return nil, fmt.Errorf("read checked rules: %s is cut off. generate it again", CheckedFile)
	}
	return c, nil
}

func decodeChecked(src []byte) (*checkedTexts, bool) {
	section := func(size int) ([]byte, bool) {
		if len(src) < 4 {
			return nil, false
		}
		n := uint64(binary.LittleEndian.Uint32(src)) * uint64(size)
		if n > uint64(len(src)-4) {
			return nil, false
		}
		out := src[4 : 4+n]
		src = src[4+n:]
		return out, true
	}
	ends, ok := section(4)
	if !ok {
		return nil, false
	}
	c := &checkedTexts{strings: make([]string, len(ends)/4)}
	if c.entries, ok = section(entrySize); !ok {
		return nil, false
	}
	if len(ends) > 0 {
		n := binary.LittleEndian.Uint32(ends[len(ends)-4:])
		if uint64(n) > uint64(len(src)) {
			return nil, false
		}
		text := string(src[:n])
		src = src[n:]
		start := uint32(0)
		for i := range c.strings {
			end := binary.LittleEndian.Uint32(ends[4*i:])
			if end < start || end > n {
				return nil, false
			}
			c.strings[i] = text[start:end]
			start = end
		}
	}
	c.trees = src
	return c, true
}

// entry is what stands in the file for a key, and all after it; nil: nothing.
func (c *checkedTexts) entry(key [keySize]byte) []byte {
	n := len(c.entries) / entrySize
	keyAt := func(i int) []byte { return c.entries[i*entrySize : i*entrySize+keySize] }
	at := sort.Search(n, func(i int) bool { return bytes.Compare(keyAt(i), key[:]) >= 0 })
	if at == n || !bytes.Equal(keyAt(at), key[:]) {
		return nil
	}
	start := binary.LittleEndian.Uint32(c.entries[at*entrySize+keySize:])
	if uint64(start) >= uint64(len(c.trees)) {
		return nil
	}
	return c.trees[start:]
}

// find returns a checked expression and whether it has a comprehension within
// a comprehension; nil where it is not known.
func (c *checkedTexts) find(key [keySize]byte) (*ast.AST, bool) {
	src := c.entry(key)
	if src == nil {
		return nil, false
	}
	r := checkedReader{texts: c, src: src, types: map[int64]*types.Type{}, refs: map[int64]*ast.ReferenceInfo{}}
	nested := r.byte() == 1
	root := r.expr()
	if r.broken {
		return nil, false
	}
	return ast.NewCheckedAST(ast.NewAST(root, ast.NewSourceInfo(common.NewTextSource(""))), r.types, r.refs), nested
}

// The kinds of nodes in the file, and what follows each.
const (
	nodeNull          byte = iota
	nodeFalse              //
	nodeTrue               //
	nodeInt                // signed varint
	nodeUint               // varint
	nodeDouble             // 8 bytes
	nodeString             // string
	nodeBytes              // string
	nodeIdent              // string; the name it refers to
	nodeTypeIdent          // the same, of a type such as `string`
	nodeSelect             // operand, string
	nodePresence           // operand, string
	nodeCall               // function, overloads, args
	nodeMemberCall         // function, overloads, target, args
	nodeList               // elements, indexes of optional ones
	nodeMap                // entries: key, value, optional
	nodeComprehension      // two variables, accumulator, range, init, condition, step, result
)

// checkedReader reads one tree: nodes in the order of the text, each its kind
// and what the kind says. A string is its number, a list its length first.
type checkedReader struct {
	texts  *checkedTexts
	src    []byte
	at     int
	id     int64 // of the last node
	types  map[int64]*types.Type
	refs   map[int64]*ast.ReferenceInfo
	broken bool
}

var exprs = ast.NewExprFactory()

func (r *checkedReader) byte() byte {
	if r.at >= len(r.src) {
		r.broken = true
		return 0
	}
	r.at++
	return r.src[r.at-1]
}

func (r *checkedReader) uint() uint64 {
	if r.at >= len(r.src) {
		r.broken = true
		return 0
	}
	v, n := binary.Uvarint(r.src[r.at:])
	if n <= 0 {
		r.broken = true
		return 0
	}
	r.at += n
	return v
}

func (r *checkedReader) int() int64 {
	v := r.uint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *checkedReader) double() float64 {
	if len(r.src)-r.at < 8 {
		r.broken = true
		return 0
	}
	r.at += 8
	return math.Float64frombits(binary.LittleEndian.Uint64(r.src[r.at-8:]))
}

// length of what takes a byte or more each.
func (r *checkedReader) length() int {
	n := r.uint()
	if n > uint64(len(r.src)-r.at) {
		r.broken = true
		return 0
	}
	return int(n)
}

func (r *checkedReader) string() string {
	i := r.uint()
	if i >= uint64(len(r.texts.strings)) {
		r.broken = true
		return ""
	}
	return r.texts.strings[i]
}

func (r *checkedReader) list() []ast.Expr {
	out := make([]ast.Expr, 0, r.length())
	for range cap(out) {
		out = append(out, r.expr())
	}
	return out
}

func (r *checkedReader) expr() ast.Expr {
	r.id++
	id := r.id
	if r.broken {
		return exprs.NewUnspecifiedExpr(id)
	}
	kind := r.byte()
	switch kind {
	case nodeIdent, nodeTypeIdent:
		name := r.string()
		if to := r.string(); to != "" {
			r.refs[id] = ast.NewIdentReference(to, nil)
		}
		if kind == nodeTypeIdent {
			r.types[id] = types.TypeType
		}
		return exprs.NewIdent(id, name)
	case nodeSelect:
		operand := r.expr()
		return exprs.NewSelect(id, operand, r.string())
	case nodePresence:
		operand := r.expr()
		return exprs.NewPresenceTest(id, operand, r.string())
	case nodeCall, nodeMemberCall:
		function := r.string()
		if overloads := make([]string, r.length()); len(overloads) > 0 {
			for i := range overloads {
				overloads[i] = r.string()
			}
			r.refs[id] = &ast.ReferenceInfo{OverloadIDs: overloads}
		}
		if kind == nodeMemberCall {
			target := r.expr()
			return exprs.NewMemberCall(id, function, target, r.list()...)
		}
		return exprs.NewCall(id, function, r.list()...)
	case nodeList:
		elements := r.list()
		optional := make([]int32, r.length())
		for i := range optional {
			optional[i] = int32(r.uint())
		}
		return exprs.NewList(id, elements, optional)
	case nodeMap:
		entries := make([]ast.EntryExpr, 0, r.length())
		for range cap(entries) {
			r.id++
			entry := r.id
			key, value := r.expr(), r.expr()
			entries = append(entries, exprs.NewMapEntry(entry, key, value, r.byte() == 1))
		}
		return exprs.NewMap(id, entries)
	case nodeComprehension:
		v1, v2, accu := r.string(), r.string(), r.string()
		over, init, condition, step, result := r.expr(), r.expr(), r.expr(), r.expr(), r.expr()
		return exprs.NewComprehensionTwoVar(id, over, v1, v2, accu, init, condition, step, result)
	}
	return exprs.NewLiteral(id, r.literal(kind))
}

func (r *checkedReader) literal(kind byte) ref.Val {
	switch kind {
	case nodeNull:
		return types.NullValue
	case nodeFalse, nodeTrue:
		return types.Bool(kind == nodeTrue)
	case nodeInt:
		return types.Int(r.int())
	case nodeUint:
		return types.Uint(r.uint())
	case nodeDouble:
		return types.Double(r.double())
	case nodeString:
		return types.String(r.string())
	case nodeBytes:
		return types.Bytes(r.string())
	}
	r.broken = true
	return types.NullValue
}
