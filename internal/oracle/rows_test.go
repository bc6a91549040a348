//go:build oracle

package oracle_test

import (
	"math"
	"math/rand/v2"
)

// oneInfinity replaces -∞ in the rows of x that hold +∞ too, which answer.py
// cannot give to XGBoost.
func oneInfinity(x []float32, width int) []float32 {
	for i := 0; i < len(x); i += width {
		row := x[i : i+width]
		high := false
		for _, v := range row {
			high = high || v > math.MaxFloat32
		}
		for j, v := range row {
			if high && v < -math.MaxFloat32 {
				row[j] = -math.MaxFloat32
			}
		}
	}
	return x
}

// baseMargins returns margins that walk the links, their ends included.
func baseMargins(n int, seed uint64) []float32 {
	special := []float32{0, float32(math.Copysign(0, -1)), 88.7, -88.7, 88.8, -88.8, 104, -104, 1e30, -1e30, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}
	r := rand.New(rand.NewPCG(seed, 2))
	base := make([]float32, n)
	for i := range base {
		switch r.IntN(8) {
		case 0:
			base[i] = special[r.IntN(len(special))]
		case 1, 2, 3:
			base[i] = float32(r.NormFloat64() * 40)
		default:
			base[i] = float32(r.NormFloat64())
		}
	}
	return base
}
