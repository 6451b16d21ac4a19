package ruleset

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sort"

	"cel.dev/cel-go/cel"
	exprpb "google.golang.org/genproto/googleapis/api/expr/v1alpha1"
	"google.golang.org/protobuf/proto"
)

// ParsedFile is the generated file of parsed expressions, at the root of the
// rules' file system.
const ParsedFile = "parsed.bin"

// parsedTexts are expressions that were parsed when the rules were generated:
// CEL's parser takes longer than all that follows it. An expression is found by
// its exact text, so one that changed since is merely parsed as usual.
//
// The file is a number of entries, then for each the first 16 bytes of the
// text's SHA-256 in order and the end of its data, then the data: CEL's
// ParsedExpr, whose places were left out since these expressions compile.
// All numbers are 32 bits, little-endian. A nil *parsedTexts knows no text.
type parsedTexts struct {
	entries []byte
	data    []byte
}

const (
	keySize   = 16
	entrySize = keySize + 4
)

func keyOf(text string) [keySize]byte {
	sum := sha256.Sum256([]byte(text))
	return [keySize]byte(sum[:keySize])
}

// readParsed reads the file of a file system, nil where it has none.
func readParsed(rules fs.FS) (*parsedTexts, error) {
	src, err := fs.ReadFile(rules, ParsedFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read parsed rules: %w", err)
	case len(src) < 4 || uint64(len(src)) < 4+entrySize*uint64(binary.LittleEndian.Uint32(src)):
		return nil, fmt.Errorf("read parsed rules: %s is cut off. generate it again", ParsedFile)
	}
	n := 4 + entrySize*int(binary.LittleEndian.Uint32(src))
	return &parsedTexts{entries: src[4:n], data: src[n:]}, nil
}

// find returns the parsed form of a text, nil where it is not known.
func (p *parsedTexts) find(text string) *cel.Ast {
	if p == nil {
		return nil
	}
	key := keyOf(text)
	n := len(p.entries) / entrySize
	keyAt := func(i int) []byte { return p.entries[i*entrySize : i*entrySize+keySize] }
	lo := sort.Search(n, func(i int) bool { return bytes.Compare(keyAt(i), key[:]) >= 0 })
	if lo == n || !bytes.Equal(keyAt(lo), key[:]) {
		return nil
	}
	var start uint32
	if lo > 0 {
		start = binary.LittleEndian.Uint32(p.entries[lo*entrySize-4:])
	}
	end := binary.LittleEndian.Uint32(p.entries[(lo+1)*entrySize-4:])
	if start > end || uint64(end) > uint64(len(p.data)) {
		return nil
	}
	parsed := new(exprpb.ParsedExpr)
	if proto.Unmarshal(p.data[start:end], parsed) != nil {
		return nil
	}
	return cel.ParsedExprToAst(parsed)
}

// BuildParsed makes the file of every expression of the rules.
func BuildParsed(rules fs.FS) ([]byte, error) {
	env, err := sharedEnvironment()
	if err != nil {
		return nil, err
	}
	files, err := RuleFiles(rules)
	if err != nil {
		return nil, err
	}
	type entry struct {
		key  [keySize]byte
		data []byte
	}
	var entries []entry
	seen := map[string]bool{}
	for _, file := range files {
		src, err := fs.ReadFile(rules, file)
		if err != nil {
			return nil, fmt.Errorf("read rule %q: %w", file, err)
		}
		r, err := ReadRule(file, src)
		if err != nil {
			return nil, err
		}
		for _, text := range r.texts() {
			if text == "" || seen[text] {
				continue
			}
			seen[text] = true
			ast, issues := env.cel.Parse(text)
			if issues.Err() != nil {
				return nil, fmt.Errorf("%s: %w", file, issues.Err())
			}
			parsed, err := cel.AstToParsedExpr(ast)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			parsed.SourceInfo = &exprpb.SourceInfo{}
			data, err := proto.MarshalOptions{Deterministic: true}.Marshal(parsed)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			entries = append(entries, entry{keyOf(text), data})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return bytes.Compare(a.key[:], b.key[:]) })
	out := binary.LittleEndian.AppendUint32(nil, uint32(len(entries)))
	end := uint32(0)
	for _, e := range entries {
		end += uint32(len(e.data))
		out = append(out, e.key[:]...)
		out = binary.LittleEndian.AppendUint32(out, end)
	}
	for _, e := range entries {
		out = append(out, e.data...)
	}
	return out, nil
}

// texts are all the expressions of a rule.
func (r *Rule) texts() []string {
	out := []string{r.When.Text, r.Pass.Text, r.Message.Text}
	for i := range r.Let {
		out = append(out, r.Let[i].Text)
	}
	for i := range r.Fix {
		out = append(out, r.Fix[i].CEL.Text)
	}
	return out
}
