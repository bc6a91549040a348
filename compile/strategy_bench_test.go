package compile_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/compile"
	"hew/ir"
)

// BenchmarkStrategies holds strategy auto to account for small models, where the
// choice is close: it prints what branch, simd and auto take, and reports by how
// much auto is slower than the better of the two, for the worst model and the mean
// of all. The numbers of codegen.EstimateTime and engineTime come from here.
func BenchmarkStrategies(b *testing.B) {
	dir := b.TempDir()
	var imports, table strings.Builder
	for _, features := range []int{3, 20, 100} {
		for _, trees := range []int{1, 5, 10, 20, 40} {
			for _, depth := range []int{1, 3, 6} {
				e := grown(features, trees, depth)
				fmt.Fprintf(&table, "\t{%d, %d, %d, []score{", features, trees, depth)
				for _, strategy := range []string{"branch", "simd", "auto"} {
					name := fmt.Sprintf("%s%dx%dx%d", strategy, features, trees, depth)
					files, _, err := compile.Package(e, compile.Options{Package: name, Strategy: strategy})
					require.NoError(b, err)
					for _, f := range files {
						write(b, filepath.Join(dir, name, f.Name), f.Data)
					}
					fmt.Fprintf(&imports, "\t\"strategies/%s\"\n", name)
					fmt.Fprintf(&table, "%s.Predict, ", name)
				}
				table.WriteString("}},\n")
			}
		}
	}
	write(b, filepath.Join(dir, "go.mod"), []byte("module strategies\n\ngo 1.26\n"))
	write(b, filepath.Join(dir, "main.go"), fmt.Appendf(nil, strategiesText, imports.String(), table.String()))
	goTool(b, dir, "build", "-trimpath", "-o", "strategies", ".")
	for b.Loop() {
		cmd := exec.Command(filepath.Join(dir, "strategies"))
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		require.NoError(b, err)
		var worst, mean float64
		_, err = fmt.Sscan(string(out), &worst, &mean)
		require.NoError(b, err)
		b.ReportMetric(worst, "worst-ratio")
		b.ReportMetric(mean, "mean-ratio")
	}
}

// grown returns an ensemble of complete trees, on whose splits both sides can be
// reached, with covers as if rows were spread evenly.
func grown(features, trees, depth int) *ir.Ensemble {
	r := rand.New(rand.NewPCG(uint64(trees), uint64(depth)))
	e := ir.MustParse(fmt.Sprintf("(f%d<1 1 2)", features-1))
	e.Trees, e.Rounds = nil, []int32{0}
	for i := range trees {
		g := grower{rand: r, lo: make([]float64, features), hi: make([]float64, features)}
		for j := range g.hi {
			g.hi[j] = 1
		}
		g.grow(depth, 1e6)
		e.Trees = append(e.Trees, g.tree)
		e.Rounds = append(e.Rounds, int32(i+1))
	}
	return e
}

type grower struct {
	rand   *rand.Rand
	tree   ir.Tree
	lo, hi []float64 // the box of the node
}

func (g *grower) grow(depth int, cover float64) int32 {
	i := int32(len(g.tree.Nodes))
	n := ir.Node{Feature: ir.NoFeature, Left: -1, Right: -1, Set: ir.NoSet, ID: i, Cover: float32(cover)}
	if depth == 0 {
		n.Value = float64(float32(g.rand.Float64() - 0.5))
		g.tree.Nodes = append(g.tree.Nodes, n)
		return i
	}
	f, share := g.rand.IntN(len(g.lo)), 0.2+0.6*g.rand.Float64()
	lo, hi := g.lo[f], g.hi[f]
	n.Feature, n.Threshold = int32(f), float64(float32(lo+(hi-lo)*share))
	g.tree.Nodes = append(g.tree.Nodes, n)
	g.hi[f] = n.Threshold
	left := g.grow(depth-1, cover*share)
	g.lo[f], g.hi[f] = n.Threshold, hi
	right := g.grow(depth-1, cover*(1-share))
	g.lo[f] = lo
	g.tree.Nodes[i].Left, g.tree.Nodes[i].Right = left, right
	return i
}

const strategiesText = `package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"time"

%s)

type score = func(dst, x []float32)

var models = []struct {
	features, trees, depth int
	by                     []score
}{
%s}

const rows = 4096

var calls = []int{1, 16, 256}

func main() {
	r := rand.New(rand.NewPCG(1, 2))
	worst, sum, n := 0.0, 0.0, 0
	fmt.Fprintln(os.Stderr, "features trees depth, ns a row of branch, simd, auto in calls of", calls, "rows")
	for _, m := range models {
		x := make([]float32, rows*m.features)
		for i := range x {
			x[i] = float32(r.Float64())
		}
		fmt.Fprintf(os.Stderr, "%%8d %%5d %%5d", m.features, m.trees, m.depth)
		for _, c := range calls {
			t := times(m.by, x, m.features, c)
			fmt.Fprintf(os.Stderr, "  %%7.1f %%7.1f %%7.1f", t[0], t[1], t[2])
			ratio := t[2] / min(t[0], t[1])
			worst, sum, n = max(worst, ratio), sum+ratio, n+1
		}
		fmt.Fprintln(os.Stderr)
	}
	fmt.Println(worst, sum/float64(n))
}

// times returns the nanoseconds a row that each of by takes in calls of c rows, the
// least of some slices in turn.
func times(by []score, x []float32, features, c int) [3]float64 {
	best := [3]float64{1e18, 1e18, 1e18}
	dst := make([]float32, c)
	for range 12 {
		for i, f := range by {
			start := time.Now()
			for r := 0; r+c <= rows; r += c {
				f(dst, x[r*features:(r+c)*features])
			}
			best[i] = min(best[i], float64(time.Since(start).Nanoseconds())/float64(rows/c*c))
		}
	}
	return best
}
`
