package cfn

import (
	"errors"
	"fmt"
	"strconv"
)

// ErrNotTemplate is what errors.Is finds in the *Problem of a source that does
// not look as if it was meant to be a CloudFormation template: a readable file
// without a Resources section or anything else that only templates have. Among
// the files of a folder such a file is left out; named by a person it is an error.
var ErrNotTemplate = errors.New("not a CloudFormation template")

// Problem is something wrong with a template, at a place. As an error it reads
// "path:line:column: message".
type Problem struct {
	Path    string
	Pos     Pos
	Message string // what is wrong, what is allowed, what to do next

	notTemplate bool
}

// Error returns "path:line:column: message", without the parts that are not known.
func (p *Problem) Error() string {
	s := p.Message
	if !p.Pos.IsZero() {
		s = strconv.Itoa(p.Pos.Line) + ":" + strconv.Itoa(p.Pos.Column) + ": " + s
	}
	if p.Path != "" {
		if p.Pos.IsZero() {
			return p.Path + ": " + s
		}
		return p.Path + ":" + s
	}
	return s
}

// Is reports whether p is ErrNotTemplate.
func (p *Problem) Is(target error) bool { return target == ErrNotTemplate && p.notTemplate }

func problemf(path string, at Pos, format string, args ...any) *Problem {
	return &Problem{Path: path, Pos: at, Message: fmt.Sprintf(format, args...)}
}
