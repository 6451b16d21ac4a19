package scan

import "plumbline/finding"

// Digest is what is new in a scan of a whole estate, by audience, but for the
// critical violations, which are told of at once and alone. The zero value says
// that nothing is new.
type Digest struct {
	Audiences []DigestAudience // by name
	Lost      []finding.Domain // domains that some target was not judged by, in the order of the workflow's branches
	Partial   int              // targets with such domains
}

// DigestAudience is what is new for one audience.
type DigestAudience struct {
	Audience   string
	Counts     map[finding.Severity]int
	Targets    int      // in which something is new
	Types      []string // of the resources, sorted
	Frameworks []string // that ask for what is violated, sorted
	Items      []Item   // the worst, as many as a message lists
}

// Empty reports whether there is nothing to tell.
func (d *Digest) Empty() bool { return len(d.Audiences) == 0 && d.Partial == 0 }
