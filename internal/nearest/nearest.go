// Package nearest finds the word that somebody who misspelt one most likely
// meant, for the suggestions in error messages. Pure functions.
package nearest

import (
	"iter"
	"slices"
	"strings"
)

// Of returns the word closest to got, "" where none is close enough to be a
// misspelling of it. Case, "-", "_" and spaces weigh nothing: "requird-tags"
// finds "requiredTags". A word that got begins, from three letters on, counts as
// one letter away. Of equally close words the first wins.
func Of(got string, words []string) string { return In(got, slices.Values(words)) }

// In is Of over a sequence.
func In(got string, words iter.Seq[string]) string {
	g := fold(got)
	best, bestDistance := "", max(len(g)/3, min(len(g)-1, 2))+1 // up to a third of the letters may be wrong
	for w := range words {
		f := fold(w)
		if len(g) >= 3 && strings.HasPrefix(f, g) && f != g && bestDistance > 1 {
			best, bestDistance = w, 1
			continue
		}
		if d := len(f) - len(g); d >= bestDistance || -d >= bestDistance {
			continue
		}
		if d := Distance(g, f); d < bestDistance {
			best, bestDistance = w, d
		}
	}
	return best
}

func fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '-' || r == '_' || r == ' ':
			return -1
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// Distance is the number of bytes to insert, delete, replace or swap with
// their neighbour to make b of a.
func Distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
