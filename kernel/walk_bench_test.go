package kernel

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkWalk scores 4,096 different rows in turn. Their ranks are given.
func BenchmarkWalk(b *testing.B) {
	boosted := walkCase{outputs: 1, columns: 28, vectors: func(int) bool { return false }}
	for range 500 {
		boosted.trees = append(boosted.trees, walkComplete(6))
	}
	models := []struct {
		name string
		m    *Model
	}{
		{"boosted=500x6", boosted.model(rand.New(rand.NewPCG(1, 2)))},
		{"forest=100", walkForest(rand.New(rand.NewPCG(1, 2)), 100)},
	}
	for _, m := range models {
		for _, cpu := range []CPU{Generic, ThisCPU().limit("avx2")} {
			b.Run("model="+m.name+"/cpu="+cpu.String(), func(b *testing.B) {
				if m.m.Outputs == 1 {
					benchmarkWalk[float32](b, m.m, cpu)
				} else {
					benchmarkWalk[float64](b, m.m, cpu)
				}
			})
		}
	}
}

func benchmarkWalk[Out Float](b *testing.B, m *Model, cpu CPU) {
	const rows, block = 4096, 512
	r := rand.New(rand.NewPCG(3, 4))
	stride := (len(m.Columns) + line - 1) &^ (line - 1)
	ranks := make([]byte, rows*stride)
	for i := range rows {
		copy(ranks[i*stride:], walkForestRow(r, len(m.Columns)))
	}
	w := newWalk[Out](m, cpu)
	b.Run("by=row", func(b *testing.B) {
		acc := make([]Out, m.Outputs)
		for i := 0; b.Loop(); i++ {
			at := i % rows * stride
			w.row(acc, ranks[at:at+stride])
		}
	})
	b.Run("by=block", func(b *testing.B) {
		acc, s := make([]Out, block*m.Outputs), w.scratch()
		for i := 0; b.Loop(); i++ {
			at := i * block % rows * stride
			w.rows(acc, block, ranks[at:], stride, block, 0, len(m.Trees), s)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/block, "ns/row")
	})
}

const walkForestClasses = 7

// walkForest grows trees on 10,000 rows until leaves are pure, as forests do.
func walkForest(r *rand.Rand, trees int) *Model {
	const columns, rows = 54, 10_000
	m := &Model{Features: columns, Outputs: walkForestClasses, Base: make([]float64, walkForestClasses), Columns: make([]Column, columns)}
	f := walkGrower{r: r}
	for range rows {
		x := walkForestRow(r, columns)
		class := (int(x[0])/30 + int(x[1])*int(x[2])/9000) % walkForestClasses
		if r.IntN(10) == 0 {
			class = r.IntN(walkForestClasses)
		}
		f.x, f.class = append(f.x, x), append(f.class, class)
	}
	for range trees {
		in := make([]int, rows)
		for i := range in {
			in[i] = r.IntN(rows)
		}
		m.Trees = append(m.Trees, f.tree(in))
	}
	return m
}

// walkForestRow returns the ranks of a row: a third of its columns have many values.
func walkForestRow(r *rand.Rand, columns int) []byte {
	x := make([]byte, columns)
	for c := range x {
		x[c] = byte(r.IntN(255))
		if c%3 > 0 {
			x[c] = byte(r.IntN(3))
		}
	}
	return x
}

// A walkGrower grows trees on rows x that have classes.
type walkGrower struct {
	r     *rand.Rand
	x     [][]byte
	class []int
}

func (f *walkGrower) tree(in []int) Tree {
	t := Tree{Vectors: []float64{}}
	for c := range walkForestClasses {
		for k := range walkForestClasses {
			v := 0.0
			if k == c {
				v = 1
			}
			t.Vectors = append(t.Vectors, v)
		}
	}
	parts := [][]int{in}
	for i := 0; i < len(parts); i++ {
		in := parts[i]
		n := f.split(in)
		if !n.IsLeaf() {
			left := 0
			for k, row := range in {
				if f.x[row][n.Column] < n.Rank {
					in[left], in[k] = in[k], in[left]
					left++
				}
			}
			n.Left = int32(len(parts))
			n.Right = n.Left + 1
			parts = append(parts, in[:left], in[left:])
		}
		t.Nodes = append(t.Nodes, n)
	}
	return t
}

// split returns the best of some random splits of rows, or a leaf if they are pure
// or none separates any.
func (f *walkGrower) split(in []int) Node {
	best, node := 0.0, Node{Column: Leaf, Vector: int32(f.class[in[0]])}
	for range 10 {
		c := f.r.IntN(len(f.x[0]))
		rank := f.x[in[f.r.IntN(len(in))]][c]
		if gain := f.gain(in, c, rank); gain > best {
			best, node = gain, Node{Column: int32(c), Rank: rank}
		}
	}
	return node
}

// gain returns how much purer the sides of a split are than all rows together.
func (f *walkGrower) gain(in []int, column int, rank byte) float64 {
	var counts [2][walkForestClasses]float64
	var rows [2]float64
	for _, row := range in {
		side := 0
		if f.x[row][column] >= rank {
			side = 1
		}
		counts[side][f.class[row]]++
		rows[side]++
	}
	if rows[0] == 0 || rows[1] == 0 {
		return 0
	}
	gain := 0.0
	for k := range walkForestClasses {
		a, b := counts[0][k], counts[1][k]
		gain += a*a/rows[0] + b*b/rows[1] - (a+b)*(a+b)/(rows[0]+rows[1])
	}
	return gain
}
