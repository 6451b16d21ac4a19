package change

import (
	"encoding/json"

	"plumbline/ledger"
)

// Standing is how a plan stands by its story, in a word or two; "" where nothing
// was asked or done yet.
func (s *Story) Standing() string {
	switch {
	case s.Ended != nil:
		return string(s.Ended.Outcome)
	case s.GivenUp:
		return "given up"
	case s.Started:
		return "begun"
	case s.WasDenied:
		return "denied"
	case s.WasAccepted:
		return "accepted"
	case !s.Expired.IsZero():
		return "expired"
	case !s.Asked.IsZero():
		return "asked"
	}
	return ""
}

// Words say what an entry of the ledger records.
func Words(e ledger.Entry) string {
	words := string(e.Kind)
	switch e.Kind {
	case ledger.Decided:
		var d struct {
			Approve, Accept bool
			Reason, Until   string
		}
		if json.Unmarshal(e.Detail, &d) != nil {
			break
		}
		switch {
		case d.Accept:
			words = "accepted until " + d.Until
		case d.Approve:
			words = "approved"
		default:
			words = "denied"
		}
		if d.Reason != "" {
			words += ": " + d.Reason
		}
	case ledger.Started, ledger.Applied, ledger.Verified, ledger.Undone, ledger.Failed:
		var n Note
		if json.Unmarshal(e.Detail, &n) == nil && n.Reason != "" {
			words += ": " + n.Reason
		}
	}
	return words
}
