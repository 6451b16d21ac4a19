package cfn

import "sync"

// Template is one parsed template. It is immutable and safe for concurrent use.
type Template struct {
	Path string // as it was named or found; "-" is standard input
	// Source is the text that places point into: UTF-8 without a byte order mark,
	// whatever the file's own encoding was.
	Source     []byte
	Format     Format
	Encoding   Encoding
	Root       *Value
	Parameters []*Parameter // source order
	Conditions []Field      // name → condition expression, unresolved
	Mappings   *Value       // may be nil
	Resources  []*Declared  // source order, Fn::ForEach not yet expanded; those with a Problem are left out
	Outputs    *Value       // may be nil
	Metadata   *Value       // the template's own, may be nil
	Transforms []string     // names in Transform, source order
	// Problems are parts that CloudFormation would refuse but that leave the
	// rest of the template readable (a resource without a Type). Each becomes
	// one finding of the reserved rule template-readable.
	Problems []*Problem
}

// Parameter is a declared parameter. Default is nil where there is none.
type Parameter struct {
	Name          string
	Pos           Pos
	Type          string // String, Number, CommaDelimitedList, List<Number>, AWS::EC2::VPC::Id, …
	Default       *Value
	AllowedValues []string
	NoEcho        bool
	Body          *Value // the whole declaration: AllowedPattern, MinLength, MaxValue, ConstraintDescription …
}

// Declared is a resource as written, before resolution.
type Declared struct {
	LogicalID string
	Type      string
	Pos       Pos    // of the logical id
	Condition string // name, "" for none
	Body      *Value // the whole resource map
	// ForEach is the Fn::ForEach construct that makes resources, nil for an ordinary resource.
	ForEach *Value
}

// Resource is one resource in one world. Resources that are the same in two
// worlds are the same pointer in both.
type Resource struct {
	LogicalID     string
	Type          string
	ConstructPath string // CDK's aws:cdk:path, "" if none
	Pos           Pos    // of the logical id
	TypePos       Pos
	Properties    *Value // Map, resolved; a property set to AWS::NoValue is absent; nil: no Properties
	Metadata      *Value // resolved, may be nil
	Attributes    *Value // the other attributes of the resource: DeletionPolicy, UpdateReplacePolicy, DependsOn, UpdatePolicy …; Map or nil
	// Expanded is the SAM type that this resource was derived from, "" for a resource as written.
	Expanded string
}

// Model is the resources of a template in one world.
type Model struct {
	Template  *Template
	Resources []*Resource // source order
	// Assumed is what the world takes for granted, name → value: defaults used
	// and values chosen by exploration; pseudo parameters included. Only what
	// conditions depend on stands here.
	Assumed []Assumption
	// Inputs is what the template was resolved with.
	Inputs Inputs
	// Unread says, of a model of live resources, which types could not be listed,
	// and why: it may lack resources of them. nil for a template's.
	Unread map[string]string
	// Unlisted are, of such a model, types that no service lists: it may lack
	// resources of them, and nobody can tell.
	Unlisted []string
	// Determined reports that every condition follows from given values and
	// defaults: true for the first world where nothing had to be chosen.
	Determined bool

	variants []*variant // one a resource: what it read of the world
	resolver *resolver
	world    *world
	once     sync.Once
	byID     map[string]int
}

// Assumption is one value that a world takes for granted.
type Assumption struct {
	Name    string // parameter, pseudo parameter or condition
	Value   string
	Default bool // the parameter's own default; false: chosen by exploration
}

// Resource returns the resource with this logical id, nil where this world has none.
// It is safe for concurrent use.
func (m *Model) Resource(logicalID string) *Resource {
	if i, ok := m.index()[logicalID]; ok {
		return m.Resources[i]
	}
	return nil
}

// index is made when first asked for: most worlds are never looked up.
func (m *Model) index() map[string]int {
	m.once.Do(func() {
		m.byID = make(map[string]int, len(m.Resources))
		for i, res := range m.Resources {
			m.byID[res.LogicalID] = i
		}
	})
	return m.byID
}

// Inputs is what a template is resolved with. The zero value gives no
// parameter and no pseudo parameter: defaults apply, the rest is explored.
type Inputs struct {
	Parameters map[string]string // given values; a list as comma-separated text
	Account    string            // AWS::AccountId, "" unknown
	Region     string            // AWS::Region, "" unknown
	Stack      string            // AWS::StackName, "" unknown
	MaxWorlds  int               // bound on explored worlds; 0: DefaultMaxWorlds
	// Regions are those in which stacks are meant to be, as names or globs
	// (eu-*). Where Region is unknown and a condition turns on it, the base world
	// is in the first of them that fits, else in us-east-1.
	Regions []string
}

// DefaultMaxWorlds bounds how many worlds one template is judged in.
const DefaultMaxWorlds = 16
