package rows_test

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/rows"
)

const (
	benchRows     = 10_000
	benchFeatures = 30
)

// table makes rows as a file of the format that the name says.
func table(b *testing.B, name string) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	o := rows.Output{Shape: []int{benchRows, benchFeatures}, Float32: make([]float32, benchRows*benchFeatures)}
	for i := range benchFeatures {
		o.Columns = append(o.Columns, "feature_"+strconv.Itoa(i))
	}
	for i := range o.Float32 {
		o.Float32[i] = float32(r.NormFloat64())
	}
	var out bytes.Buffer
	require.NoError(b, rows.Write(name, &out, o))
	return out.Bytes()
}

func BenchmarkRead(b *testing.B) {
	for _, format := range []string{"csv", "npy", "jsonl", "parquet"} {
		b.Run("format="+format, func(b *testing.B) {
			data := table(b, "x."+format)
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := rows.Read("x."+format, bytes.NewReader(data), rows.Options{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(benchRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	o := rows.Output{Columns: []string{"margin"}, Shape: []int{benchRows}, Float32: make([]float32, benchRows)}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range o.Float32 {
		o.Float32[i] = float32(r.NormFloat64())
	}
	for _, format := range []string{"csv", "npy", "jsonl", "parquet"} {
		b.Run("format="+format, func(b *testing.B) {
			b.ReportAllocs()
			var out bytes.Buffer
			for b.Loop() {
				out.Reset()
				if err := rows.Write("x."+format, &out, o); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(benchRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
