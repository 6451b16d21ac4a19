package scan

import (
	"slices"

	"plumbline/finding"
)

// Alerts counts the violations that people are told of, those that were not
// open before, by severity. The zero value counts none.
type Alerts struct {
	Critical int `json:"critical"`
	High     int `json:"high"`
	Medium   int `json:"medium"`
	Low      int `json:"low"`
	Others   int `json:"others"` // all but critical
	// Types are the types of the violating resources by severity, sorted, each
	// once: subscribers choose by them.
	Types map[finding.Severity][]string `json:"types,omitempty"`
}

// Add counts one violation of a resource of this type; "" where the violation
// is of the template as a whole. A severity that is not known counts as low.
func (a *Alerts) Add(s finding.Severity, resourceType string) {
	switch s {
	case finding.Critical:
		a.Critical++
	case finding.High:
		a.High++
	case finding.Medium:
		a.Medium++
	default:
		s = finding.Low
		a.Low++
	}
	if s != finding.Critical {
		a.Others++
	}
	if resourceType == "" {
		return
	}
	if a.Types == nil {
		a.Types = map[finding.Severity][]string{}
	}
	if at, found := slices.BinarySearch(a.Types[s], resourceType); !found {
		a.Types[s] = slices.Insert(a.Types[s], at, resourceType)
	}
}

// Of is the count of a severity.
func (a *Alerts) Of(s finding.Severity) int {
	switch s {
	case finding.Critical:
		return a.Critical
	case finding.High:
		return a.High
	case finding.Medium:
		return a.Medium
	case finding.Low:
		return a.Low
	}
	return 0
}
