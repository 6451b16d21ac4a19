package main

import (
	"errors"
	"io/fs"
	"os"
	"strings"
)

// sections of the page that commands of their own write, in their order there.
var sections = []string{"engines", "servers", "detection"}

// writePage writes a command's text to the page: its own section, or with
// section "" all but the sections, so that no command undoes another's figures.
func writePage(file, section, text string) error {
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(file, []byte(mergePage(string(old), section, text)), 0o644)
}

func mergePage(old, section, text string) string {
	head, kept := old, map[string]string{}
	for _, name := range sections {
		begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->\n"
		at := strings.Index(old, begin)
		if at < 0 {
			continue
		}
		head = head[:min(len(head), at)]
		kept[name], _, _ = strings.Cut(old[at+len(begin):], end)
	}
	if section == "" {
		head = text
	} else {
		kept[section] = text
	}
	var page strings.Builder
	page.WriteString(strings.TrimRight(head, "\n") + "\n")
	for _, name := range sections {
		if body := kept[name]; body != "" {
			page.WriteString("\n<!-- " + name + " -->\n" + strings.TrimRight(body, "\n") + "\n<!-- end of " + name + " -->\n")
		}
	}
	return page.String()
}
