package ruleset

import "sync"

// Equivalents decodes a rule's ids in other tools when a template suppresses by
// one of them, each once. Safe for concurrent use.
func (x *Index) Equivalents() Equivalents { return &equivalents{index: x} }

type equivalents struct {
	index *Index
	known sync.Map // rule id → map[string][]string
}

func (e *equivalents) HasRule(id string) bool { return e.index.HasRule(id) }
func (e *equivalents) RuleIDs() []string      { return e.index.RuleIDs() }

// Equivalents returns the rule's ids by tool. A rule that cannot be decoded has
// none: that its index is broken is told when it is judged.
func (e *equivalents) Equivalents(rule string) map[string][]string {
	if v, ok := e.known.Load(rule); ok {
		return v.(map[string][]string)
	}
	var ids map[string][]string
	if entry := e.index.Entry(rule); entry != nil {
		if d, err := entry.Details(); err == nil {
			ids = d.Equivalents
		}
	}
	e.known.Store(rule, ids)
	return ids
}
