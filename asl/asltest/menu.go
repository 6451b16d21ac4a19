package asltest

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"plumbline/asl"
)

// Menu is what an Exploration lets go wrong with one call of a task state,
// without the site. Errors that the state's Retry and Catch treat alike count
// as one: of each such class there is one, and one that nothing in the
// definition names. child says that the call starts a machine of the engine.
func Menu(s *asl.State, child bool) []Fault {
	service, _, _, integrated := asl.Integration(s.Resource)
	throttle := throttled(service, integrated)
	var out []Fault
	add := func(kind Kind, name string, after time.Duration) {
		out = append(out, Fault{Kind: kind, Error: name, After: after})
	}
	for _, name := range classes(s, throttle) {
		if name == throttle {
			add(Throttle, "", 0)
		} else {
			add(NamedError, name, 0)
		}
		add(Crash, name, 0)
	}
	unforeseen := "Runtime.ExitError" // how Lambda calls a process that died
	if service != "lambda" {
		unforeseen = "States.TaskFailed"
	}
	add(NamedError, unforeseen, 0)
	add(Crash, unforeseen, 0)
	add(TimeOut, "", 0)
	add(Duplicate, "", 0)
	limit := secondsOf(s.TimeoutSeconds)
	if limit > 2*time.Second && !child {
		add(Slow, "", limit-time.Second)
		add(Late, "", limit+time.Second)
	}
	if limit > 0 {
		add(Slow, "", limit+time.Second)
	}
	if s.Callback() {
		if s.Has("HeartbeatSeconds") {
			add(LostHeartbeat, "", 0)
		}
		add(LostCallback, "", 0)
	}
	return out
}

// classes has one name for each entry of Retry, and of Catch where no retry has
// it, that names errors of its own; the first is the service's throttling.
func classes(s *asl.State, throttle string) []string {
	out, seen := []string{throttle}, []string{}
	class := func(names []string) {
		fresh := slices.DeleteFunc(slices.Clone(names), func(n string) bool {
			return strings.HasPrefix(n, "States.") || slices.Contains(seen, n)
		})
		seen = append(seen, fresh...)
		if len(fresh) > 0 && !slices.Contains(fresh, throttle) {
			out = append(out, fresh[0])
		}
	}
	for _, r := range s.Retry {
		class(r.ErrorEquals)
	}
	for _, c := range s.Catch {
		class(c.ErrorEquals)
	}
	return out
}

// secondsOf is a limit that stands in the definition as a number, else 0.
func secondsOf(raw json.RawMessage) time.Duration {
	var n float64
	if json.Unmarshal(raw, &n) != nil || n > 1e8 {
		return 0
	}
	return time.Duration(n * float64(time.Second))
}
