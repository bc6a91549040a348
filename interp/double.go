package interp

import "hew/ir"

// Margin64 is Margin for every ensemble: x holds values of the input type, dst
// receives values of the type of sums.
func (m *Engine) Margin64(dst, x []float64) {
	m.margins64(dst, x, func(int) []float64 { return m.base64 })
}

// MarginFrom64 is Margin64 with base margins given for each row, rows × outputs
// values, in place of the ensemble's own.
func (m *Engine) MarginFrom64(dst, x, base []float64) {
	m.checkBase(len(dst), len(base))
	k := m.e.Outputs
	m.margins64(dst, x, func(i int) []float64 { return base[i*k : (i+1)*k] })
}

func (m *Engine) margins64(dst, x []float64, base func(i int) []float64) {
	k := m.e.Outputs
	for i := range m.rows(len(x), len(dst), k) {
		out := dst[i*k : (i+1)*k]
		if m.e.Sum == ir.Double {
			margin(m.e, out, row(m.e, x, i), base(i))
			continue
		}
		sums := make([]float32, k)
		margin(m.e, sums, row(m.e, x, i), narrow(base(i)))
		for j, v := range sums {
			out[j] = float64(v)
		}
	}
}

func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

// Leaf64 is Leaf for every ensemble: x holds values of the input type.
func (m *Engine) Leaf64(dst []int32, x []float64) { leaves(m, dst, x) }
