package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"plumbline/cfn"
	"plumbline/internal/report"
	"plumbline/remedy/live"
)

func newRemediateStop(s *Streams) *cobra.Command {
	var f remediateFlags
	var reason string
	c := &cobra.Command{
		Use:   "stop --data DIR --reason TEXT",
		Short: "Stop all changes between any two steps, until resume",
		Long: `Stop all changes of a data folder, those that are under way as well: nothing more
is asked of any service. What a service was asked for before it does all the same; how
that ends is recorded and told. Nothing is taken back while changes are stopped.`,
		Example: "  plumbline remediate stop --data .plumbline --reason \"a queue lost messages\"",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if strings.TrimSpace(reason) == "" {
				return usagef("--reason TEXT is missing: people are told why changes are stopped")
			}
			return f.brake(c.Context(), func(ctx context.Context, b live.Brake) error {
				if err := b.Stop(ctx, live.Stop{By: cmp.Or(f.by, osUser(), "somebody"), Reason: strings.TrimSpace(reason), At: time.Now().UTC()}); err != nil {
					return err
				}
				stop, err := b.Stopped(ctx)
				if err == nil && stop != nil {
					fmt.Fprintln(s.Out, report.Plain(stop.String()))
				}
				return err
			})
		},
	}
	f.register(c, false)
	c.Flags().StringVar(&reason, "reason", "", "why, in a sentence that everybody understands")
	c.Flags().StringVar(&f.by, "by", "", "who stops them (default: the user of this machine)")
	return c
}

func newRemediateResume(s *Streams) *cobra.Command {
	var f remediateFlags
	c := &cobra.Command{
		Use:     "resume --data DIR",
		Short:   "Let changes go on after stop",
		Long:    "Let changes begin again. Those that ended as stopped need a new plan.",
		Example: "  plumbline remediate resume --data .plumbline",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return f.brake(c.Context(), func(ctx context.Context, b live.Brake) error {
				stop, err := b.Stopped(ctx)
				if err != nil {
					return err
				}
				if err := b.Resume(ctx); err != nil {
					return err
				}
				if stop == nil {
					fmt.Fprintln(s.Out, "changes were not stopped")
					return nil
				}
				fmt.Fprintln(s.Out, report.Plain("changes go on. "+stop.String()))
				return nil
			})
		},
	}
	f.register(c, false)
	return c
}

// brake opens the data folder, which is made where it does not exist: a stop
// comes before any plan as well.
func (f *remediateFlags) brake(ctx context.Context, do func(context.Context, live.Brake) error) (err error) {
	d, err := f.openData(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return do(ctx, d.Brake())
}

// readTemplate reads the template of the resources' stack.
func readTemplate(path string) (*cfn.Template, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, usageError{fmt.Errorf("--template: %w", err)}
	}
	t, err := cfn.Parse(path, src)
	if err != nil {
		return nil, usageError{fmt.Errorf("--template: %w", err)}
	}
	return t, nil
}
