package kernel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// BenchmarkRank measures nanoseconds per column, over rows that differ.
func BenchmarkRank(b *testing.B) {
	for _, s := range []struct {
		name     string
		features int
		bounds   func(f int) int
	}{
		{"28x240", 28, func(int) int { return 240 }},
		{"28x50", 28, func(int) int { return 50 }},
		{"covertype", 54, func(f int) int {
			if f < 10 {
				return 200
			}
			return 1
		}},
		{"sparse3000", 3000, func(f int) int {
			if f%60 == 7 {
				return 20
			}
			return 0
		}},
		{"exact28x254", 28, func(int) int { return -254 }},
	} {
		benchmarkRank[float32](b, s.name+"/float32", s.features, benchColumns(s.features, s.bounds))
		benchmarkRank[float64](b, s.name+"/float64", s.features, benchColumns(s.features, s.bounds))
	}
	benchmarkRank[float32](b, "sets/float32", 4, benchSets(4, 50, 200))
}

// benchColumns returns a column for each feature that has bounds.
func benchColumns(features int, bounds func(int) int) []Column {
	rng := rand.New(rand.NewPCG(1, 2))
	var cols []Column
	for f := range features {
		if n := bounds(f); n != 0 {
			cols = append(cols, Column{Feature: int32(f), Missing: uint8(255 * (f % 2)), Bounds: benchBounds(rng, n)})
		}
	}
	return cols
}

// benchSets returns sets of the categories of features.
func benchSets(features, categories, sets int) []Column {
	rng := rand.New(rand.NewPCG(1, 2))
	var cols []Column
	for i := range features * sets {
		c := Column{Feature: int32(i / sets), Set: true}
		for k := range categories {
			if rng.IntN(2) == 0 {
				c.Bounds = append(c.Bounds, float64(k))
			}
		}
		cols = append(cols, c)
	}
	return cols
}

// benchBounds returns n bounds as histograms have them, quantiles of a normal
// distribution; for negative n, as an exact search for splits has them.
func benchBounds(rng *rand.Rand, n int) []float64 {
	exact := n < 0
	n = max(n, -n)
	values := make([]float64, n*200)
	if exact {
		values = values[:n]
	}
	for i := range values {
		values[i] = float64(float32(rng.NormFloat64()))
	}
	slices.Sort(values)
	bounds := make([]float64, n)
	for i := range bounds {
		bounds[i] = values[i*len(values)/n]
	}
	return slices.Compact(bounds)
}

func benchmarkRank[In Float](b *testing.B, name string, features int, cols []Column) {
	rng := rand.New(rand.NewPCG(3, 4))
	rows := max(512, min(4096, 1<<19/features&^511))
	x := make([]In, rows*features)
	for i := range x {
		if x[i] = In(rng.NormFloat64()); cols[0].Set {
			x[i] = In(rng.IntN(60))
		}
	}
	ranks := make([]byte, wholeLines(len(cols)))
	block := make([]byte, len(cols)*512)
	for _, cpu := range rankCPUs() {
		if cpu.AVX512 {
			continue // as AVX2
		}
		r := newRanker[In](features, cols, cpu)
		b.Run(fmt.Sprintf("%s/row/%s", name, cpu), func(b *testing.B) {
			i := 0
			for b.Loop() {
				r.row(ranks, x[i*features:(i+1)*features])
				if i++; i == rows {
					i = 0
				}
			}
			perColumn(b, len(cols))
		})
		for _, n := range []int{64, 512} {
			b.Run(fmt.Sprintf("%s/block%d/%s", name, n, cpu), func(b *testing.B) {
				i := 0
				for b.Loop() {
					r.block(block, n, x[i*features:(i+n)*features], n)
					if i += n; i == rows {
						i = 0
					}
				}
				perColumn(b, n*len(cols))
			})
		}
	}
}

func perColumn(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/value")
	b.ReportMetric(0, "ns/op")
}
