package engine

import (
	"fmt"

	"plumbline/asl/value"
)

func (fl *jsonpathFlow) limits(f *frame, effective any) (timeout, heartbeat int64, err error) {
	if fl.timeout.set {
		if timeout, err = f.wholeNumber("TimeoutSeconds", fl.timeout, effective); err != nil {
			return 0, 0, err
		}
	}
	if fl.beat.set {
		heartbeat, err = f.wholeNumber("HeartbeatSeconds", fl.beat, effective)
	}
	return timeout, heartbeat, err
}

// wholeNumber reads a positive number of seconds.
func (f *frame) wholeNumber(field string, n numberField, data any) (int64, error) {
	if n.path == nil {
		return int64(n.value), nil
	}
	v, err := f.scope(data).Find(n.path)
	if err != nil {
		return 0, f.wrong(err)
	}
	i, ok := value.Int(v)
	if !ok {
		return 0, f.runtime("The %sPath field refers to value %s which is not a valid integer: %s", field, quotedText(v), n.path)
	}
	if i <= 0 || i > maxSeconds {
		return 0, f.runtime("The %sPath field refers to value \"%d\", which is not between 1 and %d: %s", field, i, maxSeconds, n.path)
	}
	return i, nil
}

// quotedText is v as AWS quotes it: "{}" and "text" alike.
func quotedText(v any) string { return fmt.Sprintf(`"%s"`, bare(v)) }

// bare is v as AWS puts it into messages: strings without quotes.
func bare(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return value.Text(v)
}
