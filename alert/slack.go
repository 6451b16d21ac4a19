package alert

import (
	"encoding/json"
	"fmt"
	"strings"

	"plumbline/scan"
)

// Limits of Block Kit, in characters. Source: Slack API, "Reference: blocks",
// header (150) and the text of a message (40,000; shorter reads better).
const (
	maxHeader   = 150
	maxFallback = 300
	maxRich     = 20 // violations; Slack folds what is longer
)

// Slack is a message as the body of a Slack incoming webhook. Foreign text
// stands in rich text elements only, in which Slack reads no markup; the line
// for notifications, which is read as markup, is escaped and has markup turned off.
func Slack(n scan.Notice) ([]byte, error) {
	type object = map[string]any
	words := func(s string) object { return object{"type": "text", "text": s} }
	bold := func(s string) object { return object{"type": "text", "text": s, "style": object{"bold": true}} }
	section := func(parts ...any) object { return object{"type": "rich_text_section", "elements": parts} }

	head := text(n.Subject, maxHeader)
	var rich []any
	items := func(title string, list []scan.Item, all int) {
		if all == 0 {
			return
		}
		rich = append(rich, section(bold(title)))
		shown := list[:min(len(list), maxRich)]
		var lines []any
		for _, it := range shown {
			lines = append(lines, section(words(line(n, it))))
		}
		if more := all - len(shown); more > 0 {
			lines = append(lines, section(words(fmt.Sprintf("and %d more", more))))
		}
		rich = append(rich, object{"type": "rich_text_list", "style": "bullet", "elements": lines})
	}
	switch n.Kind {
	default: // its words are all there is
		if body := strings.TrimSpace(multiline(n.Body)); body != "" {
			rich = append(rich, section(words(body)))
		}
	case scan.NoticeFindings, scan.NoticeUpdate, scan.NoticeDigest:
		if n.Audience != "" {
			rich = append(rich, section(words("Owner: "), bold(text(n.Audience, 100))))
		}
		items("New", n.Items, n.Count)
		items("Ended", n.Ended, n.EndedAll)
	}
	foot := "scan " + text(n.ScanID, 100)
	if n.Report != "" {
		foot += ", report " + text(n.Report, 500)
	}
	rich = append(rich, section(words(foot)))
	return json.Marshal(object{
		"text": mrkdwn(text(n.Subject, maxFallback)), "mrkdwn": false, "unfurl_links": false, "unfurl_media": false,
		"blocks": []any{
			object{"type": "header", "text": object{"type": "plain_text", "text": head, "emoji": false}},
			object{"type": "rich_text", "elements": rich},
		},
	})
}

// mrkdwn escapes the three characters that Slack's markup gives a meaning.
// Source: Slack API, "Formatting text for app surfaces", "Escaping text".
var mrkdwnEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func mrkdwn(s string) string { return mrkdwnEscapes.Replace(s) }
