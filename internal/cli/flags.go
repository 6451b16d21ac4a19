package cli

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"plumbline/internal/nearest"
)

// flagHint ends pflag's error about a flag with what to do: "did you mean
// --format?" where a name is misspelt, else where the help stands.
func flagHint(c *cobra.Command, err error) string {
	if m := regexp.MustCompile(`unknown flag: --(\S+)`).FindStringSubmatch(err.Error()); m != nil {
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if n := nearest.Of(m[1], names); n != "" {
			return ". did you mean --" + n + "?"
		}
	}
	return fmt.Sprintf(". see %q", c.CommandPath()+" --help")
}

// noArgs refuses arguments of a command that takes none.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no argument, and got %q. see %q", inner(c), args[0], c.CommandPath()+" --help")
	}
	return nil
}

// inner is a command's name as it stands behind "plumbline" in a message.
func inner(c *cobra.Command) string { return strings.TrimPrefix(c.CommandPath(), c.Root().Name()+" ") }
