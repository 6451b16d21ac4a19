package scan

import "time"

// Evaluation is what AWS Config is told of one resource.
type Evaluation struct {
	Type, ID   string // as AWS Config names the resource
	Compliance string // Compliant, NonCompliant or NotApplicable
	Annotation string // up to 256 bytes; may be empty
	At         time.Time
}

// What AWS Config is told. There is no word for what is not known: of that
// nothing is told.
const (
	Compliant     = "COMPLIANT"
	NonCompliant  = "NON_COMPLIANT"
	NotApplicable = "NOT_APPLICABLE"
)
