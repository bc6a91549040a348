package predict

import (
	"fmt"
	"math"
	"slices"
)

// Refused says why the trainer would refuse x as a value of f, or "" if it would
// not.
func (f *Feature) Refused(x float64) string {
	switch {
	case x != x:
		if f.RefusesMissing {
			return "the model takes no missing value here"
		}
		return ""
	case f.RefusesInfinite && math.IsInf(x, 0):
		return "the model takes no infinite value here"
	case f.RefusesTooLarge && math.IsInf(float64(float32(x)), 0):
		return "the value is beyond the range of float32, in which the model compares"
	case f.RefusesNoCode && !f.isCode(x):
		return fmt.Sprintf("%v is not the code of one of the %d categories", x, len(f.Categories))
	case len(f.Accepts) > 0:
		if _, ok := slices.BinarySearch(f.Accepts, x); !ok {
			return fmt.Sprintf("%v is not one of the %d values that the model was trained with", x, len(f.Accepts))
		}
	}
	return ""
}

// Takes reports, at once, that x is a number that nothing of f could refuse; most are.
func (f *Feature) Takes(x float64) bool {
	return math.Abs(x) <= math.MaxFloat32 && len(f.Accepts) == 0 && !f.RefusesNoCode
}

// Refuses reports whether there are values that the trainer would refuse.
func (f *Feature) Refuses() bool {
	return f.RefusesMissing || f.RefusesInfinite || f.RefusesTooLarge || f.RefusesNoCode || len(f.Accepts) > 0
}

// isCode reports whether x is the code of a category, or −1 where any text is allowed.
func (f *Feature) isCode(x float64) bool {
	low := 0.0
	if f.Open {
		low = -1
	}
	return x >= low && x < float64(len(f.Categories)) && x == math.Trunc(x)
}
