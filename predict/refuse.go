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
	case len(f.Accepts) > 0:
		if _, ok := slices.BinarySearch(f.Accepts, x); !ok {
			return fmt.Sprintf("%v is not one of the %d values that the model was trained with", x, len(f.Accepts))
		}
	}
	return ""
}
