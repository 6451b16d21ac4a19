package asl

import "strings"

// textWidth is about how wide the text is in a sans-serif font of this size,
// in pixels: there are no fonts to measure with, so widths of Helvetica's
// classes of letters are used, rounded up.
func textWidth(s string, size float64) float64 {
	w := 0.0
	for _, r := range s {
		switch {
		case strings.ContainsRune("iljtfrI.,:;'|!()[]/ ", r):
			w += 0.34
		case strings.ContainsRune("mwMW@%…—", r):
			w += 0.9
		case 'A' <= r && r <= 'Z', r == '&', r == '#', r == '=', r == '<', r == '>':
			w += 0.7
		case r > 0x2E80: // ideographs are square
			w += 1
		default:
			w += 0.57
		}
	}
	return w * size
}

// wrap breaks the text into lines of about this many characters, at spaces
// where it can; from the last line on it ends with an ellipsis.
func wrap(text string, width, lines int) []string {
	var out []string
	for para := range strings.SplitSeq(text, "\n") {
		line := ""
		for word := range strings.FieldsSeq(para) {
			for len([]rune(word)) > width {
				if line != "" {
					out, line = append(out, line), ""
				}
				r := []rune(word)
				out, word = append(out, string(r[:width])), string(r[width:])
			}
			switch {
			case line == "":
				line = word
			case len([]rune(line))+1+len([]rune(word)) <= width:
				line += " " + word
			default:
				out, line = append(out, line), word
			}
		}
		if line != "" {
			out = append(out, line)
		}
	}
	if len(out) > lines {
		out = out[:lines]
		out[lines-1] = strings.TrimSuffix(out[lines-1], "…") + "…"
	}
	return out
}

// shorten cuts the text to this many characters.
func shorten(text string, width int) string {
	if r := []rune(text); len(r) > width {
		return string(r[:width-1]) + "…"
	}
	return text
}
