package blob

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Longest keys and segments, in bytes. S3 takes keys of 1,024 bytes ("Naming
// Amazon S3 objects"); a file name may have 255 on the usual file systems.
const (
	MaxKey     = 1024
	MaxSegment = 255
)

// ValidKey returns an error for a key that some store could not keep, or could
// keep only by leaving its root: a key is one or more segments joined with
// "/", each of letters, digits and "-_.=+@:" and none of them starting with a dot.
func ValidKey(key string) error {
	if key == "" {
		return fmt.Errorf("object key is empty")
	}
	if len(key) > MaxKey {
		return fmt.Errorf("object key of %d bytes is longer than %d", len(key), MaxKey)
	}
	for seg := range strings.SplitSeq(key, "/") {
		switch {
		case seg == "":
			return fmt.Errorf("object key %q has an empty segment", key)
		case seg[0] == '.':
			return fmt.Errorf("object key %q has a segment that starts with a dot", key)
		case len(seg) > MaxSegment:
			return fmt.Errorf("object key %q has a segment of %d bytes, longer than %d", key, len(seg), MaxSegment)
		}
		for i := range len(seg) {
			if !keyByte(seg[i]) {
				return fmt.Errorf("object key %q holds %q. allowed are -_.=+@: and letters and digits", key, seg[i])
			}
		}
	}
	return nil
}

func keyByte(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	}
	return strings.IndexByte("-_.=+@:", c) >= 0
}

// Segment makes any text, such as a stack's name or a path, one segment of a
// key. Text that needs no change stays as it is; other text keeps its readable
// part and gets a hash, so that two texts never share a segment.
func Segment(text string) string {
	const readable = 80
	clean := strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && r != ':' && keyByte(byte(r)) {
			return r
		}
		return '-'
	}, text)
	clean = strings.Trim(clean, "-.")
	if clean == text && len(clean) <= readable && clean != "" {
		return clean
	}
	if len(clean) > readable {
		clean = strings.Trim(clean[len(clean)-readable:], "-.")
	}
	sum := sha256.Sum256([]byte(text))
	return strings.TrimPrefix(clean+"-"+hex.EncodeToString(sum[:5]), "-")
}
