package bench

import "math"

// compare returns the number of rows in which any bit of got differs from want,
// the reference, and the largest difference between two margins, or predictions of
// an engine that gives no margins. One NaN is as good as another. What got does not
// give is not compared.
func compare(want, got Outputs, rows int) (differ int, maxDiff float64) {
	for i := range rows {
		if got.Margin != nil && !equalBits(row(want.Margin, rows, i), row(got.Margin, rows, i)) ||
			got.Predict != nil && !equalBits(row(want.Predict, rows, i), row(got.Predict, rows, i)) ||
			got.Leaf != nil && !equal(row(want.Leaf, rows, i), row(got.Leaf, rows, i)) {
			differ++
		}
	}
	w, g := want.Margin, got.Margin
	if g == nil {
		w, g = want.Predict, got.Predict
	}
	for i := range g {
		maxDiff = max(maxDiff, difference(w[i], g[i]))
	}
	return differ, maxDiff
}

// row returns row i of values, which holds as many rows as told.
func row[T any](values []T, rows, i int) []T {
	width := len(values) / rows
	return values[i*width : (i+1)*width]
}

func equalBits(a, b []float32) bool {
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) && (a[i] == a[i] || b[i] == b[i]) {
			return false
		}
	}
	return true
}

func equal(a, b []int32) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// difference returns |a−b|, and the largest number if one of them is an infinity
// or NaN that the other is not: a record in JSON holds no infinity.
func difference(a, b float32) float64 {
	d := math.Abs(float64(a) - float64(b))
	switch {
	case equalBits([]float32{a}, []float32{b}):
		return 0
	case math.IsNaN(d) || math.IsInf(d, 0):
		return math.MaxFloat64
	default:
		return d
	}
}
