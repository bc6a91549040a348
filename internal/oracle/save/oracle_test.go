//go:build oracle

// Package save_test asks XGBoost about the model files that hew writes.
//
// Every golden model is written back as it is, after the exact passes, and after random
// cuts: subtrees replaced by a leaf, rounds dropped, other base margins. Random
// ensembles have what no trainer makes: infinite thresholds and leaves, rounds without
// trees, vector leaves beside others, all kinds of base margins. XGBoost loads the files and scores rows around the thresholds; its margins and leaf numbers must
// be those that hew's reference evaluator has, by bits. It needs Python 3.11 or later
// with pip, and the first time a package index:
//
//	go test -tags oracle ./internal/oracle/save -v
package save_test

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/nodiff"
	"hew/internal/npy"
	"hew/internal/oracle/python"
	"hew/interp"
	"hew/ir"
	"hew/load"
	"hew/predict"
	"hew/prune"
	"hew/save"
)

var (
	seed     = flag.Uint64("seed", 1, "of the random cuts, ensembles and rows")
	random   = flag.Int("models", 200, "number of random ensembles, beside the golden models")
	pythonAt = flag.String("python", "", "a Python that has another XGBoost, to ask in place of the pinned one")
)

const (
	goldens = "../../../testdata/golden-xgboost"
	numRows = 200
)

func TestOracle(t *testing.T) {
	exe := *pythonAt
	if exe == "" {
		exe = python.Environment(t, "../requirements.txt")
	}
	w := &work{dir: python.WorkDir(t)}
	dirs, err := filepath.Glob(filepath.Join(goldens, "*"))
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	for i, dir := range dirs {
		w.addGolden(t, dir, rand.New(rand.NewPCG(*seed, uint64(i))))
	}
	for i := range *random {
		w.addRandom(t, i)
	}
	var names strings.Builder
	for _, m := range w.models {
		fmt.Fprintln(&names, m.name)
	}
	require.NoError(t, os.WriteFile(filepath.Join(w.dir, "models.txt"), []byte(names.String()), 0o666))
	python.Run(t, exe, "-I", "score.py", w.dir)
	values := 0
	for _, m := range w.models {
		t.Run(m.name, func(t *testing.T) { values += m.check(t, w.dir) })
	}
	t.Logf("%d files of %d golden models and %d random ensembles, %d refused, %d values compared by bits", len(w.models), len(dirs), *random, w.refused, values)
	require.Greater(t, len(w.models), 3*len(dirs)-12+*random/2)
}

// work is what is to be asked.
type work struct {
	dir     string
	models  []*model
	refused int // files that XGBoost cannot express
}

// A model is a file that was written of an ensemble.
type model struct {
	name string
	e    *ir.Ensemble
	x    []float32
}

// addGolden writes the files of a golden case.
func (w *work) addGolden(t *testing.T, dir string, r *rand.Rand) {
	files, err := filepath.Glob(filepath.Join(dir, "model.*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	file := files[r.IntN(len(files))]
	original, err := os.ReadFile(file)
	require.NoError(t, err)
	e, err := load.File(file)
	require.NoError(t, err)
	exact := e.Clone()
	require.NoError(t, prune.Dead(exact))
	require.NoError(t, prune.Collapse(exact))
	name := filepath.Base(dir)
	w.add(t, name+"-plain", e, original, r)
	w.add(t, name+"-exact", exact, original, r)
	w.add(t, name+"-cut", cut(t, e, r), original, r)
}

// add writes an ensemble, and rows for it.
func (w *work) add(t *testing.T, name string, e *ir.Ensemble, original []byte, r *rand.Rand) {
	ubjson := r.IntN(2) == 0
	name += map[bool]string{false: ".json", true: ".ubj"}[ubjson]
	var b bytes.Buffer
	if err := save.XGBoost(&b, e, original, ubjson); err != nil {
		require.True(t, expressible(err), "%s: %v", name, err)
		w.refused++
		return
	}
	path := filepath.Join(w.dir, name)
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o666))
	x := oneInfinity(nodiff.Rows(e, numRows, *seed).F32, len(e.Features))
	f, err := os.Create(path + ".rows.npy")
	require.NoError(t, err)
	require.NoError(t, npy.Write(f, []int{numRows, len(e.Features)}, x))
	require.NoError(t, f.Close())
	w.models = append(w.models, &model{name, e, x})
}

// expressible reports whether err is about what XGBoost lacks.
func expressible(err error) bool {
	for _, reason := range []string{"cannot express the set", "no base score of", "cut the others first", "has finite ones"} {
		if strings.Contains(err.Error(), reason) {
			return true
		}
	}
	return false
}

