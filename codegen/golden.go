package codegen

import (
	"fmt"
)

// testFiles returns the generated test with its rows; none without rows.
func (p *printer) testFiles() ([]File, error) {
	g := &p.o.Golden
	rows := len(g.X) / len(p.e.Features)
	if rows == 0 {
		return nil, nil
	}
	f := p.newFile()
	f.Anon("embed")
	leafTest, first := "", ""
	if len(p.e.Trees) > 0 {
		leafTest = leafTestText
	}
	if p.strategy != "branch" {
		first = "	loaded() // the first call would make the engine\n"
	}
	f.Add(code(fmt.Sprintf(testText, rows, leafTest, first)))
	file, err := render(p.fileName("_test.go"), f)
	data := append(words(g.X, g.Margin, g.Predict), words(g.Leaf)...)
	return []File{file, {"testdata/golden.bin", data}}, err
}

const testText = `// goldenRows is the number of rows in golden.bin. The results beside them come
// from hew's reference evaluator.
const goldenRows = %[1]d

//go:embed testdata/golden.bin
var goldenData []byte

type golden struct {
	x, margin, predict []float32
	leaf []int32
}

func readGolden(tb @testing.TB) *golden {
	g := &golden{
		x: make([]float32, goldenRows*NumFeatures),
		margin: make([]float32, goldenRows*NumMargins),
		predict: make([]float32, goldenRows*NumOutputs),
		leaf: make([]int32, goldenRows*NumTrees),
	}
	r := @bytes.NewReader(goldenData)
	for _, part := range []any{g.x, g.margin, g.predict, g.leaf} {
		if err := @encoding/binary.Read(r, @encoding/binary.LittleEndian, part); err != nil {
			tb.Fatal(err)
		}
	}
	return g
}

// row returns the values of row i in a table of n values a row.
func row[T any](values []T, i, n int) []T { return values[i*n : (i+1)*n] }

// TestGolden compares by bits, all rows at once and one by one.
func TestGolden(t *testing.T) {
	g := readGolden(t)
	margin, predict := make([]float32, len(g.margin)), make([]float32, len(g.predict))
	Margin(margin, g.x)
	Predict(predict, g.x)
	same(t, "Margin", margin, g.margin, NumMargins)
	same(t, "Predict", predict, g.predict, NumOutputs)
	clear(margin)
	clear(predict)
	for i := range goldenRows {
		Margin(row(margin, i, NumMargins), row(g.x, i, NumFeatures))
		Predict(row(predict, i, NumOutputs), row(g.x, i, NumFeatures))
	}
	same(t, "Margin of a row", margin, g.margin, NumMargins)
	same(t, "Predict of a row", predict, g.predict, NumOutputs)
}

// same reports the first value with other bits; a NaN is like any other.
func same(t *testing.T, what string, got, want []float32, width int) {
	t.Helper()
	for i, w := range want {
		if v := got[i]; @math.Float32bits(v) != @math.Float32bits(w) && (v == v || w == w) {
			t.Fatalf("%%s, row %%d, value %%d: %%v, want %%v", what, i/width, i%%width, v, w)
		}
	}
}
%[2]s
// The golden rows are few, which flatters code with branches: the processor
// learns them. hew bench measures with thousands of rows.

func BenchmarkRow(b *testing.B) {
	g := readGolden(b)
	dst := make([]float32, NumOutputs)
	i := 0
%[3]s	b.ReportAllocs()
	for b.Loop() {
		Predict(dst, row(g.x, i, NumFeatures))
		if i++; i == goldenRows {
			i = 0
		}
	}
}

func BenchmarkBatch(b *testing.B) {
	g := readGolden(b)
	dst := make([]float32, len(g.predict))
%[3]s	b.ReportAllocs()
	for b.Loop() {
		Predict(dst, g.x)
	}
	b.ReportMetric(float64(b.N)*goldenRows/b.Elapsed().Seconds(), "rows/s")
}
`

const leafTestText = `
func TestLeaf(t *testing.T) {
	g := readGolden(t)
	leaf := make([]int32, len(g.leaf))
	Leaf(leaf, g.x)
	for i, w := range g.leaf {
		if leaf[i] != w {
			t.Fatalf("row %d, tree %d: leaf %d, want %d", i/NumTrees, i%NumTrees, leaf[i], w)
		}
	}
}
`
