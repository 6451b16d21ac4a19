package deployed

import (
	"context"
	"errors"
	"fmt"

	"plumbline/cfn"
	"plumbline/remedy/live"
	"plumbline/scan"
)

// Subject is the logical id of the resource that One reads.
const Subject = "Resource"

// One reads a resource by the first of the names that is its identifier, and
// what rules look at around it. The model's resource Subject is the one; the
// others stand around it. The error is live.ErrGone where no name is one, or
// says why the resource could not be read.
func (r *Reader) One(ctx context.Context, typ string, names ...string) (m *cfn.Model, identifier string, err error) {
	err = fmt.Errorf("%w: %s", live.ErrGone, typ)
	var model []byte
	for _, name := range names {
		if name == "" {
			continue
		}
		if model, err = r.models.Get(ctx, typ, name); err == nil {
			identifier = name
			break
		}
		if !errors.Is(err, live.ErrGone) {
			return nil, "", fmt.Errorf("%s: %w", Why(typ, "read", err), err)
		}
	}
	if err != nil {
		return nil, "", err
	}
	l := &scan.Live{Resources: []scan.LiveResource{{LogicalID: Subject, Type: typ, Identifier: identifier, Model: model}}}
	if err := r.around(ctx, l); err != nil {
		return nil, "", err
	}
	m = &cfn.Model{Determined: true, Unread: l.Unread, Unlisted: l.Unlisted}
	for i, list := range [][]scan.LiveResource{l.Resources, l.Around} {
		for _, x := range list {
			id := Subject
			if i > 0 {
				id = scan.OutsideID(x.Type, x.Identifier)
			}
			res, err := cfn.Live(x.Type, id, x.Model)
			if err != nil {
				return nil, "", err
			}
			m.Resources = append(m.Resources, res)
		}
	}
	return m, identifier, nil
}

// All lists the identifiers of all resources of a type.
func (r *Reader) All(ctx context.Context, typ string) ([]string, error) {
	ids, err := r.models.List(ctx, typ, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Why(typ, "list", err), err)
	}
	return ids, nil
}
