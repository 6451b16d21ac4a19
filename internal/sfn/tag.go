package sfn

import (
	"context"
	"maps"
	"slices"
)

type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// tags of a machine or an activity. They are never changed in place.
type tags map[string]string

func newTags(list []tag) (tags, error) { return tags(nil).with(list) }

func (t tags) with(list []tag) (tags, error) {
	var l limits
	next := maps.Clone(t)
	if next == nil {
		next = tags{}
	}
	for _, one := range list {
		l.required("tags.key", one.Key, 128)
		l.atMost("tags.value", one.Value, 256)
		next[one.Key] = one.Value
	}
	if err := l.err(); err != nil {
		return nil, err
	}
	if len(next) > maxTags {
		return nil, faultf("TooManyTags", "a resource has %d tags at most, and this would have %d", maxTags, len(next))
	}
	return next, nil
}

type tagInput struct {
	ResourceARN string
	Tags        []tag
	TagKeys     []string
}

// tagged finds the tags of a resource, and what keeps others in their place.
// The caller holds mu.
func (s *Server) tagged(arn string) (tags, func(tags) error, error) {
	var l limits
	l.required("resourceArn", arn, maxARN)
	if err := l.err(); err != nil {
		return nil, nil, err
	}
	if err := arnOf(arn, kindMachine, kindActivity); err != nil {
		return nil, nil, err
	}
	if m := s.machines[arn]; m != nil {
		return m.tags, func(t tags) error {
			next := *m
			next.tags = t
			err := s.save(next.record())
			if err == nil {
				s.machines[arn] = &next
			}
			return err
		}, nil
	}
	if a := s.activities[arn]; a != nil {
		return a.tags, func(t tags) error {
			next := *a
			next.tags = t
			err := s.save(next.record())
			if err == nil {
				s.activities[arn] = &next
			}
			return err
		}, nil
	}
	return nil, nil, noResource(arn)
}

func (s *Server) tagResource(_ context.Context, in *tagInput) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, set, err := s.tagged(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	next, err := old.with(in.Tags)
	if err != nil {
		return nil, err
	}
	return []byte("{}"), set(next)
}

func (s *Server) untagResource(_ context.Context, in *tagInput) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, set, err := s.tagged(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	next := maps.Clone(old)
	for _, k := range in.TagKeys {
		delete(next, k)
	}
	return []byte("{}"), set(next)
}

func (s *Server) listTagsForResource(_ context.Context, in *tagInput) ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t, _, err := s.tagged(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	o := newObject()
	o.key("tags")
	o.b = append(o.b, '[')
	for i, k := range slices.Sorted(maps.Keys(t)) {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		one := open(o.b)
		one.text("key", k)
		one.text("value", t[k])
		o.b = one.close()
	}
	o.b = append(o.b, ']')
	return o.close(), nil
}
