package bench

import (
	"math"

	"hew/predict"
)

// compare returns the number of rows in which any bit of got differs from want,
// the reference, and the largest difference between two margins, or predictions of
// an engine that gives no margins. One NaN is as good as another. What got does not
// give is not compared.
func compare(want, got Outputs, rows int) (differ int, maxDiff float64) {
	pairs := [][2]predict.Values{{want.Margin, got.Margin}, {want.Predict, got.Predict}}
	for i := range got.Answers {
		pairs = append(pairs, [2]predict.Values{want.Answers[i], got.Answers[i]})
	}
	for i := range rows {
		if got.Leaf != nil && !equal(leaves(want.Leaf, rows, i), leaves(got.Leaf, rows, i)) ||
			!equalRow(pairs, rows, i) {
			differ++
		}
	}
	w, g := want.Margin, got.Margin
	if g.Len() == 0 {
		w, g = want.Predict, got.Predict
	}
	for i := range g.Len() {
		maxDiff = max(maxDiff, difference(w.At(i), g.At(i)))
	}
	return differ, maxDiff
}

// leaves returns the leaf numbers of row i of as many rows as told.
func leaves(values []int32, rows, i int) []int32 {
	width := len(values) / rows
	return values[i*width : (i+1)*width]
}

// equalRow reports whether row i is the same in both of each pair.
func equalRow(pairs [][2]predict.Values, rows, i int) bool {
	for _, p := range pairs {
		width := p[1].Len() / rows // 0 if the engine does not give it
		for k := i * width; k < (i+1)*width; k++ {
			if !equalBits(p[0].At(k), p[1].At(k)) {
				return false
			}
		}
	}
	return true
}

// equalBits reports whether two numbers are the same. Those of float32 have the
// same bits as float64 numbers if and only if they have the same.
func equalBits(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b
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
func difference(a, b float64) float64 {
	d := math.Abs(a - b)
	switch {
	case equalBits(a, b):
		return 0
	case math.IsNaN(d) || math.IsInf(d, 0):
		return math.MaxFloat64
	default:
		return d
	}
}
