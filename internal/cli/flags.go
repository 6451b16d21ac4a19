package cli

import (
	"regexp"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"plumbline/internal/nearest"
)

// nearFlag adds "did you mean --format?" to pflag's error about an unknown flag.
func nearFlag(c *cobra.Command, err error) string {
	m := regexp.MustCompile(`unknown flag: --(\S+)`).FindStringSubmatch(err.Error())
	if m == nil {
		return ""
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if n := nearest.Of(m[1], names); n != "" {
		return ". did you mean --" + n + "?"
	}
	return ""
}
