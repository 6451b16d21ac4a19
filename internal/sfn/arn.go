package sfn

import (
	"strings"
	"unicode/utf8"
)

// Limits of what a client may send. Source: Step Functions API reference and
// quotas.
const (
	maxName       = 80
	maxARN        = 256
	maxLongARN    = 2000
	maxPayload    = 262_144   // bytes of input and output
	maxDefinition = 1_048_576 // characters
	maxRequest    = 4 << 20   // bytes: a definition whose every second byte is escaped, and the rest
	maxToken      = 2048
	maxError      = 256
	maxCause      = 32_768
	maxPage       = 1000
	defaultPage   = 100
	maxTags       = 50
)

// The kinds of resources in ARNs.
const (
	kindMachine   = "stateMachine"
	kindExecution = "execution"
	kindExpress   = "express"
	kindActivity  = "activity"
	kindMapRun    = "mapRun"
)

// arnParts splits arn:aws:states:REGION:ACCOUNT:KIND:REST.
func arnParts(arn string) (kind, rest string, ok bool) {
	parts := strings.SplitN(arn, ":", 7)
	if len(parts) < 7 || parts[0] != "arn" || parts[2] != "states" || parts[6] == "" {
		return "", "", false
	}
	return parts[5], parts[6], true
}

// arnOf checks that arn names a resource of one of these kinds.
func arnOf(arn string, kinds ...string) error {
	kind, _, ok := arnParts(arn)
	if !ok {
		return invalidARN(arn)
	}
	for _, k := range kinds {
		if k == kind {
			return nil
		}
	}
	return wrongKind(strings.ToLower(kind))
}

// checkName refuses what AWS refuses in names of machines, activities and
// executions. Source: CreateStateMachine in the API reference.
func checkName(name string) error {
	if name == "" || utf8.RuneCountInString(name) > maxName || !utf8.ValidString(name) {
		return faultf("InvalidName", "Invalid Name: '%s'", name)
	}
	for _, r := range name {
		if r <= ' ' || r >= 0x7f && r <= 0x9f || strings.ContainsRune("<>{}[]?*\"#%\\^|~`$&,;:/", r) || r > 0xffff {
			return faultf("InvalidName", "Invalid Name: '%s'", name)
		}
	}
	return nil
}

func (s *Server) arn(kind, name string) string {
	return "arn:aws:states:" + s.config.Region + ":" + s.config.Account + ":" + kind + ":" + name
}
