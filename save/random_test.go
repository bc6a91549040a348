package save_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/nodiff"
	"hew/ir"
	"hew/load/xgboost"
	"hew/save"
)

// frame returns an XGBoost model without trees that e could have been made of.
func frame(e *ir.Ensemble) []byte {
	names, types := []string{}, []string{}
	for _, f := range e.Features {
		names = append(names, f.Name)
		types = append(types, map[ir.FeatureType]string{ir.Float: "float", ir.Int: "int", ir.Bool: "i", ir.Categorical: "c"}[f.Type])
	}
	n, _ := json.Marshal(names)
	ty, _ := json.Marshal(types)
	booster := `{"model":{"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"0"},"iteration_indptr":[0],"tree_info":[],"trees":[]},"name":"gbtree"}`
	if e.Linear != nil {
		booster = `{"model":{"boosted_rounds":3,"weights":[]},"name":"gblinear"}`
	}
	return fmt.Appendf(nil, `{"learner":{"attributes":{},"feature_names":%s,"feature_types":%s,"gradient_booster":%s,
"learner_model_param":{"base_score":"[7E-1]","boost_from_average":"1","num_class":"0","num_feature":"%d","num_target":"%d"},
"objective":{"name":"%s"}},"version":[3,3,0]}`, n, ty, booster, len(e.Features), e.Outputs, e.Source.Objective)
}

// random returns an ensemble such as XGBoost could have, for the most part.
func random(seed uint64) *ir.Ensemble {
	e := nodiff.Ensemble(seed, 8, 5)
	r := rand.New(rand.NewPCG(seed, 9))
	e.Source.Objective = []string{"reg:squarederror", "binary:logistic", "count:poisson"}[seed%3]
	for i := range e.Features {
		e.Features[i].Categories = nil
	}
	e.Classes = nil
	for i := range e.Sets {
		if seed%4 > 0 { // otherwise what XGBoost cannot express
			right := ir.Set{}
			for c := float64(r.IntN(3)); len(right) < 2+2*r.IntN(4); c += 1 + float64(r.IntN(40)) {
				right = append(right, c)
			}
			e.Sets[i] = right[:len(right)&^1].Complement()
		}
	}
	return e
}

// reasons are why a random ensemble may be refused.
var reasons = []string{
	"a split must list a category that goes right", "numbers that are too large for a category go right", "negative numbers, which are no category, go right",
	"it parts numbers of one category", "gives the base margin −0", "gives the base margins", "cut the others first", "trained to an end has finite ones",
}

func TestRandomXGBoost(t *testing.T) {
	written, why := 0, map[string]int{}
	for seed := range uint64(1500) {
		e := random(seed)
		var b, c bytes.Buffer
		err := save.XGBoost(&b, e, frame(e), seed%2 == 0)
		if err != nil {
			known := false
			for _, r := range reasons {
				if strings.Contains(err.Error(), r) {
					why[r]++
					known = true
				}
			}
			require.True(t, known, "seed %d: %v", seed, err)
			continue
		}
		written++
		require.NoError(t, save.XGBoost(&c, e, frame(e), seed%2 == 0))
		require.Equal(t, b.Bytes(), c.Bytes(), "the same ensemble gives the same bytes")
		requireReadsBack(t, seed, e, b.Bytes())
	}
	require.Greater(t, written, 800, "%v", why)
	for _, r := range reasons {
		require.NotZero(t, why[r], r)
	}
}

func requireReadsBack(t *testing.T, seed uint64, e *ir.Ensemble, data []byte) {
	read := xgboost.ReadJSON
	if data[1] == 'L' {
		read = xgboost.ReadUBJSON
	}
	again, err := read(bytes.NewReader(data))
	require.NoError(t, err, "seed %d", seed)
	x := nodiff.Rows(e, 200, seed).F32
	require.Equal(t, margins(e, x), margins(again, x), "seed %d", seed)
	require.Equal(t, e.BestRound, again.BestRound)
	if e.Linear == nil && len(again.Trees) == len(e.Trees) {
		require.Equal(t, max(e.NumRounds(), 0), again.NumRounds())
	}
	if e.BestRound >= 0 {
		part, err := e.Slice(0, e.BestRound+1)
		require.NoError(t, err)
		partAgain, err := again.Slice(0, e.BestRound+1)
		require.NoError(t, err)
		require.Equal(t, margins(part, x), margins(partAgain, x), "seed %d, up to the best round", seed)
	}
}

