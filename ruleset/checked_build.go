package ruleset

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
)

// BuildChecked makes the file of all rules and of every expression of them for
// each type that it is for. The error is that of the rules that do not compile.
func BuildChecked(rules fs.FS) ([]byte, error) {
	files, err := RuleFiles(rules)
	if err != nil {
		return nil, err
	}
	w := &checkedWriter{numbers: map[string]uint64{}, trees: map[string]uint32{}}
	var errs []error
	for _, file := range files {
		src, err := fs.ReadFile(rules, file)
		if err != nil {
			return nil, fmt.Errorf("read rule %q: %w", file, err)
		}
		r, err := ReadRule(file, src)
		if err != nil {
			return nil, err
		}
		r.source = sha256.Sum256(src)
		if err := w.addRule(checkedKey(r.source, "", ruleKey), r); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		kinds := r.Types
		if r.Match != MatchTypes {
			kinds = []string{""}
		}
		for _, typ := range kinds {
			r.keep = func(key string, checked *ast.AST, nested bool) {
				if err := w.add(checkedKey(r.source, typ, key), checked, nested); err != nil {
					errs = append(errs, fmt.Errorf("%s: %s: %w", file, key, err))
				}
			}
			c, err := r.compile(typ)
			if err == nil {
				err = c.rest()
			}
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return w.file(), nil
}

// checkedWriter writes what checkedReader reads. Equal trees, such as those of
// one rule for several types, are one.
type checkedWriter struct {
	entries []checkedEntry
	numbers map[string]uint64
	strings []string
	trees   map[string]uint32
	data    []byte
}

type checkedEntry struct {
	key   [keySize]byte
	start uint32
}

func (w *checkedWriter) add(key [keySize]byte, checked *ast.AST, nested bool) error {
	b := []byte{0}
	if nested {
		b[0] = 1
	}
	b, err := w.expr(b, checked, checked.Expr())
	if err != nil {
		return err
	}
	w.put(key, b)
	return nil
}

// put adds an entry.
func (w *checkedWriter) put(key [keySize]byte, b []byte) {
	start, known := w.trees[string(b)]
	if !known {
		start = uint32(len(w.data))
		w.trees[string(b)] = start
		w.data = append(w.data, b...)
	}
	w.entries = append(w.entries, checkedEntry{key, start})
}

func (w *checkedWriter) file() []byte {
	slices.SortFunc(w.entries, func(a, b checkedEntry) int { return bytes.Compare(a.key[:], b.key[:]) })
	out := binary.LittleEndian.AppendUint32(nil, uint32(len(w.strings)))
	end := uint32(0)
	for _, s := range w.strings {
		end += uint32(len(s))
		out = binary.LittleEndian.AppendUint32(out, end)
	}
	out = binary.LittleEndian.AppendUint32(out, uint32(len(w.entries)))
	for _, e := range w.entries {
		out = append(out, e.key[:]...)
		out = binary.LittleEndian.AppendUint32(out, e.start)
	}
	for _, s := range w.strings {
		out = append(out, s...)
	}
	return append(out, w.data...)
}

func (w *checkedWriter) string(b []byte, s string) []byte {
	n, known := w.numbers[s]
	if !known {
		n = uint64(len(w.strings))
		w.numbers[s] = n
		w.strings = append(w.strings, s)
	}
	return binary.AppendUvarint(b, n)
}

func (w *checkedWriter) list(b []byte, a *ast.AST, list []ast.Expr) ([]byte, error) {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, e := range list {
		var err error
		if b, err = w.expr(b, a, e); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (w *checkedWriter) expr(b []byte, a *ast.AST, e ast.Expr) ([]byte, error) {
	refers := a.ReferenceMap()[e.ID()]
	if refers != nil && refers.Value != nil {
		return nil, fmt.Errorf("the constant %q has no form in the file", refers.Name)
	}
	switch e.Kind() {
	case ast.LiteralKind:
		return w.literal(b, e)
	case ast.IdentKind:
		kind := nodeIdent
		if a.GetType(e.ID()).Kind() == types.TypeKind {
			kind = nodeTypeIdent
		}
		b = w.string(append(b, kind), e.AsIdent())
		to := ""
		if refers != nil {
			to = refers.Name
		}
		return w.string(b, to), nil
	case ast.SelectKind:
		if refers != nil {
			return nil, fmt.Errorf("the qualified name %q has no form in the file", refers.Name)
		}
		s, kind := e.AsSelect(), nodeSelect
		if s.IsTestOnly() {
			kind = nodePresence
		}
		b, err := w.expr(append(b, kind), a, s.Operand())
		if err != nil {
			return nil, err
		}
		return w.string(b, s.FieldName()), nil
	case ast.CallKind:
		c, kind := e.AsCall(), nodeCall
		if c.IsMemberFunction() {
			kind = nodeMemberCall
		}
		b = w.string(append(b, kind), c.FunctionName())
		var overloads []string
		if refers != nil {
			overloads = refers.OverloadIDs
		}
		b = binary.AppendUvarint(b, uint64(len(overloads)))
		for _, id := range overloads {
			b = w.string(b, id)
		}
		if c.IsMemberFunction() {
			var err error
			if b, err = w.expr(b, a, c.Target()); err != nil {
				return nil, err
			}
		}
		return w.list(b, a, c.Args())
	case ast.ListKind:
		l := e.AsList()
		b, err := w.list(append(b, nodeList), a, l.Elements())
		if err != nil {
			return nil, err
		}
		b = binary.AppendUvarint(b, uint64(len(l.OptionalIndices())))
		for _, i := range l.OptionalIndices() {
			b = binary.AppendUvarint(b, uint64(i))
		}
		return b, nil
	case ast.MapKind:
		m := e.AsMap()
		b = binary.AppendUvarint(append(b, nodeMap), uint64(m.Size()))
		for _, entry := range m.Entries() {
			pair := entry.AsMapEntry()
			var err error
			for _, part := range []ast.Expr{pair.Key(), pair.Value()} {
				if b, err = w.expr(b, a, part); err != nil {
					return nil, err
				}
			}
			optional := byte(0)
			if pair.IsOptional() {
				optional = 1
			}
			b = append(b, optional)
		}
		return b, nil
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		b = append(b, nodeComprehension)
		for _, s := range []string{c.IterVar(), c.IterVar2(), c.AccuVar()} {
			b = w.string(b, s)
		}
		var err error
		for _, part := range []ast.Expr{c.IterRange(), c.AccuInit(), c.LoopCondition(), c.LoopStep(), c.Result()} {
			if b, err = w.expr(b, a, part); err != nil {
				return nil, err
			}
		}
		return b, nil
	}
	return nil, fmt.Errorf("an expression of kind %d has no form in the file", e.Kind())
}

func (w *checkedWriter) literal(b []byte, e ast.Expr) ([]byte, error) {
	switch v := e.AsLiteral().(type) {
	case types.Null:
		return append(b, nodeNull), nil
	case types.Bool:
		if v {
			return append(b, nodeTrue), nil
		}
		return append(b, nodeFalse), nil
	case types.Int:
		return binary.AppendVarint(append(b, nodeInt), int64(v)), nil
	case types.Uint:
		return binary.AppendUvarint(append(b, nodeUint), uint64(v)), nil
	case types.Double:
		return binary.LittleEndian.AppendUint64(append(b, nodeDouble), math.Float64bits(float64(v))), nil
	case types.String:
		return w.string(append(b, nodeString), string(v)), nil
	case types.Bytes:
		return w.string(append(b, nodeBytes), string(v)), nil
	}
	return nil, fmt.Errorf("a literal of type %T has no form in the file", e.AsLiteral())
}
