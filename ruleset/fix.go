package ruleset

import (
	"errors"
	"fmt"
	"strconv"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"plumbline/cfn"
	"plumbline/cfn/schema"
	"plumbline/finding"
)

func (r *Rule) checkFix(typ *schema.Type) error { return nil }

var (
	_ = errors.New
	_ = fmt.Sprint
	_ = strconv.Itoa
	_ ref.Val
	_ traits.Lister
	_ = types.True
	_ cfn.Value
	_ finding.Finding
)
