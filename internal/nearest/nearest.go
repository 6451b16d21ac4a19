// Package nearest finds the word that somebody who misspelt one most likely
// meant, for the suggestions in error messages. Pure functions.
package nearest

import (
	"bytes"
	"iter"
	"slices"
)

// Of returns the word closest to got, "" where none is close enough to be a
// misspelling of it. Case, "-", "_" and spaces weigh nothing: "requird-tags"
// finds "requiredTags". A word that got begins, from three letters on, counts as
// one letter away. Of equally close words the first wins.
func Of(got string, words []string) string { return In(got, slices.Values(words)) }

// In is Of over a sequence.
func In(got string, words iter.Seq[string]) string {
	g := fold(nil, got)
	best, bestDistance := "", max(len(g)/3, min(len(g)-1, 2))+1 // up to a third of the letters may be wrong
	var rows [3][]int
	var f []byte // of each word in turn
	for w := range words {
		f = fold(f[:0], w)
		if len(g) >= 3 && bestDistance > 1 && len(f) > len(g) && bytes.HasPrefix(f, g) {
			best, bestDistance = w, 1
			continue
		}
		if d := len(f) - len(g); d >= bestDistance || -d >= bestDistance {
			continue
		}
		if d := distance(g, f, bestDistance, &rows); d < bestDistance {
			best, bestDistance = w, d
		}
	}
	return best
}

// fold appends a word without what weighs nothing.
func fold(b []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '-' || c == '_' || c == ' ':
		case 'A' <= c && c <= 'Z':
			b = append(b, c+'a'-'A')
		default:
			b = append(b, c)
		}
	}
	return b
}

// Distance is the number of bytes to insert, delete, replace or swap with
// their neighbour to make b of a.
func Distance(a, b string) int {
	var rows [3][]int
	return distance([]byte(a), []byte(b), len(a)+len(b)+1, &rows)
}

// distance is Distance, or any number from limit on where it is not below. rows
// are scratch for it.
func distance(a, b []byte, limit int, rows *[3][]int) int {
	// What both begin and end with costs nothing.
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	for i := range rows {
		rows[i] = slices.Grow(rows[i][:0], len(b)+1)[:len(b)+1]
	}
	before, last, row := rows[0], rows[1], rows[2]
	for j := range last {
		last[j] = j
	}
	least := 0 // of the row before
	for i := 1; i <= len(a); i++ {
		row[0] = i
		lowest := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			lowest = min(lowest, row[j])
		}
		// A swap reaches back two rows, so both must be past the limit.
		if lowest >= limit && least >= limit {
			return limit
		}
		least = lowest
		before, last, row = last, row, before
	}
	return last[len(b)]
}