// addRandom writes a random ensemble, in the place of the trees of an empty model.
func (w *work) addRandom(t *testing.T, i int) {
	e := nodiff.Ensemble(*seed<<32|uint64(i), 8, 5)
	r := rand.New(rand.NewPCG(*seed, uint64(i)))
	e.Source.Objective = []string{"reg:squarederror", "binary:logistic", "count:poisson"}[i%3]
	for j := range e.Sets {
		right := ir.Set{}
		for c := float64(r.IntN(3)); len(right) < 2+2*r.IntN(4) || len(right)%2 == 1; c += 1 + float64(r.IntN(40)) {
			right = append(right, c)
		}
		e.Sets[j] = right.Complement()
	}
	booster := `{"model":{"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"0"},"iteration_indptr":[0],"tree_info":[],"trees":[]},"name":"gbtree"}`
	if e.Linear != nil {
		booster = `{"model":{"boosted_rounds":3,"weights":[]},"name":"gblinear"}`
	}
	types := strings.TrimSuffix(strings.Repeat(`"c",`, len(e.Features)), ",")
	original := fmt.Sprintf(`{"learner":{"attributes":{},"feature_names":[],"feature_types":[%s],"gradient_booster":%s,
"learner_model_param":{"base_score":"[7E-1]","boost_from_average":"1","num_class":"0","num_feature":"%d","num_target":"%d"},
"objective":{"name":"%s","reg_loss_param":{"scale_pos_weight":"1"},"poisson_regression_param":{"max_delta_step":"7E-1"}}},"version":[3,2,0]}`, types, booster, len(e.Features), e.Outputs, e.Source.Objective)
	w.add(t, fmt.Sprintf("random-%03d", i), e, []byte(original), r)
}

// oneInfinity replaces -∞ in the rows of x that hold +∞ too, which score.py cannot give
// to XGBoost.
func oneInfinity(x []float32, width int) []float32 {
	for i := 0; i < len(x); i += width {
		row := x[i : i+width]
		high := false
		for _, v := range row {
			high = high || v > math.MaxFloat32
		}
		for j, v := range row {
			if high && v < -math.MaxFloat32 {
				row[j] = -math.MaxFloat32
			}
		}
	}
	return x
}

// cut returns e with fewer rounds, with random subtrees replaced by a leaf and at times
// with other base margins.
func cut(t *testing.T, e *ir.Ensemble, r *rand.Rand) *ir.Ensemble {
	c := e.Clone()
	if c.Linear != nil {
		return c
	}
	if r.IntN(2) == 0 {
		c.BaseMargin = make([]float64, c.Outputs)
		for k := range c.BaseMargin {
			c.BaseMargin[k] = float64(float32(r.NormFloat64()))
		}
	}
	if !c.BaseLast && c.NumRounds() > 0 {
		var err error
		c, err = c.Slice(r.IntN(2), 1+r.IntN(c.NumRounds()))
		require.NoError(t, err)
	}
	for i := range c.Trees {
		cutTree(c, &c.Trees[i], r)
	}
	require.NoError(t, c.Verify())
	return c
}

// cutTree replaces random subtrees by a leaf.
func cutTree(e *ir.Ensemble, t *ir.Tree, r *rand.Rand) {
	from := t.Nodes
	t.Nodes = nil
	var grow func(i int32) int32
	grow = func(i int32) int32 {
		n, at := from[i], len(t.Nodes)
		t.Nodes = append(t.Nodes, n)
		switch {
		case n.IsLeaf():
		case r.IntN(8) == 0:
			t.Nodes[at] = ir.Node{Feature: ir.NoFeature, Left: -1, Right: -1, Set: ir.NoSet, ID: n.ID, Cover: n.Cover, Value: leafValue(r)}
			if t.Vectors != nil {
				t.Nodes[at].Value = 0
			}
		default:
			left := grow(n.Left)
			right := grow(n.Right)
			t.Nodes[at].Left, t.Nodes[at].Right = left, right
		}
		return int32(at)
	}
	grow(0)
}

func leafValue(r *rand.Rand) float64 {
	return []float64{math.Copysign(0, -1), 0, float64(float32(r.NormFloat64())), math.SmallestNonzeroFloat32, 0x1p20}[r.IntN(5)]
}

// check compares XGBoost's answers, and returns their number.
func (m *model) check(t *testing.T, dir string) int {
	path := filepath.Join(dir, m.name)
	margins := make([]float32, numRows*m.e.Outputs)
	interp.New(m.e).Margin(margins, m.x)
	n := compare(t, path+".margin.npy", margins)
	if m.e.Linear != nil {
		return n
	}
	n += compare(t, path+".inplace.npy", margins)
	again, err := load.File(path)
	require.NoError(t, err)
	if len(again.Trees) == 0 {
		return n
	}
	leaves := make([]int32, numRows*len(again.Trees))
	interp.New(again).Leaf(leaves, m.x)
	numbers := make([]float32, len(leaves))
	for i, v := range leaves {
		numbers[i] = float32(v)
	}
	return n + compare(t, path+".leaf.npy", numbers)
}

func compare(t *testing.T, file string, got []float32) int {
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	want, err := npy.Read(f)
	require.NoError(t, err)
	part, err := nodiff.CompareValues(predict.ValuesOf(got), predict.ValuesOf(want.Float32s()), numRows)
	require.NoError(t, err, file)
	require.True(t, part.OK(), "%s: %v", file, part)
	return part.Compared
}
