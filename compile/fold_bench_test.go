package compile_test

import (
	"flag"
	"fmt"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hew/compile"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/kernel"
	"hew/load"
	"hew/predict"
)

var pipelineFile = flag.String("pipeline", "", "file of a pipeline for BenchmarkFold [one of the repository]")

// BenchmarkFold measures a pipeline folded into its trees, the same trees alone on the
// columns that the pipeline makes of the same rows, and the pipeline computed for each
// row. Slices alternate; the ratios are the times of the pipeline in those of the trees.
func BenchmarkFold(b *testing.B) {
	file := *pipelineFile
	if file == "" {
		file = filepath.Join(sklearnCases, "sklearn-1.9-pipeline-dataframe-onehot-rf", "model.skops")
	}
	e, err := load.File(file)
	require.NoError(b, err)
	require.NotNil(b, e.Columns)
	bare := withoutColumns(e)
	x := nodiff.Rows(e, 8192, 1)
	engine := func(e *ir.Ensemble, without ...string) predict.Predictor {
		g, err := compile.NewEngine(e, "auto", kernel.ThisCPU(), without...)
		require.NoError(b, err)
		return g.Predictor("m")
	}
	folded, trees, computed := engine(e), engine(bare), engine(e, "fold")
	columns := predict.Values{F64: columnsOf(e, x.F64)}
	for _, batch := range []int{1, 64, 4096} {
		b.Run(fmt.Sprint("rows=", batch), func(b *testing.B) {
			var a, t, c time.Duration
			for b.Loop() {
				a += timePredict(folded, x, len(e.Features), batch)
				t += timePredict(trees, columns, len(bare.Features), batch)
				c += timePredict(computed, x, len(e.Features), batch)
			}
			b.ReportMetric(float64(a)/float64(t), "folded/trees")
			b.ReportMetric(float64(c)/float64(t), "computed/trees")
			b.ReportMetric(float64(t.Nanoseconds())/float64(b.N*8192), "ns/row")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// withoutColumns returns the trees of e as a model of its own, whose features are the
// columns of e.
func withoutColumns(e *ir.Ensemble) *ir.Ensemble {
	bare := e.Clone()
	bare.Features, bare.Columns = make([]ir.Feature, len(e.Columns)), make([]ir.Column, len(e.Columns))
	for j := range e.Columns {
		bare.Features[j].Name = fmt.Sprint("c", j)
		c := ir.Column{Feature: int32(j)}
		if ops := e.Columns[j].Ops; len(ops) > 0 && ops[len(ops)-1].Code == ir.OpRound {
			c.Ops = ops[len(ops)-1:]
		}
		bare.Columns[j] = c
	}
	return bare
}

func columnsOf(e *ir.Ensemble, x []float64) []float64 {
	var out []float64
	for ; len(x) > 0; x = x[len(e.Features):] {
		for _, c := range e.Columns {
			out = append(out, interp.Apply(c.Ops, x[c.Feature]))
		}
	}
	return out
}

func timePredict(p predict.Predictor, x predict.Values, features, batch int) time.Duration {
	rows := x.Len() / features
	dst := predict.MakeValues(predict.Float64, batch*p.Info.Answers[0].Width)
	start := time.Now()
	for r := 0; r+batch <= rows; r += batch {
		p.Predict(dst, predict.Values{F64: x.F64[r*features : (r+batch)*features]})
	}
	if math.IsNaN(dst.F64[0]) {
		panic("no prediction")
	}
	return time.Since(start)
}
