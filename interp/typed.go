package interp

import (
	"hew/ir"
	"hew/predict"
)

// Typed evaluates an ensemble for values of the types that it names: features of
// type Input, results of type Sum. Its methods are those of a predict.Predictor.
type Typed struct{ m *Engine }

// Typed returns m for values of the ensemble's own types.
func (m *Engine) Typed() Typed { return Typed{m} }

// float32s reports whether the ensemble has the short way: float32 throughout.
func (t Typed) float32s() bool {
	return t.m.e.Input == ir.Single && t.m.e.Sum == ir.Single && len(t.m.e.Answers) == 0
}

// Margin writes rows × outputs sums before the link.
func (t Typed) Margin(dst, x predict.Values) {
	if t.float32s() {
		t.m.Margin(predict.SliceOf[float32](dst), predict.SliceOf[float32](x))
		return
	}
	wide(dst, func(out []float64) { t.m.Margin64(out, x.Float64s()) })
}

// MarginFrom is Margin with base margins given for each row.
func (t Typed) MarginFrom(dst, x, base predict.Values) {
	if t.float32s() {
		t.m.MarginFrom(predict.SliceOf[float32](dst), predict.SliceOf[float32](x), predict.SliceOf[float32](base))
		return
	}
	wide(dst, func(out []float64) { t.m.MarginFrom64(out, x.Float64s(), base.Float64s()) })
}

// Predict writes, for each row, the values of the link or of the first answer.
func (t Typed) Predict(dst, x predict.Values) {
	margins := predict.MakeValues(dst.Type(), x.Len()/len(t.m.e.Features)*t.m.e.Outputs)
	t.Margin(margins, x)
	t.Answer(0, dst, margins, x)
}

// Answer writes answer i of rows whose margins are known, or what the link makes of
// them if there are no answers. x may be empty unless a stage needs the row.
func (t Typed) Answer(i int, dst, margins, x predict.Values) {
	if t.m.e.Sum == ir.Single && len(t.m.e.Answers) == 0 {
		t.m.transform(predict.SliceOf[float32](dst), predict.SliceOf[float32](margins))
		return
	}
	wide(dst, func(out []float64) { t.m.Answer64(i, out, margins.Float64s(), x.Float64s()) })
}

// Leaf writes rows × trees numbers of leaves.
func (t Typed) Leaf(dst []int32, x predict.Values) {
	if x.F64 != nil {
		t.m.Leaf64(dst, x.F64)
	} else {
		leaves(t.m, dst, x.F32)
	}
}

// wide calls f with float64 memory for dst.
func wide(dst predict.Values, f func(out []float64)) {
	if dst.F64 != nil {
		f(dst.F64)
		return
	}
	out := make([]float64, len(dst.F32))
	f(out)
	for i, v := range out {
		dst.F32[i] = float32(v)
	}
}
