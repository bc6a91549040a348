package fold_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"hew/fold"
	"hew/ir"
)

// BenchmarkFold folds a scaler into a forest of 200,000 splits, all different.
func BenchmarkFold(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	e := &ir.Ensemble{Input: ir.Double, Sum: ir.Double, Outputs: 1, BaseMargin: []float64{0}, Rounds: []int32{0}}
	for j := range int32(20) {
		e.Features = append(e.Features, ir.Feature{Name: string(rune('a' + j))})
		e.Columns = append(e.Columns, ir.Column{Feature: j, Ops: []ir.Op{
			{Code: ir.OpSub, A: r.NormFloat64()}, {Code: ir.OpDiv, A: math.Exp(r.NormFloat64())}, {Code: ir.OpRound}}})
	}
	for range 200_000 {
		e.Trees = append(e.Trees, ir.Tree{Nodes: []ir.Node{
			{Feature: int32(r.IntN(20)), Left: 1, Right: 2, Set: ir.NoSet, Threshold: float64(float32(r.NormFloat64()))},
			{Feature: ir.NoFeature}, {Feature: ir.NoFeature}}})
		e.Rounds = append(e.Rounds, int32(len(e.Trees)))
	}
	for b.Loop() {
		b.StopTimer()
		c := e.Clone()
		b.StartTimer()
		if err := fold.Fold(c); err != nil || c.Columns != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/200_000, "ns/split")
}
