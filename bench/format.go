package bench

import (
	"fmt"
	"math"
	"strconv"
)

// Nanos returns a number of nanoseconds as tables show it.
func Nanos(ns float64) string {
	if ns < 100 {
		return strconv.FormatFloat(ns, 'f', 1, 64)
	}
	return Group(int(ns + 0.5))
}

// Millis returns a number of milliseconds as tables show it.
func Millis(ms float64) string {
	if ms < 10 {
		return strconv.FormatFloat(ms, 'f', 2, 64)
	}
	return strconv.FormatFloat(ms, 'f', 1, 64)
}

// Megabytes returns n bytes as tables show them.
func Megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// Times returns a ratio as tables show it, and a dash for NaN.
func Times(ratio float64) string {
	switch {
	case math.IsNaN(ratio):
		return "–"
	case ratio >= 100:
		return fmt.Sprintf("%.0f×", ratio)
	case ratio >= 10:
		return fmt.Sprintf("%.1f×", ratio)
	case ratio >= 0.1:
		return fmt.Sprintf("%.2f×", ratio)
	default:
		return fmt.Sprintf("%.2g×", ratio)
	}
}

// Group returns n with commas between groups of three digits.
func Group(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
