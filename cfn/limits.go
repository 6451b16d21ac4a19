package cfn

// Limits that keep one template from taking the memory or the time of the
// others. They are wide of what CloudFormation itself accepts (a template of
// 1 MiB in S3, 500 resources; "CloudFormation quotas" in its user guide), so
// that generated templates which are still to be split can be judged, and
// narrow enough that the worst file costs a second, not the machine.
const (
	// MaxSize is the largest source that is read, in bytes: 16 times CloudFormation's limit.
	MaxSize = 16 << 20
	// MaxDepth is how deep maps and lists may nest. CloudFormation's own templates
	// stay below 50; the bound keeps recursion over values off the stack's limit.
	MaxDepth = 1000
	// MaxValues is how many values (scalars, lists and maps) one source may hold.
	// 5,000 resources of fifty values each are an eighth of it.
	MaxValues = 2_000_000
	// MaxAliased is how many values YAML aliases may stand for beyond those that
	// are written: aliases share their value, but what walks a template walks
	// them each time.
	MaxAliased = 250_000
	// MaxProblems is how many problems of one template are kept: a person reads
	// the first few, and a broken generator may make one a line.
	MaxProblems = 100
)
