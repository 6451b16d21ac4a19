package remedy

import (
	"encoding/json"
	"fmt"
	"strings"

	"plumbline/cfn"
)

// Words is an operation in words: set VersioningConfiguration.Status to "Enabled".
func Words(op cfn.Op) string {
	path := strings.Join(op.Path, ".")
	switch op.Do {
	case cfn.OpRemove:
		return "remove " + path
	case cfn.OpAdd:
		return fmt.Sprintf("add %s to %s", value(op.Value), path)
	}
	return fmt.Sprintf("set %s to %s", path, value(op.Value))
}

func value(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
