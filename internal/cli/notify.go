package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"plumbline/alert"
	"plumbline/internal/local"
	"plumbline/internal/report"
	"plumbline/internal/webhook"
	"plumbline/scan"
)

func newNotify(s *Streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "notify",
		Short: "Preview alerts, and deliver them to Slack, Jira, ServiceNow and webhooks",
		Args:  noSubcommand,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newPreview(s), newDeliver(s))
	return c
}

// channels that preview knows: mail, and those of package alert.
var previews = []string{"mail", "slack", "jira", "servicenow", "webhook"}

func newPreview(s *Streams) *cobra.Command {
	var data, channel, scanID string
	var f judgeFlags
	c := &cobra.Command{
		Use:   "preview {--data DIR | PATH…}",
		Short: "Show what would be sent, as each channel gets it",
		Long: `Show the messages of the last scan in a data folder, or those that a first scan
of templates would make, as each channel gets them. Nothing is sent.`,
		Example: `  plumbline notify preview --data .plumbline
  plumbline notify preview cdk.out --channel slack`,
		RunE: func(c *cobra.Command, paths []string) error {
			if (data == "") == (len(paths) == 0) {
				return usagef("give --data DIR, or templates, and not both")
			}
			if channel != "" {
				if err := oneOf("--channel", channel, previews); err != nil {
					return err
				}
			}
			notices, err := previewed(c.Context(), s, &f, data, scanID, paths)
			if err != nil {
				return err
			}
			if len(notices) == 0 {
				fmt.Fprintln(s.Err, "plumbline: nothing would be sent: nothing is new, back or ended")
			}
			for _, n := range notices {
				if err := preview(s, n, channel); err != nil {
					return err
				}
			}
			return nil
		},
	}
	f.register(c)
	c.Flags().StringVar(&data, "data", "", "the `DIR` that scans were kept in")
	c.Flags().StringVar(&channel, "channel", "", "for this `CHANNEL` alone: mail, slack, jira, servicenow or webhook")
	c.Flags().StringVar(&scanID, "scan", "", "the scan of this `ID` rather than the last")
	complete(c, "channel", previews)
	return c
}

// previewed are the messages to show.
func previewed(ctx context.Context, s *Streams, f *judgeFlags, data, scanID string, paths []string) ([]scan.Notice, error) {
	if data == "" {
		j, err := f.open(s)
		if err != nil {
			return nil, err
		}
		if data, err = os.MkdirTemp("", "plumbline"); err != nil {
			return nil, err
		}
		defer func() { _ = os.RemoveAll(data) }()
		if _, err := j.scan(ctx, s, paths, scanRequest{data: data}); err != nil {
			return nil, err
		}
	} else if _, err := local.ReadHistory(ctx, data); err != nil {
		return nil, usageError{err}
	}
	all, err := local.Notices(data)
	if err != nil {
		return nil, usageError{err}
	}
	if scanID == "" && len(all) > 0 {
		scanID = all[len(all)-1].ScanID
	}
	var out []scan.Notice
	for _, n := range all {
		if n.ScanID == scanID {
			out = append(out, n)
		}
	}
	if len(out) == 0 && len(all) > 0 {
		return nil, usagef("--scan %q: no message of it is kept. plumbline history --data %s lists the scans", scanID, data)
	}
	return out, nil
}

// preview shows a message for the channels that it is for.
func preview(s *Streams, n scan.Notice, only string) error {
	for _, name := range previews {
		if only != "" && only != name || name == "mail" && !alert.Told(n) || name != "mail" && !(alert.Channel{Kind: alert.Kind(name)}).Takes(n) {
			continue
		}
		fmt.Fprintf(s.Out, "--- %s: %s\n", name, report.Plain(n.ID))
		var doc any
		switch alert.Kind(name) {
		case alert.KindSlack:
			b, err := alert.Slack(n)
			if err != nil {
				return err
			}
			doc = json.RawMessage(b)
		case alert.KindWebhook:
			b, err := alert.Webhook(n)
			if err != nil {
				return err
			}
			doc = json.RawMessage(b)
		case alert.KindJira:
			doc = alert.Jira(n)
		case alert.KindServiceNow:
			doc = alert.ServiceNow(n)
		default:
			fmt.Fprintf(s.Out, "Subject: %s\n\n%s\n", n.Subject, n.Body)
			continue
		}
		b, err := json.Marshal(doc)
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := json.Indent(&out, b, "", "  "); err != nil {
			return err
		}
		fmt.Fprintln(s.Out, out.String())
	}
	return nil
}

func newDeliver(s *Streams) *cobra.Command {
	var data, channel string
	c := &cobra.Command{
		Use:   "deliver --data DIR --channel NAME=KIND:SECRET",
		Short: "Deliver the messages of a data folder that a channel has not had yet",
		Long: `Deliver the messages of a data folder to a channel, in their order, and remember
which it has had. What is not taken is tried again by the next call; what is
refused for good is put aside in undelivered.jsonl.

SECRET is a file with the JSON that docs/alerts.md describes, or env:NAME for the
variable of that name. Allowed KINDs are slack, jira, servicenow and webhook.

The exit code is 3 where a message was not taken.`,
		Example: `  plumbline notify deliver --data .plumbline --channel tickets=jira:jira.json
  plumbline notify deliver --data .plumbline --channel chat=slack:env:SLACK`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if data == "" {
				return usagef("deliver needs --data DIR, the folder that \"plumbline scan --data DIR\" wrote to")
			}
			if _, err := local.ReadHistory(c.Context(), data); err != nil {
				return usageError{err}
			}
			ch, sender, err := openChannel(channel, s.Env)
			if err != nil {
				return usageError{err}
			}
			done, err := local.Deliver(c.Context(), data, ch, sender, func(d alert.Delivery, err error) {
				fmt.Fprintf(s.Err, "plumbline: %s: %s\n", report.Plain(d.Notice.ID), report.Plain(err.Error()))
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(s.Out, "%s delivered to %s, %d not taken, %d refused\n", count(done.Sent, "message"), ch.Name, done.Waiting, done.Refused)
			if done.Waiting+done.Refused > 0 {
				return exit(ExitUnjudged)
			}
			return nil
		},
	}
	c.Flags().StringVar(&data, "data", "", "the `DIR` that scans were kept in")
	c.Flags().StringVar(&channel, "channel", "", "where to, `NAME=KIND:SECRET`")
	return c
}

// openChannel reads NAME=KIND:SECRET.
func openChannel(text string, env func(string) string) (alert.Channel, *webhook.Sender, error) {
	name, rest, named := strings.Cut(text, "=")
	kind, from, kinded := strings.Cut(rest, ":")
	if !named || !kinded || name == "" || from == "" {
		return alert.Channel{}, nil, fmt.Errorf("--channel %q: write NAME=KIND:SECRET, such as tickets=jira:jira.json", text)
	}
	b, err := local.SecretFile(from, env)
	if err != nil {
		return alert.Channel{}, nil, fmt.Errorf("--channel %s: %w", name, err)
	}
	var secret webhook.Secret
	if json.Unmarshal(b, &secret) != nil { // its error quotes what it read
		return alert.Channel{}, nil, fmt.Errorf("--channel %s: %w", name, errors.New("the secret is not the JSON that docs/alerts.md describes"))
	}
	sender, err := webhook.New(alert.Kind(kind), secret, time.Now)
	if err != nil {
		return alert.Channel{}, nil, fmt.Errorf("--channel %s: %w", name, err)
	}
	return alert.Channel{Name: name, Kind: alert.Kind(kind)}, sender, nil
}
