package ruleset

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"plumbline/finding"
)

// IndexFile is the generated list of the rules, at the root of their file system.
const IndexFile = "index.json"

// Index lists a set of rules without reading their files. It is JSON, one
// entry a line: what a scan asks at its start stands first in the line and is
// read by hand, the rest is decoded when asked for. Immutable, safe for
// concurrent use.
type Index struct {
	Entries []IndexEntry // sorted by id

	once       sync.Once
	frameworks Frameworks // of Set.Frameworks, read when first asked for
}

// IndexEntry is one rule of the index.
type IndexEntry struct {
	ID     string
	File   string // path in the rules' file system
	Domain finding.Domain
	Match  Match
	Types  []string // for MatchTypes

	raw []byte // the whole entry, JSON
}

// IndexDetails is the part of an entry that only listings ask for.
type IndexDetails struct {
	Title       string              `json:"title"`
	Severity    finding.Severity    `json:"severity"` // before overrides
	Equivalents map[string][]string `json:"equivalents,omitempty"`
	Controls    []Control           `json:"controls,omitempty"`
	Values      []string            `json:"values,omitempty"` // what the fix asks of the policy file
	Fix         bool                `json:"fix,omitempty"`    // a property change can settle it
	Deprecated  bool                `json:"deprecated,omitempty"`
	SHA256      string              `json:"sha256"` // of the rule's file, hex
}

// indexLine is the whole of an entry, in the order in which it is written.
type indexLine struct {
	ID     string         `json:"id"`
	File   string         `json:"file"`
	Domain finding.Domain `json:"domain"`
	Types  []string       `json:"types"` // one word, taggable or any, for the other matches
	IndexDetails
}

// The words that stand in types for the matches that list none.
const (
	typesTaggable = "taggable"
	typesAny      = "any"
	typesUnknown  = "unknown"
)

