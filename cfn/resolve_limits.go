package cfn

// Bounds on resolving one template, so that a small one cannot ask for the
// memory or the time of many: a text may double with each Fn::Sub around it,
// and a loop may copy what it repeats. Templates of thousands of resources stay
// far below: all of 300 public ones together make 4 MB of text.
const (
	// maxMade and madePerByte bound what resolving may make, in bytes of text and
	// for each byte of the source; other work counts as the bytes that it about
	// takes. A template of 1 MiB, CloudFormation's limit, that loops make of a
	// small one holds up to some 300,000 values, which are 32 MiB.
	maxMade     = 40 << 20
	madePerByte = 16
	// maxTried is what exploring conditions may cost, in conditions and variables
	// looked at: about a second.
	maxTried = 20_000_000
	// maxNeeds is how much of what would settle a value is named; a person acts on
	// the first few.
	maxNeeds = 32

	valueBytes = 112 // of one value
	modelBytes = 16  // of one resource's place in a model
	pieceBytes = 64  // of one gap
)

// tooMuch is what would settle a value that the bounds leave out.
const tooMuch = "less text than the template makes"

// afford reports whether n more bytes may be made, and counts them.
func (r *resolver) afford(n int) bool {
	r.made += n
	return r.made <= maxMade+madePerByte*len(r.t.Source)
}

// sizeOf counts the values in a tree.
func sizeOf(v *Value) int {
	if v == nil {
		return 0
	}
	n := 1
	for _, item := range v.Items {
		n += sizeOf(item)
	}
	for i := range v.Fields {
		n += sizeOf(v.Fields[i].Value)
	}
	return n
}
