package ir

import (
	"math"
	"sort"
)

// A Set is a set of numbers: the union of the half-open intervals
// [s[0], s[1]), [s[2], s[3]), … in strictly ascending order. If the number of
// bounds is odd, the last interval has no end and includes +Inf. A set whose
// first bound is -Inf includes -Inf. NaN is in no set.
//
// Intervals of numbers rather than a bit per category keep a membership test
// decidable from the rank of the value among the bounds, as a comparison is,
// and give every value an answer: fractions, negative codes and codes beyond the
// largest that training saw.
type Set []float64

// Contains reports whether x is in s.
func (s Set) Contains(x float64) bool {
	if x != x {
		return false
	}
	// The number of bounds ≤ x.
	n := sort.Search(len(s), func(i int) bool { return s[i] > x })
	return n%2 == 1
}

// Complement returns the set of the numbers that are not in s.
func (s Set) Complement() Set {
	if len(s) > 0 && s[0] == math.Inf(-1) {
		return s[1:]
	}
	c := make(Set, 0, len(s)+1)
	return append(append(c, math.Inf(-1)), s...)
}