// Every base margin can be reached, in each objective's own way.
func TestBaseMargins(t *testing.T) {
	negativeZero := math.Copysign(0, -1)
	for _, objective := range []string{"reg:squarederror", "binary:logistic", "count:poisson"} {
		for _, last := range []bool{false, true} {
			for _, base := range []float64{0, negativeZero, 0.5, -1e-30, 88.5, -16.5, math.MaxFloat32, math.SmallestNonzeroFloat32, math.Inf(-1)} {
				for _, leaf := range []float64{negativeZero, 0, 1, 0x1p24} {
					e, err := ir.Parse(fmt.Sprintf("(f0<0.5 %v 2)", leaf))
					require.NoError(t, err)
					e.Trees[0].Nodes[1].Value = leaf
					e.Source.Objective, e.BaseLast = objective, last
					e.BaseMargin[0] = float64(float32(base))
					var b bytes.Buffer
					err = save.XGBoost(&b, e, frame(e), false)
					if err != nil {
						require.ErrorContains(t, err, "no base score of count:poisson gives the base margin −0 of output 0")
						require.True(t, base == 0 && math.Signbit(base) && !last)
						continue
					}
					again, err := xgboost.ReadJSON(&b)
					require.NoError(t, err)
					x := []float32{0, 1}
					require.Equal(t, margins(e, x), margins(again, x), "%s, last %v, base %v, leaf %v", objective, last, base, leaf)
				}
			}
		}
	}
}

// What XGBoost cannot express is refused.
func TestXGBoostRefuses(t *testing.T) {
	for want, change := range map[string]func(e *ir.Ensemble){
		"cannot express the 1 columns":         func(e *ir.Ensemble) { e.Columns = []ir.Column{{}} },
		"stages and answers":                   func(e *ir.Ensemble) { e.Answers = []ir.Answer{{Name: "predict"}} },
		"the ensemble compares float64":        func(e *ir.Ensemble) { e.Input = ir.Double },
		"the ensemble adds float64":            func(e *ir.Ensemble) { e.Sum = ir.Double },
		`the ensemble "rank:ndcg": it was not`: func(e *ir.Ensemble) { e.Source.Objective = "rank:ndcg" },
		"the original has 1 features":          func(e *ir.Ensemble) { e.Features = append(e.Features, ir.Feature{Name: "more"}) },
		"the original has 1 outputs":           func(e *ir.Ensemble) { e.Outputs, e.BaseMargin = 2, []float64{0, 0} },
		"the original is a gbtree model": func(e *ir.Ensemble) {
			e.Trees, e.Rounds, e.Linear = nil, nil, &ir.Linear{Weights: []float64{1}, Bias: []float64{0}}
		},
		"threshold NaN is not a float32 number": func(e *ir.Ensemble) { e.Trees[0].Nodes[0].Threshold = math.NaN() },
	} {
		e, err := ir.Parse("(f0<0.5 1 2)")
		require.NoError(t, err)
		e.Source.Objective = "reg:squarederror"
		original := frame(e)
		change(e)
		err = save.XGBoost(&bytes.Buffer{}, e, original, false)
		require.ErrorContains(t, err, want)
	}
	require.ErrorContains(t, save.XGBoost(&bytes.Buffer{}, &ir.Ensemble{}, []byte("{}"), false), "the original model: ")
}

// FuzzXGBoost checks that what is read of a file can be written back or is refused, and
// that it then has the same margins.
func FuzzXGBoost(f *testing.F) {
	for _, name := range []string{
		"xgboost-1.0-dart-binary", "xgboost-1.6-categorical-onehot", "xgboost-3.2-handmade-dart-weights", "xgboost-3.2-gblinear-binary",
		"xgboost-3.2-no-trees", "xgboost-3.2-one-tree-one-node", "xgboost-3.2-multi-output-vector-leaf",
	} {
		data, err := os.ReadFile(filepath.Join(goldens, name, "model.json"))
		require.NoError(f, err)
		f.Add(data)
	}
	for seed := range uint64(12) {
		e := random(seed)
		var b bytes.Buffer
		if save.XGBoost(&b, e, frame(e), false) == nil {
			f.Add(b.Bytes())
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := xgboost.ReadJSON(bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, ubjson := range []bool{false, true} {
			var b bytes.Buffer
			if save.XGBoost(&b, e, data, ubjson) == nil {
				requireReadsBack(t, 1, e, b.Bytes())
			}
		}
	})
}
