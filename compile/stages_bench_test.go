package compile_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/compile"
	"hew/internal/nodiff"
	"hew/ir"
	"hew/kernel"
	"hew/predict"
)

// BenchmarkStages measures what comes after the margins, for the kinds of models that
// there are most of.
func BenchmarkStages(b *testing.B) {
	divide := ir.Stage{Code: ir.StageDivide, Args: []int32{0}, A: 100}
	for _, c := range []struct {
		name    string
		outputs int
		post    []ir.Stage
	}{
		{"regressor", 1, nil},
		{"forest", 1, []ir.Stage{divide}},
		{"forest-of-3", 3, []ir.Stage{divide}},
		{"label", 3, []ir.Stage{divide, {Code: ir.StageFirst, Args: []int32{1}, Width: 1}}},
		{"boosted-2", 1, []ir.Stage{{Code: ir.StageExpit, Args: []int32{0}, A: 1}, {Code: ir.StageComplement, Args: []int32{1}, Width: 2}}},
		{"boosted-3", 3, []ir.Stage{{Code: ir.StageSoftmax, Args: []int32{0}, A: 1}}},
		{"vote", 3, []ir.Stage{divide, {Code: ir.StageMultiply, Args: []int32{0}, A: 0.01}, {Code: ir.StageMean, Args: []int32{1, 2}, Weights: []float64{1, 2}}}},
	} {
		e := ir.MustParse("1")
		e.Input, e.Sum, e.Outputs, e.BaseMargin = ir.Double, ir.Double, c.outputs, make([]float64, c.outputs)
		for _, s := range c.post {
			if s.Width == 0 {
				s.Width = c.outputs
			}
			e.Post = append(e.Post, s)
		}
		e.Answers = []ir.Answer{{Name: "predict", Vector: int32(len(c.post))}}
		require.NoError(b, e.Verify())
		g, err := compile.NewEngine(e, "auto", kernel.ThisCPU())
		require.NoError(b, err)
		for _, rows := range []int{1, 4096} {
			x, a := nodiff.Rows(e, rows, 1), newAnswers(e, rows)
			for i := range a.margin.Len() {
				a.margin.Set(i, float64(i%7))
			}
			b.Run(fmt.Sprintf("%s/rows=%d", c.name, rows), func(b *testing.B) {
				for b.Loop() {
					g.Answer(0, a.predict, a.margin, predict.Values{F64: x.F64})
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
			})
		}
	}
}
