// Package nearest finds the known name that an unknown one was probably meant to
// be, for error messages.
package nearest

import (
	"strconv"
	"strings"
)

// More than this is not worth the time of an error message: names may come from
// a request or a file.
const (
	maxNames = 4096
	maxLen   = 64
)

// Hint returns ` (did you mean "…"?)` with the name that is nearest to s, the
// first of them if several are, or nothing if none is near. Case does not count.
func Hint(s string, names []string) string {
	if len(s) > maxLen || len(names) > maxNames {
		return ""
	}
	s = strings.ToLower(s)
	best, least := "", len(s)/3+2
	for _, name := range names {
		if len(name) > maxLen {
			continue
		}
		if d := distance(s, strings.ToLower(name)); d < least {
			best, least = name, d
		}
	}
	if best == "" {
		return ""
	}
	return " (did you mean " + strconv.Quote(best) + "?)"
}

// distance returns the number of bytes to insert, delete or replace to get from
// a to b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d++
			}
			diagonal = row[j+1]
			row[j+1] = min(d, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
