package change

// Outcome is how a step of a change, or the change as a whole, ended. Workflows
// choose by it.
type Outcome string

// How planning can end.
const (
	PlanMade   Outcome = "planned"
	Gone       Outcome = "gone"       // the resource is not there
	Right      Outcome = "right"      // the rule is kept already
	Impossible Outcome = "impossible" // nothing that can be changed settles it, or a value is missing
)

// How a decision can end.
const (
	Granted   Outcome = "granted"
	Accepted  Outcome = "accepted" // the violation is left as it is, until a day
	Denied    Outcome = "denied"
	Expired   Outcome = "expired"
	Undecided Outcome = "undecided" // nobody could be asked
)

// What the check before a change can say, beside Gone and Right.
const (
	Ready    Outcome = "ready"
	Changed  Outcome = "changed"  // what the plan touches or its rule read is not as it was
	Updating Outcome = "updating" // CloudFormation changes the stack that owns it
	Used     Outcome = "used"     // the plan was carried out, or given up, before
	Excluded Outcome = "never"    // the policy leaves the resource alone, whatever was planned before
)

// Why a change is not begun, whatever its plan says.
const (
	Stopped   Outcome = "stopped"   // a person has stopped all changes
	Limited   Outcome = "limited"   // as many changes as the policy allows have begun; it may begin later
	Postponed Outcome = "postponed" // it was limited for too long: it needs a new plan
)

// How a change can end, beside Gone.
const (
	UnderWay Outcome = "pending"
	Applied  Outcome = "applied"
	Refusal  Outcome = "refused" // the service does not make it: not updatable, access denied, throttled to the end
	Broken   Outcome = "failed"  // it ended half way, or the rule is not kept after it
	Undone   Outcome = "undone"  // it was taken back: the resource is as it was
	Partly   Outcome = "partly"  // it is half done, and could not be taken back
	Holds    Outcome = "holds"   // the rule is kept after it
)

// Result is an outcome with its reason, in words.
type Result struct {
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason"`
	Proof   string  `json:"proof"` // SHA-256 of the live model that was judged, hex; "" where none was
}

// Well reports whether nobody needs to look after it.
func (o Outcome) Well() bool {
	switch o {
	case Applied, Right, Holds:
		return true
	}
	return false
}
