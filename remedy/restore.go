package remedy

import (
	"encoding/json"
	"fmt"
)

// Restore is the JSON patch that gives a model back what the plan's change took,
// however much of the change was made; empty where the model has it. foreign are
// properties that are neither as they were before the change nor as the change
// leaves them: somebody else has set them since, and they stay.
func (p *Plan) Restore(model []byte) (patch []PatchOp, foreign []string, err error) {
	return p.towards(model, p.Before, p.After)
}

// Made reports whether everything that the plan changes is as the change leaves it.
func (p *Plan) Made(model []byte) (bool, error) {
	patch, foreign, err := p.towards(model, p.After, p.Before)
	return len(patch)+len(foreign) == 0, err
}

// towards leads what the plan touches from the one image to the other.
func (p *Plan) towards(model, to, from []byte) (patch []PatchOp, foreign []string, err error) {
	var images [3]any
	for i, src := range [][]byte{model, to, from} {
		if images[i], err = decode(src); err != nil {
			return nil, nil, fmt.Errorf("read the live model: %w", err)
		}
	}
	for _, op := range p.Patch {
		if op.Op == "test" {
			continue
		}
		now, is := at(images[0], op.Path)
		want, there := at(images[1], op.Path)
		other, otherwise := at(images[2], op.Path)
		switch {
		case is == there && (!is || same(now, want)):
		case is != otherwise || is && !same(now, other):
			foreign = append(foreign, dotted(op.Path))
		case !there:
			patch = append(patch, PatchOp{"test", op.Path, now}, PatchOp{Op: "remove", Path: op.Path})
		case !is:
			patch = append(patch, PatchOp{"add", op.Path, want})
		default:
			patch = append(patch, PatchOp{"test", op.Path, now}, PatchOp{"replace", op.Path, want})
		}
	}
	return patch, foreign, nil
}

// Document is a patch as services take it.
func Document(patch []PatchOp) ([]byte, error) { return json.Marshal(patch) }
