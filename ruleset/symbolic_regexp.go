package ruleset

import (
	"regexp"
	"regexp/syntax"
	"sync"
)

// matches decides text.matches(re) for a text of which a part is known. yes:
// the known pieces alone hold a match that no neighbour can undo. no: no text
// that the pieces allow can match. Both are decided on the compiled program.
func (s *symbolic) matches(re *regexp.Regexp) tri {
	prog := programOf(re)
	if prog == nil {
		return maybe
	}
	switch asserts := assertions(prog); {
	case asserts == 0:
		for _, p := range s.pieces {
			if !p.gap && re.MatchString(p.text) {
				return yes
			}
		}
	case asserts == syntax.EmptyBeginText:
		if p := s.pieces[0]; !p.gap && re.MatchString(p.text) {
			return yes
		}
	case asserts == syntax.EmptyEndText:
		if p := s.pieces[len(s.pieces)-1]; !p.gap && re.MatchString(p.text) {
			return yes
		}
	}
	if !s.canMatch(prog) {
		return no
	}
	return maybe
}

// programs are the compiled programs by *regexp.Regexp: the patterns of rules
// and of the policy file, so there are few.
var programs sync.Map

// programOf is the program of a pattern, nil where it has none.
func programOf(re *regexp.Regexp) *syntax.Prog {
	if prog, ok := programs.Load(re); ok {
		return prog.(*syntax.Prog)
	}
	parsed, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return nil
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil
	}
	programs.Store(re, prog)
	return prog
}

// assertions are all the empty-width conditions of a program.
func assertions(prog *syntax.Prog) syntax.EmptyOp {
	var out syntax.EmptyOp
	for i := range prog.Inst {
		if in := &prog.Inst[i]; in.Op == syntax.InstEmptyWidth {
			out |= syntax.EmptyOp(in.Arg)
		}
	}
	return out
}

// canMatch runs the program over the pieces with every state that some text
// could reach. It errs on the side of yes: word boundaries and line ends hold
// everywhere, and a gap's characters are not limited.
func (s *symbolic) canMatch(prog *syntax.Prog) bool {
	run := &reach{prog: prog, states: map[uint32]bool{}}
	atStart := true  // nothing but empty gaps so far
	matched := false // a match is complete, whatever follows
	restEmpty := make([]bool, len(s.pieces)+1)
	restEmpty[len(s.pieces)] = true
	for i := len(s.pieces) - 1; i >= 0; i-- {
		p := s.pieces[i]
		restEmpty[i] = restEmpty[i+1] && p.gap && !p.some && !p.ident
	}
	// close adds the states reachable without reading, a new attempt included.
	closeAll := func(canEnd bool) {
		next := map[uint32]bool{}
		for pc := range run.states {
			matched = run.follow(next, pc, atStart, canEnd) || matched
		}
		matched = run.follow(next, uint32(prog.Start), atStart, canEnd) || matched
		run.states = next
	}
	for i, p := range s.pieces {
		if !p.gap {
			for j, r := range p.text {
				closeAll(j == 0 && restEmpty[i])
				run.step(r)
				atStart = false
			}
			continue
		}
		// A gap: read any characters until no new state comes up.
		closeAll(restEmpty[i])
		for known := -1; known != len(run.states); {
			known = len(run.states)
			before := run.states
			run.stepAny()
			atStart = atStart && !p.some && !p.ident
			for pc := range before {
				run.states[pc] = true
			}
			closeAll(restEmpty[i+1])
		}
	}
	closeAll(true)
	return matched
}

// reach is the set of program states that some text reaches.
type reach struct {
	prog   *syntax.Prog
	states map[uint32]bool // instructions that read a rune
}

// follow adds the reading instructions that pc leads to without reading and
// reports whether it leads to a match.
func (r *reach) follow(out map[uint32]bool, pc uint32, atStart, canEnd bool) bool {
	seen := map[uint32]bool{}
	matched := false
	var walk func(uint32)
	walk = func(pc uint32) {
		if seen[pc] {
			return
		}
		seen[pc] = true
		in := &r.prog.Inst[pc]
		switch in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			walk(in.Out)
			walk(in.Arg)
		case syntax.InstCapture, syntax.InstNop:
			walk(in.Out)
		case syntax.InstEmptyWidth:
			op := syntax.EmptyOp(in.Arg)
			if op&syntax.EmptyBeginText != 0 && !atStart || op&syntax.EmptyEndText != 0 && !canEnd {
				return
			}
			walk(in.Out)
		case syntax.InstMatch:
			matched = true
		case syntax.InstFail:
		default:
			out[pc] = true
		}
	}
	walk(pc)
	return matched
}

// step reads one rune.
func (r *reach) step(c rune) {
	next := map[uint32]bool{}
	for pc := range r.states {
		if in := &r.prog.Inst[pc]; in.MatchRune(c) {
			next[in.Out] = true
		}
	}
	r.states = next
}

// stepAny reads some rune, any of them.
func (r *reach) stepAny() {
	next := map[uint32]bool{}
	for pc := range r.states {
		next[r.prog.Inst[pc].Out] = true
	}
	r.states = next
}
