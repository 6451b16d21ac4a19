package engine

import (
	"plumbline/asl/jsonpath"
	"plumbline/asl/value"
)

// How many iterations the service runs at once at most. Source: Step Functions
// developer guide, "Map processing modes".
const (
	maxInline      = 40
	maxDistributed = 10_000
)

// concurrency is how many iterations may run at once.
func (f *frame) concurrency(m *mapSpec, data any) (int, error) {
	most := maxInline
	if m.distributed {
		most = maxDistributed
	}
	n := int64(m.concurrency.value)
	if m.concurrency.path != nil {
		var err error
		if n, err = f.intAt("MaxConcurrencyPath", m.concurrency.path, data); err != nil {
			return 0, err
		}
		if n < 0 {
			return 0, f.runtime("MaxConcurrency cannot be negative.")
		}
	}
	if n == 0 || n > int64(most) {
		return most, nil
	}
	return int(n), nil
}

// tolerance is how many iterations of a map run may fail.
type tolerance struct {
	count, percent     float64
	byCount, byPercent bool // which of them is given
}

// allows reports whether so many of all may have failed: either threshold, when
// exceeded, fails the run; without one, none may fail.
func (t *tolerance) allows(failed, total int) bool {
	if !t.byCount && !t.byPercent {
		return failed == 0
	}
	return (!t.byCount || float64(failed) <= t.count) && (!t.byPercent || float64(failed)*100 <= t.percent*float64(total))
}

// tolerance reads the thresholds of a Map.
func (f *frame) tolerance(m *mapSpec, data any) (tolerance, error) {
	t := tolerance{count: m.failCount.value, percent: m.failPercent.value, byCount: m.failCount.set, byPercent: m.failPercent.set}
	if p := m.failCount.path; p != nil {
		n, err := f.intAt("ToleratedFailureCountPath", p, data)
		if err != nil {
			return t, err
		}
		t.count = float64(n)
	}
	if p := m.failPercent.path; p != nil {
		v, err := f.scope(data).Find(p)
		if err != nil {
			return t, f.wrong(err)
		}
		n, ok := value.Float(v)
		if !ok {
			return t, f.runtime("The ToleratedFailurePercentagePath field refers to value %s which is not a valid float: %s", quotedText(v), p)
		}
		t.percent = n
	}
	if t.count < 0 {
		return t, f.runtime("ToleratedFailureCount cannot be negative.")
	}
	if t.percent < 0 || t.percent > 100 {
		return t, f.runtime("ToleratedFailurePercentage must be between 0 and 100.")
	}
	return t, nil
}

// intAt reads a whole number from a path.
func (f *frame) intAt(field string, p *jsonpath.Path, data any) (int64, error) {
	v, err := f.scope(data).Find(p)
	if err != nil {
		return 0, f.wrong(err)
	}
	n, ok := v.(int64)
	if !ok {
		return 0, f.runtime("The %s field refers to value %s which is not a valid integer: %s", field, quotedText(v), p)
	}
	return n, nil
}
