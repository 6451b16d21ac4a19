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

// tolerance makes the test of how many iterations may fail.
func (f *frame) tolerance(m *mapSpec, data any) (func(failed, total int) bool, error) {
	count, percent := m.failCount.value, m.failPercent.value
	if p := m.failCount.path; p != nil {
		n, err := f.intAt("ToleratedFailureCountPath", p, data)
		if err != nil {
			return nil, err
		}
		count = float64(n)
	}
	if p := m.failPercent.path; p != nil {
		v, err := f.scope(data).Find(p)
		if err != nil {
			return nil, f.wrong(err)
		}
		n, ok := value.Float(v)
		if !ok {
			return nil, f.runtime("The ToleratedFailurePercentagePath field refers to value %s which is not a valid float: %s", quotedText(v), p)
		}
		percent = n
	}
	if count < 0 {
		return nil, f.runtime("ToleratedFailureCount cannot be negative.")
	}
	if percent < 0 || percent > 100 {
		return nil, f.runtime("ToleratedFailurePercentage must be between 0 and 100.")
	}
	byCount, byPercent := m.failCount.set, m.failPercent.set
	return func(failed, total int) bool {
		// Either threshold, when exceeded, fails the run; without one, none may fail.
		if !byCount && !byPercent {
			return failed == 0
		}
		return (!byCount || float64(failed) <= count) && (!byPercent || float64(failed)*100 <= percent*float64(total))
	}, nil
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
