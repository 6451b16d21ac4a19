package console

import (
	"slices"

	"plumbline/internal/report"
)

// questions say which rules frameworks ask for. They are immutable.
type questions struct {
	frameworks []report.Framework
	ofRule     map[string][]string           // frameworks, by rule
	rules      map[[2]string]map[string]bool // by framework and requirement, "" for the whole
}

func newQuestions(frameworks []report.Framework) *questions {
	q := &questions{frameworks: frameworks, ofRule: map[string][]string{}, rules: map[[2]string]map[string]bool{}}
	for i := range frameworks {
		fw := &frameworks[i]
		for _, req := range fw.Requirements {
			for _, rule := range req.Rules {
				for _, key := range [][2]string{{fw.ID, ""}, {fw.ID, req.ID}} {
					if q.rules[key] == nil {
						q.rules[key] = map[string]bool{}
					}
					q.rules[key][rule] = true
				}
				if !slices.Contains(q.ofRule[rule], fw.ID) {
					q.ofRule[rule] = append(q.ofRule[rule], fw.ID)
				}
			}
		}
	}
	return q
}

// rulesOf is asks'.
func (q *questions) rulesOf(framework, control string) map[string]bool {
	return q.rules[[2]string{framework, control}]
}

// frameworksOf is asks'.
func (q *questions) frameworksOf(rule string) []string { return q.ofRule[rule] }

// framework is the framework of an id, nil where there is none.
func (q *questions) framework(id string) *report.Framework {
	for i := range q.frameworks {
		if q.frameworks[i].ID == id {
			return &q.frameworks[i]
		}
	}
	return nil
}

// requirement is a requirement of a framework, nil where there is none.
func (q *questions) requirement(framework, id string) *report.Requirement {
	fw := q.framework(framework)
	if fw == nil {
		return nil
	}
	for i := range fw.Requirements {
		if fw.Requirements[i].ID == id {
			return &fw.Requirements[i]
		}
	}
	return nil
}
