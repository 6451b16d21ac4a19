package cfn

// The operations of an Op.
const (
	OpSet    = "set"    // the value replaces what is there; missing parents are made
	OpAdd    = "add"    // the value is appended to the list at the path; a missing list is made
	OpRemove = "remove" // what is at the path goes
)

// Op is one change to a resource's properties, on the CloudFormation model: the
// same operation edits the template's source, patches the live resource and
// makes the plan that a person reads. Operations apply in order.
type Op struct {
	Do string // OpSet, OpAdd or OpRemove
	// Path leads from Properties to what changes: property names, and indexes
	// ("0") into lists.
	Path []string
	// Value is plain: string, bool, int64, float64, []any, map[string]any. An
	// intrinsic function is a map with its one key. nil for remove.
	Value any
}