// RuleFiles lists the rule files of a file system in order: every .yaml below
// the root that is no case file, framework, policy or hidden file.
func RuleFiles(rules fs.FS) ([]string, error) {
	var out []string
	err := fs.WalkDir(rules, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if name == FrameworkDir || name != "." && strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
		case path.Ext(name) == ".yaml" && !strings.HasSuffix(name, caseSuffix) && d.Name() != PolicyFile && !strings.HasPrefix(d.Name(), "."):
			out = append(out, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list rule files: %w", err)
	}
	return out, nil
}

// BuildIndex reads every rule and framework and makes the index of them. The
// error joins every problem found: broken files, ids used twice, frameworks
// that name a rule which is neither here nor beside.
func BuildIndex(rules fs.FS, beside ...RuleNames) (*Index, error) {
	files, err := RuleFiles(rules)
	if err != nil {
		return nil, err
	}
	frameworks, err := ReadFrameworks(rules)
	errs := []error{err}
	x := &Index{}
	all, sums := map[string]*Rule{}, map[string][sha256.Size]byte{}
	for _, file := range files {
		src, err := fs.ReadFile(rules, file)
		if err != nil {
			errs = append(errs, fmt.Errorf("read rule %q: %w", file, err))
			continue
		}
		r, err := ReadRule(file, src)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if other := all[r.ID]; other != nil || reserved(r.ID) != nil {
			place := finding.Place{Path: file, Line: r.Line, Column: 1}
			if other == nil {
				errs = append(errs, &PlaceError{place, fmt.Sprintf("id %q is reserved", r.ID)})
			} else {
				errs = append(errs, &PlaceError{place, fmt.Sprintf("id %q is also in %s:%d. ids are unique", r.ID, other.File, other.Line)})
			}
			continue
		}
		all[r.ID], sums[r.ID] = r, sha256.Sum256(src)
		x.Entries = append(x.Entries, IndexEntry{ID: r.ID, File: file, Domain: r.Domain, Match: r.Match, Types: r.Types})
	}
	slices.SortFunc(x.Entries, func(a, b IndexEntry) int { return strings.Compare(a.ID, b.ID) })
	for i := range x.Entries {
		id := x.Entries[i].ID
		x.Entries[i].raw = entryLine(all[id], frameworks, sums[id])
	}
	errs = append(errs, frameworks.Check(append(beside, x)...))
	return x, errors.Join(errs...)
}

// entryLine is a rule's entry as JSON.
func entryLine(r *Rule, frameworks Frameworks, sum [sha256.Size]byte) []byte {
	line := indexLine{ID: r.ID, File: r.File, Domain: r.Domain, Types: r.Types, IndexDetails: IndexDetails{
		Title: r.Title, Severity: r.Severity, Equivalents: r.Equivalents, Controls: frameworks.Controls(r.ID),
		Fix: len(r.Fix) > 0, Deprecated: r.Deprecated, SHA256: hex.EncodeToString(sum[:]),
	}}
	switch r.Match {
	case MatchTaggable:
		line.Types = []string{typesTaggable}
	case MatchAny:
		line.Types = []string{typesAny}
	case MatchUnknown:
		line.Types = []string{typesUnknown}
	}
	for _, step := range r.Fix {
		if step.Policy != "" && !slices.Contains(line.Values, step.Policy) {
			line.Values = append(line.Values, step.Policy)
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(line) // texts, lists and maps of texts always encode
	return bytes.TrimSpace(b.Bytes())
}

// Hash is over all entries, and so over the text of every rule and where it
// stands in which framework: SHA-256, hex.
func (x *Index) Hash() string {
	h := sha256.New()
	for i := range x.Entries {
		h.Write(x.Entries[i].raw)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Encode is the index as it is stored: the same for the same rules.
func (x *Index) Encode() []byte {
	var b bytes.Buffer
	b.WriteString("[")
	for i := range x.Entries {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
		b.Write(x.Entries[i].raw)
	}
	b.WriteString("\n]\n")
	return b.Bytes()
}

// ReadIndex reads a stored index. Lines in another form than Encode's are
// decoded as ordinary JSON, so an index that somebody has formatted still
// works, only slower.
func ReadIndex(src []byte) (*Index, error) {
	x := &Index{}
	rest := src
	for len(rest) > 0 {
		line := rest
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			line, rest = rest[:i], rest[i+1:]
		} else {
			rest = nil
		}
		line = bytes.TrimSuffix(bytes.TrimSpace(line), []byte{','})
		if len(line) < 2 {
			continue // the brackets
		}
		e, ok := scanEntry(line)
		if !ok {
			return decodeIndex(src)
		}
		x.Entries = append(x.Entries, e)
	}
	return x, nil
}

// scanEntry reads the head of a line that Encode wrote; ok is false where it
// has another form.
func scanEntry(line []byte) (e IndexEntry, ok bool) {
	text := string(line)
	value := func(before string) string {
		after, found := strings.CutPrefix(text, before)
		end := strings.IndexByte(after, '"')
		if !ok || !found || end < 0 || strings.IndexByte(after[:end], '\\') >= 0 {
			ok = false
			return ""
		}
		text = after[end+1:]
		return after[:end]
	}
	ok = true
	e = IndexEntry{ID: value(`{"id":"`), File: value(`,"file":"`), Domain: finding.Domain(value(`,"domain":"`)), raw: line}
	first := value(`,"types":["`)
	switch first {
	case typesTaggable:
		e.Match = MatchTaggable
	case typesAny:
		e.Match = MatchAny
	case typesUnknown:
		e.Match = MatchUnknown
	default:
		e.Types = append(make([]string, 0, 2), first)
		for ok && strings.HasPrefix(text, `,"`) {
			e.Types = append(e.Types, value(`,"`))
		}
	}
	return e, ok && strings.HasPrefix(text, "]") && strings.HasSuffix(text, "}")
}

// decodeIndex reads any JSON list of entries.
func decodeIndex(src []byte) (*Index, error) {
	var lines []json.RawMessage
	if err := json.Unmarshal(src, &lines); err != nil {
		return nil, fmt.Errorf("decode rule index: %w", err)
	}
	x := &Index{Entries: make([]IndexEntry, len(lines))}
	for i, raw := range lines {
		var line indexLine
		if err := json.Unmarshal(raw, &line); err != nil {
			return nil, fmt.Errorf("decode rule index, entry %d: %w", i, err)
		}
		e := IndexEntry{ID: line.ID, File: line.File, Domain: line.Domain, Types: line.Types, raw: raw}
		switch {
		case slices.Equal(line.Types, []string{typesTaggable}):
			e.Match, e.Types = MatchTaggable, nil
		case slices.Equal(line.Types, []string{typesAny}):
			e.Match, e.Types = MatchAny, nil
		case slices.Equal(line.Types, []string{typesUnknown}):
			e.Match, e.Types = MatchUnknown, nil
		}
		x.Entries[i] = e
	}
	slices.SortFunc(x.Entries, func(a, b IndexEntry) int { return strings.Compare(a.ID, b.ID) })
	return x, nil
}

// Details decodes the rest of the entry.
func (e *IndexEntry) Details() (IndexDetails, error) {
	var d IndexDetails
	if err := json.Unmarshal(e.raw, &d); err != nil {
		return d, fmt.Errorf("decode rule index, rule %q: %w", e.ID, err)
	}
	return d, nil
}

// Entry is the entry with this id, nil where there is none.
func (x *Index) Entry(id string) *IndexEntry {
	i, found := slices.BinarySearchFunc(x.Entries, id, func(e IndexEntry, id string) int { return strings.Compare(e.ID, id) })
	if !found {
		return nil
	}
	return &x.Entries[i]
}

// HasRule reports whether the index, or the reserved rules, has this id.
func (x *Index) HasRule(id string) bool { return reserved(id) != nil || x.Entry(id) != nil }

// RuleIDs lists the ids, sorted; without the reserved ones.
func (x *Index) RuleIDs() []string {
	ids := make([]string, len(x.Entries))
	for i := range x.Entries {
		ids[i] = x.Entries[i].ID
	}
	return ids
}

// FixValues lists what the rules' fixes ask of the policy's values, sorted.
func (x *Index) FixValues() []string {
	var names []string
	for i := range x.Entries {
		if d, err := x.Entries[i].Details(); err == nil {
			names = append(names, d.Values...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
