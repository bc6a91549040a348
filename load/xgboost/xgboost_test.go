package xgboost_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hew/ir"
	"hew/load/xgboost"
)

const goldens = "../../testdata/golden-xgboost"

func TestStump(t *testing.T) {
	e := open(t, edited(t))
	require.Equal(t, "(f0<2\n  -0.1\n  0.1)", strings.ReplaceAll(e.Format(&e.Trees[0]), "0.10000001", "0.1"))
	require.Equal(t, []float64{0.5}, e.BaseMargin)
	require.Equal(t, []int32{0, 1}, e.Rounds)
	require.Equal(t, -1, e.BestRound)
	require.Equal(t, []ir.Feature{{Name: "f0"}}, e.Features)
	require.Equal(t, []float32{4, 2, 2}, []float32{e.Trees[0].Nodes[0].Cover, e.Trees[0].Nodes[1].Cover, e.Trees[0].Nodes[2].Cover})
	require.Equal(t, ir.Source{Trainer: "xgboost", Version: "3.4.1", Container: "json", Booster: "gbtree", Objective: "reg:squarederror"}, e.Source)
}

// Models with most of what documents hold, in every order of keys and every way to
// write arrays.
func TestKeysInAnyOrder(t *testing.T) {
	for _, name := range []string{
		"xgboost-3.2-categorical-pandas-strings", "xgboost-3.2-multi-output-vector-leaf", "xgboost-3.2-dart-binary",
		"xgboost-3.4-dart-binary", "xgboost-3.2-gblinear-multi5", "xgboost-3.2-early-stopping", "xgboost-3.2-feature-names-odd",
	} {
		data, err := os.ReadFile(filepath.Join(goldens, name, "model.json"))
		require.NoError(t, err)
		want, err := read(data, "json")
		require.NoError(t, err)
		doc := parse(t, string(data))
		for seed, style := range "tcbtcb" {
			w := writer{order: shuffled(uint64(seed)), style: byte(style), space: strings.Repeat("\n\t \r", seed%2)}
			for container := range readers {
				got, err := read(w.bytes(doc, container), container)
				require.NoError(t, err, "%s %s %d", name, container, seed)
				got.Source.Container = "json"
				require.Equal(t, want, got)
			}
		}
	}
}

func TestTruncated(t *testing.T) {
	for container := range readers {
		data := sorted.bytes(edited(t), container)
		for n := range data {
			_, err := read(data[:n], container)
			require.ErrorContains(t, err, "unexpected end of file", "%s cut at %d", container, n)
		}
		_, err := read(append(data, 'x'), container)
		require.ErrorContains(t, err, "after the end of the model")
		_, err = read(append(data, "  \n"...), container)
		require.Equal(t, container == "json", err == nil, "white space after the end")
	}
}

func TestTolerated(t *testing.T) {
	want := open(t, edited(t))
	for name, edits := range map[string][]edit{
		"truth values":       {{tree + "default_left", "[false,false,false]"}},
		"integers":           {{tree + "split_conditions", "[2,-1.0000001E-1,1.0000001E-1]"}, {tree + "sum_hessian", "[4,2,2]"}},
		"long decimals":      {{tree + "split_conditions", "[2.0000000000000000000000000,-0.10000001,0.10000001]"}},
		"numbers as numbers": {{param + "num_feature", "1"}, {param + "base_score", "0.5"}},
		"no indptr":          {{model + "iteration_indptr", ""}},
		"no categories":      {{tree + "split_type", ""}, {tree + "categories", ""}, {tree + "categories_nodes", ""}, {tree + "categories_segments", ""}, {tree + "categories_sizes", ""}, {model + "cats", ""}},
		"no num_deleted":     {{tree + "tree_param.num_deleted", ""}},
		"no targets":         {{param + "num_target", ""}, {param + "boost_from_average", ""}, {tree + "tree_param.size_leaf_vector", ""}},
		"unknown keys": {{"future", `{"a":[1,{"b":[]},{},"x]\\\"",null,true,-1.5E-3,NaN,[[1,2],[3]]],"c":{}}`}, {tree + "future", `[1,2,"[",3]`},
			{"learner.future", `{"a":{"b":{"c":"\n"}}}`}},
		"parentheses":  {{param + "base_score", `"(5E-1)"`}},
		"scalar score": {{param + "base_score", `"0.5"`}},
		"spaces":       {{param + "base_score", `" [ 5E-1 ] "`}},
	} {
		if name == "unknown keys" {
			edits[0].json = strings.ReplaceAll(edits[0].json, "NaN,", "")
		}
		got := open(t, edited(t, edits...))
		require.Equal(t, want, got, name)
	}

	text := strings.Replace(stump, `"version"`, `"x":[NaN,Infinity,-Infinity,[NaN]],"version"`, 1)
	got, err := read([]byte(text), "json")
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestLiterals(t *testing.T) {
	text := strings.Replace(stump, `"split_conditions":[2E0,-1.0000001E-1,1.0000001E-1]`, `"split_conditions":[ Infinity , -Infinity,-0E0 ]`, 1)
	e, err := read([]byte(text), "json")
	require.NoError(t, err)
	require.Equal(t, "(f0<+Inf\n  -Inf\n  -0)", e.Format(&e.Trees[0]))
}

func TestStrings(t *testing.T) {
	for text, want := range map[string]string{
		`"é\u00e9\ud83d\ude00\"\\\/\n"`: "éé😀\"\\/\n",
		`"\b\f\r\tx"`:                   "\b\f\r\tx",
	} {
		doc := strings.Replace(stump, `"feature_names":[]`, `"feature_names":[`+text+`]`, 1)
		e, err := read([]byte(doc), "json")
		require.NoError(t, err)
		require.Equal(t, want, e.Features[0].Name)
	}
	for _, text := range []string{`"\x"`, `"\u12g4"`, `"\ud83d"`, `"\ud83dx"`, "\"\xff\""} {
		doc := strings.Replace(stump, `"feature_names":[]`, `"feature_names":[`+text+`]`, 1)
		_, err := read([]byte(doc), "json")
		require.Error(t, err, text)
	}
}

// logit03 is what XGBoost 3.2 answers for a base score of 0.3.
const logit03 = -0.84729785

// TestRules holds the rules that differ between versions and objectives.
func TestRules(t *testing.T) {
	const trained, untrained = true, false
	bits := func(b uint32) float64 { return float64(math.Float32frombits(b)) }
	for _, c := range []struct {
		version, objective, base string
		trees                    bool
		margin                   float64
		link                     ir.Link
		task                     ir.Task
	}{
		{"3.2.0", "reg:squarederror", "[2.5E0]", trained, 2.5, ir.Identity, ir.Regression},
		{"1.0.0", "reg:linear", "0.500000", trained, 0.5, ir.Identity, ir.Regression},
		{"3.2.0", "reg:absoluteerror", "[2E0]", trained, 2, ir.Identity, ir.Regression},
		{"3.2.0", "reg:pseudohubererror", "[2E0]", trained, 2, ir.Identity, ir.Regression},
		{"3.2.0", "reg:squaredlogerror", "[2E0]", trained, 2, ir.Identity, ir.Regression},

		{"1.5.2", "binary:logistic", "5E-1", trained, math.Copysign(0, -1), ir.Sigmoid, ir.Classification},
		{"1.6.0", "binary:logistic", "3E-1", trained, logit03, ir.SigmoidClamped, ir.Classification},
		{"3.1.0", "reg:logistic", "[3E-1]", trained, logit03, ir.SigmoidClamped, ir.Regression},
		{"3.2.0", "binary:logistic", "[0E0]", trained, bits(0xC15D0C54), ir.SigmoidClamped, ir.Classification},
		{"3.4.1", "binary:logistic", "[1E0]", trained, bits(0x415BEC2D), ir.SigmoidClamped, ir.Classification},

		{"1.3.0", "binary:logitraw", "3E-1", trained, logit03, ir.Identity, ir.Classification},
		{"1.3.1", "binary:logitraw", "3E-1", trained, bits(0x3e99999a), ir.Identity, ir.Classification},
		{"3.2.0", "binary:hinge", "[1E0]", trained, 1, ir.Step, ir.Classification},

		{"3.2.0", "count:poisson", "[0E0]", trained, math.Inf(-1), ir.Exp, ir.Regression}, // of all-zero labels
		{"3.2.0", "count:poisson", "[7.5E0]", trained, 2.0149030, ir.Exp, ir.Regression},
		{"2.0.0", "reg:gamma", "7.5E0", trained, 2.0149030, ir.Exp, ir.Regression},
		{"2.0.0", "reg:tweedie", "7.5E0", trained, 2.0149030, ir.Exp, ir.Regression},
		{"2.0.0", "survival:cox", "7.5E0", trained, 2.0149030, ir.Exp, ir.Regression},
		{"1.2.0", "survival:aft", "7.5E0", trained, 2.0149030, ir.Exp, ir.Regression},
		{"1.1.1", "survival:aft", "7.500000", trained, 2.0149030, ir.Exp, ir.Regression},

		{"3.2.0", "rank:ndcg", "[2E0]", trained, 2, ir.Identity, ir.Ranking},
		{"3.2.0", "rank:map", "[2E0]", trained, 2, ir.Identity, ir.Ranking},
		{"3.2.0", "rank:pairwise", "[2E0]", trained, 2, ir.Identity, ir.Ranking},
		{"3.3.0", "reg:quantileerror", "[2E0]", trained, 2, ir.Identity, ir.Regression},
		{"3.4.0", "reg:quantileerror", "[2E0]", trained, 2, ir.Sort, ir.Regression},
		{"3.3.0", "reg:expectileerror", "[2E0]", trained, 2, ir.Gaps, ir.Regression},

		// Without trees, and a base score that was to be estimated.
		{"3.0.0", "binary:logistic", "3E-1", untrained, logit03, ir.SigmoidClamped, ir.Classification},
		{"3.1.0", "binary:logistic", "[5E-1]", untrained, 0.5, ir.SigmoidClamped, ir.Classification},
		// Such as 3.2 writes when it loads and saves a model of 1.0.
		{"3.2.0", "binary:logistic", "[3E-1]", untrained, bits(0x3e99999a), ir.SigmoidClamped, ir.Classification},
	} {
		edits := []edit{
			{"version", "[" + strings.ReplaceAll(c.version, ".", ",") + "]"},
			{"learner.objective.name", strconv.Quote(c.objective)},
			{param + "base_score", strconv.Quote(c.base)},
		}
		if !c.trees {
			edits = append(edits, edit{model + "trees", "[]"}, edit{model + "tree_info", "[]"},
				edit{model + "iteration_indptr", "[0]"}, edit{model + "gbtree_model_param.num_trees", `"0"`})
		}
		e := open(t, edited(t, edits...))
		name := fmt.Sprint(c)
		require.Equal(t, math.Float32bits(float32(c.margin)), math.Float32bits(float32(e.BaseMargin[0])), "%s: %v", name, e.BaseMargin)
		require.Equal(t, c.link, e.Link, name)
		require.Equal(t, c.task, e.Task, name)
		require.Equal(t, strings.HasPrefix(c.version, "1.0") || strings.HasPrefix(c.version, "1.1") || strings.HasPrefix(c.version, "1.2"), e.BaseLast, name)
	}
}

func TestUserBaseScoreWithoutTrees(t *testing.T) {
	e := open(t, edited(t, edit{model + "trees", "[]"}, edit{model + "tree_info", "[]"}, edit{model + "iteration_indptr", "[0]"},
		edit{model + "gbtree_model_param.num_trees", `"0"`}, edit{param + "boost_from_average", `"0"`},
		edit{"learner.objective.name", `"binary:logistic"`}, edit{param + "base_score", `"[3E-1]"`}))
	require.Equal(t, float32(logit03), float32(e.BaseMargin[0]))
}

func TestOutputs(t *testing.T) {
	multi := open(t, edited(t, edit{param + "num_class", `"3"`}, edit{"learner.objective.name", `"multi:softmax"`}, edit{model + "tree_info", "[2]"},
		edit{model + "iteration_indptr", "[0,1]"}))
	require.Equal(t, 3, multi.Outputs)
	require.Equal(t, []float64{0.5, 0.5, 0.5}, multi.BaseMargin, "one base score serves all")
	require.Equal(t, ir.Argmax, multi.Link)
	require.EqualValues(t, 2, multi.Trees[0].Output)

	targets := open(t, edited(t, edit{param + "num_target", `"2"`}, edit{"learner.objective.name", `"binary:logistic"`}, edit{param + "base_score", `"[5E-1,3E-1]"`}))
	require.Equal(t, ir.MultiLabel, targets.Task, "several labels are no classes")
	require.Equal(t, float32(logit03), float32(targets.BaseMargin[1]))

	gaps := open(t, edited(t, edit{param + "num_target", `"3"`}, edit{"learner.objective.name", `"reg:expectileerror"`}, edit{param + "base_score", `"[1E0,2E0,2E0]"`}))
	require.Equal(t, 1.0, gaps.BaseMargin[0])
	require.InDelta(t, math.Log(math.Expm1(1-1e-6)), gaps.BaseMargin[1], 1e-6)
	require.InDelta(t, math.Log(math.Expm1(1e-6)), gaps.BaseMargin[2], 1e-5)
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		want  string
		edits []edit
	}{
		{"num_feature is 0, want at least 1", []edit{{param + "num_feature", `"0"`}}},
		{"2000000000 features, at most", []edit{{param + "num_feature", `"2000000000"`}}},
		{"2000000000 outputs, at most", []edit{{param + "num_class", `"2000000000"`}}},
		{"base_score 1.5 is not in (0, 1)", []edit{{"version", "[3,1,0]"}, {"learner.objective.name", `"binary:logistic"`}, {param + "base_score", `"[1.5E0]"`}}},
		{"base_score 1 is not in (0, 1)", []edit{{"version", "[3,1,0]"}, {"learner.objective.name", `"binary:logistic"`}, {param + "base_score", `"[1E0]"`}}},
		{"base_score -0.5 is not in [0, 1]", []edit{{"learner.objective.name", `"binary:logistic"`}, {param + "base_score", `"[-5E-1]"`}}},
		{"base_score -1 of count:poisson is negative", []edit{{"learner.objective.name", `"count:poisson"`}, {param + "base_score", `"[-1E0]"`}}},
		{`base_score "[Infinity]" is not a finite number`, []edit{{param + "base_score", `"[Infinity]"`}}},
		{`base_score "[]" is not a finite number`, []edit{{param + "base_score", `"[]"`}}},
		{"written by XGBoost 0.90.0; save it again", []edit{{"version", "[0,90,0]"}}},
		{`no "version"`, []edit{{"version", ""}}},
		{"is not three numbers", []edit{{"version", "[3,4]"}}},
		{"version [1 1 1 1 1 1 1 1] is not three numbers", []edit{{"version", "[" + strings.Repeat("1,", 999) + "1]"}}},
		{`no key "learner"`, []edit{{"learner", ""}}},
		{"the learner has no booster", []edit{{"learner.gradient_booster", ""}}},
		{`no "name" in the booster`, []edit{{booster + "name", ""}}},
		{"the booster has no model", []edit{{booster + "model", ""}}},
		{"a configuration, as Booster.save_config writes it, holds no trees; save the model", []edit{{booster + "model", ""}, {"learner.learner_train_param", "{}"}}},
		{"no learner_model_param", []edit{{"learner.learner_model_param", ""}}},
		{`no "left_children" in the tree`, []edit{{tree + "left_children", ""}}},
		{"a dart model without weight_drop", []edit{{booster + "name", `"dart"`}}},
		{"right child 1 does not follow the left child", []edit{{tree + "left_children", "[2,-1,-1]"}, {tree + "right_children", "[1,-1,-1]"}}},
		{"tree 0, node 1: right child 5, but no left child", []edit{{tree + "right_children", "[2,5,-1]"}}},
		{"tree 0, node 0: default_left is 2", []edit{{tree + "default_left", "[2,0,0]"}}},
		{"1 trees are no whole number of rounds of 3", []edit{{param + "num_class", `"3"`}, {model + "tree_info", "[2]"}, {model + "iteration_indptr", ""}}},
		{"1 trees are no whole number of rounds of 4294967296", []edit{{param + "num_class", `"4"`}, {model + "tree_info", "[3]"}, {model + "iteration_indptr", ""},
			{model + "gbtree_model_param.num_parallel_tree", `"1073741824"`}}},
		{"1 trees are no whole number of rounds of 4294967295", []edit{{param + "num_class", `"3"`}, {model + "tree_info", "[2]"}, {model + "iteration_indptr", ""},
			{model + "gbtree_model_param.num_parallel_tree", `"1431655765"`}}},
		{"tree 0, node 1: its categories are those of another node too", []edit{{tree + "categories_nodes", "[0,1]"}, {tree + "categories_segments", "[0,1]"},
			{tree + "categories_sizes", "[2,1]"}, {tree + "categories", "[1,2]"}}},
		{"leaf vectors of 2 values for 1 outputs", []edit{{tree + "tree_param.size_leaf_vector", `"2"`}, {tree + "leaf_weights", "[1,2,3,4]"}, {tree + "right_children", "[2,0,1]"}}},
		{"node 1: leaf vector 2 out of range [0, 2)", []edit{{param + "num_target", `"2"`}, {tree + "tree_param.size_leaf_vector", `"2"`}, {tree + "leaf_weights", "[1,2,3,4]"}, {tree + "right_children", "[2,2,1]"}}},
		{"leaf vectors, but no leaf_weights", []edit{{param + "num_target", `"2"`}, {tree + "tree_param.size_leaf_vector", `"2"`}, {tree + "base_weights", "[1,2,3,4,5,6]"}}},
		{`features 0 and 1 are both named "a"`, []edit{{param + "num_feature", `"2"`}, {"learner.feature_names", `["a","a"]`}}},
		{"feature_types has 1 entries for 2 features", []edit{{param + "num_feature", `"2"`}, {"learner.feature_types", `["c"]`}}},
		{"categories_nodes holds 0 at place 1", []edit{{tree + "categories_nodes", "[0,0]"}, {tree + "categories_segments", "[0,0]"}, {tree + "categories_sizes", "[1,1]"}, {tree + "categories", "[1]"}}},
		{"weight_drop has 2 entries for 1 trees", []edit{{model + "weight_drop", "[0.3,0.7]"}}},
		{"weight_drop has 0 entries for 1 trees", []edit{{booster + "weight_drop", "[]"}, {"version", "[3,2,0]"}}},
		{"a second weight_drop", []edit{{booster + "weight_drop", "[1]"}, {model + "weight_drop", "[1]"}}},
		{"a second model", []edit{{booster + "gbtree", `{"model":{}}`}}},
	} {
		requireRefused(t, edited(t, c.edits...), c.want)
	}
	// Up to 1.2 XGBoost follows the file.
	open(t, edited(t, edit{"version", "[1,2,1]"}, edit{tree + "left_children", "[2,-1,-1]"}, edit{tree + "right_children", "[1,-1,-1]"}))
}

func TestDartLayouts(t *testing.T) {
	inner := `{"model":` + string(sorted.bytes(edited(t).(map[string]any)["learner"].(map[string]any)["gradient_booster"].(map[string]any)["model"], "json")) + `,"name":"gbtree"}`
	want := float64(float32(0.10000001) * float32(0.3))
	for name, edits := range map[string][]edit{
		"up to 3.2": {{booster + "model", ""}, {booster + "gbtree", inner}, {booster + "weight_drop", "[0.3]"}, {booster + "name", `"dart"`}},
		"3.3":       {{booster + "weight_drop", "[0.3]"}},
		"from 3.4":  {{model + "weight_drop", "[0.3]"}},
		// What process_type=update leaves: more weights than trees.
		"updated up to 3.3": {{booster + "weight_drop", "[0.3,0.7]"}, {"version", "[3,3,0]"}},
	} {
		e := open(t, edited(t, edits...))
		require.Equal(t, -want, e.Trees[0].Nodes[1].Value, name)
		require.Equal(t, want, e.Trees[0].Nodes[2].Value, name)
		require.Equal(t, 2.0, e.Trees[0].Nodes[0].Threshold, name)
	}
}

// A leaf of -0 shows in the margin if the base margin is -0, as that of
// binary:logistic is for a base score of 0.5.
func TestDartNegativeZero(t *testing.T) {
	for _, c := range []struct {
		version  string
		negative bool
	}{{"[1,3,3]", true}, {"[1,4,0]", false}, {"[3,2,0]", false}, {"[3,3,0]", true}} {
		e := open(t, edited(t, edit{booster + "weight_drop", "[0.3]"}, edit{"version", c.version}, edit{tree + "split_conditions", "[2,-0E0,1]"}))
		require.Equal(t, c.negative, math.Signbit(e.Trees[0].Nodes[1].Value), c.version)
	}
}

func TestVectorLeaves(t *testing.T) {
	vector := []edit{{param + "num_target", `"2"`}, {tree + "tree_param.size_leaf_vector", `"2"`}}
	now := open(t, edited(t, append(vector, edit{tree + "leaf_weights", "[1,2,3,4]"}, edit{tree + "right_children", "[2,1,0]"}, edit{model + "weight_drop", "[0.5]"})...))
	require.Equal(t, "(f0<2\n  [1.5 2]\n  [0.5 1])", now.Format(&now.Trees[0]))
	old := open(t, edited(t, append(vector, edit{tree + "base_weights", "[0,0,3,4,1,2]"}, edit{"version", "[3,1,0]"})...))
	require.Equal(t, "(f0<2\n  [3 4]\n  [1 2])", old.Format(&old.Trees[0]))
}

func TestCategoricalRules(t *testing.T) {
	for _, c := range []struct {
		version, listed, left string
		defaultLeft           int
	}{
		{"3.2.0", "[0,3,31]", "-Inf:0,1:3,4:31,32:", 0},
		{"1.7.3", "[31,0,3]", "-Inf:0,1:3,4:31,32:", 1},
		{"1.7.2", "[0,3,31]", "1:3,4:31", 0},
		{"1.6.0", "[0,3,31]", "-Inf:0,1:3,4:31,32:", 1},
		{"1.6.0", "[1]", "0:1,2:32", 0},
		{"1.6.0", "[32]", "0:32,33:64", 0},
		{"1.5.2", "[0,3,31]", "-Inf:-0.99999994,1:3,4:31,32:", 0},
		{"1.3.0", "[1,2]", "-Inf:1,3:", 1},
	} {
		e := open(t, edited(t,
			edit{"version", "[" + strings.ReplaceAll(c.version, ".", ",") + "]"},
			edit{tree + "split_type", "[1,0,0]"}, edit{tree + "categories_nodes", "[0]"}, edit{tree + "categories_segments", "[0]"},
			edit{tree + "categories_sizes", fmt.Sprintf("[%d]", 1+strings.Count(c.listed, ","))}, edit{tree + "categories", c.listed},
			edit{tree + "default_left", fmt.Sprintf("[%d,0,0]", c.defaultLeft)}))
		require.Equal(t, c.left, e.Sets[e.Trees[0].Nodes[0].Set].String(), "%v", c)
		require.Equal(t, ir.Categorical, e.Features[0].Type)
		require.Equal(t, c.defaultLeft == 1, e.Trees[0].Nodes[0].DefaultLeft)
	}
}

// Random lists of categories against XGBoost's own words
// (src/common/categorical.h, Decision).
func TestCategoricalRulesAtRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	probes := []float32{-1e9, -2, -1, -0.99999994, -0.5, float32(math.Copysign(0, -1)), 0.5, 2.7, 1e6, 1<<24 - 1, 1 << 24, 1e30, float32(math.Inf(1)), float32(math.Inf(-1))}
	for i := range 101 {
		probes = append(probes, float32(i))
	}
	for range 60 {
		listed := map[int32]bool{}
		top := int32(0)
		for range 1 + r.IntN(12) {
			c := int32(r.IntN(98))
			listed[c] = true
			top = max(top, c)
		}
		var codes []string
		for c := range listed {
			codes = append(codes, strconv.Itoa(int(c)))
		}
		for version, left := range map[string]func(x float32, defaultLeft bool) bool{
			"[3,2,0]": func(x float32, _ bool) bool { return x < 0 || x >= 1<<24 || !listed[int32(x)] },
			"[1,6,2]": func(x float32, dl bool) bool {
				if x < 0 || x >= 1<<24 || x >= float32((top/32+1)*32) {
					return dl
				}
				return !listed[int32(x)]
			},
			"[1,5,0]": func(x float32, _ bool) bool { return x <= -1 || x >= 1<<24 || !listed[int32(x)] },
		} {
			for dl := range 2 {
				e := open(t, edited(t, edit{"version", version}, edit{tree + "split_type", "[1,0,0]"}, edit{tree + "categories_nodes", "[0]"},
					edit{tree + "categories_segments", "[0]"}, edit{tree + "categories_sizes", fmt.Sprintf("[%d]", len(codes))},
					edit{tree + "categories", "[" + strings.Join(codes, ",") + "]"}, edit{tree + "default_left", fmt.Sprintf("[%d,0,0]", dl)}))
				for _, x := range probes {
					require.Equal(t, left(x, dl == 1), e.Sets[0].Contains(float64(x)), "%s %v %v %v", version, codes, dl, x)
				}
			}
		}
	}
}

func TestCategoryNames(t *testing.T) {
	const columns = `{"enc":[{"offsets":[0,2,3,4],"values":[98,98,99,97]},{"offsets":[],"values":[]},{"type":15,"values":[10,-3]},` +
		`{"type":10,"values":[-1]},{"type":16,"values":[-1]},{"offsets":[0,0,3],"values":[-61,-87,98]}],"feature_segments":[0,3,3,5,6,7,9],"sorted_idx":[]}`
	six := edit{param + "num_feature", `"6"`}
	e := open(t, edited(t, six, edit{model + "cats", columns}))
	require.Equal(t, []ir.Feature{
		{Name: "f0", Type: ir.Categorical, Categories: []string{"bb", "c", "a"}},
		{Name: "f1"},
		{Name: "f2", Type: ir.Categorical, Categories: []string{"10", "-3"}},
		{Name: "f3", Type: ir.Categorical, Categories: []string{"255"}},
		{Name: "f4", Type: ir.Categorical, Categories: []string{"18446744073709551615"}},
		{Name: "f5", Type: ir.Categorical, Categories: []string{"", "éb"}},
	}, e.Features)

	// Before 3.4 names that are not ASCII cannot be trusted.
	e = open(t, edited(t, six, edit{model + "cats", columns}, edit{"version", "[3,3,0]"}))
	require.Equal(t, ir.Feature{Name: "f5", Type: ir.Categorical}, e.Features[5])
	require.Equal(t, []string{"bb", "c", "a"}, e.Features[0].Categories)
	require.Len(t, e.Source.Warnings, 1)

	for _, garbled := range []string{
		`{"offsets":[0,1,2],"values":[-61,-87]}`, `{"offsets":[0,3],"values":[97]}`, `{"offsets":[0,2,1,3],"values":[97,97,97]}`, `{"offsets":[0,9,3],"values":[97,97,97]}`,
		`{"offsets":[],"values":[97]}`, `{"offsets":[0,1],"values":[1000]}`, `{"offsets":[1,2],"values":[97,97]}`,
	} {
		e = open(t, edited(t, edit{model + "cats", `{"enc":[` + garbled + `]}`}))
		require.Equal(t, []ir.Feature{{Name: "f0", Type: ir.Categorical}}, e.Features, garbled)
		require.Len(t, e.Source.Warnings, 1)
	}
	requireRefused(t, edited(t, edit{model + "cats", `{"enc":[{"type":7,"values":[1]}]}`}), `category "1" is no integer of type 7`)
	requireRefused(t, edited(t, six, edit{model + "cats", `{"enc":[{"type":15,"values":[1]}]}`}), "cats.enc has 1 entries for 6 features")
}

func TestWarnings(t *testing.T) {
	for want, edits := range map[string][]edit{
		"written by XGBoost 3.5.0; the newest known is 3.4": {{"version", "[3,5,0]"}},
		`best_iteration "7" is none of the 1 rounds`:        {{"learner.attributes", `{"best_iteration":"7"}`}},
		"feature 0 has an empty name; it is called f0":      {{"learner.feature_names", `[""]`}},
		`feature 0 is of unknown type "zz"`:                 {{"learner.feature_types", `["zz"]`}},
		"the attribute scikit_learn is no JSON object":      {{"learner.attributes", `{"scikit_learn":"{"}`}},
		"3 class labels for 2 classes":                      {{"learner.attributes", `{"scikit_learn":"{\"missing\":NaN,\"classes_\":[1,2,3]}"}`}, {"learner.objective.name", `"binary:logistic"`}},
	} {
		e := open(t, edited(t, edits...))
		require.Len(t, e.Source.Warnings, 1, want)
		require.Contains(t, e.Source.Warnings[0], want)
	}
	e := open(t, edited(t, edit{"learner.attributes", `{"scikit_learn":"{\"_le\":{\"classes_\":[\"no\",\"yes\"]},\"classes_\":[0,1]}","best_iteration":"0"}`},
		edit{"learner.objective.name", `"binary:logistic"`}, edit{"learner.feature_types", `["int"]`}))
	require.Equal(t, []string{"no", "yes"}, e.Classes)
	require.Equal(t, 0, e.BestRound)
	require.Equal(t, ir.Int, e.Features[0].Type)
	require.Empty(t, e.Source.Warnings)
}

// DART models were summed from zero for one version longer than others.
func TestDartBaseLast(t *testing.T) {
	for version, want := range map[string]bool{"[1,2,1]": true, "[1,3,3]": true, "[1,4,0]": false} {
		e := open(t, edited(t, edit{booster + "name", `"dart"`}, edit{booster + "weight_drop", "[0.3]"}, edit{"version", version}))
		require.Equal(t, want, e.BaseLast, version)
	}
}

func TestLinear(t *testing.T) {
	linear := func(weights, rounds string, more ...edit) any {
		return edited(t, append([]edit{{booster + "name", `"gblinear"`}, {booster + "model", `{"weights":` + weights + rounds + `}`},
			{param + "num_class", `"2"`}, {param + "num_feature", `"2"`}, {"learner.objective.name", `"multi:softprob"`}, {param + "base_score", `"[1E0,2E0]"`}}, more...)...)
	}
	e := open(t, linear("[1.5,2.5,3.5,4.5,5.5,6.5]", `,"boosted_rounds":3`))
	require.Equal(t, &ir.Linear{Weights: []float64{1.5, 2.5, 3.5, 4.5}, Bias: []float64{5.5, 6.5}}, e.Linear)
	require.Equal(t, []float64{1, 1}, e.BaseMargin, "all groups start from the first")
	require.Equal(t, 0, e.NumRounds())
	poisson := []edit{{param + "num_class", ""}, {"learner.objective.name", `"count:poisson"`}, {param + "base_score", `"[1E0]"`}}
	require.Equal(t, []float64{1}, open(t, linear("[1,2,3]", `,"boosted_rounds":0`, poisson...)).BaseMargin, "yet to be trained: no link")
	require.Equal(t, []float64{0}, open(t, linear("[1,2,3]", ``, poisson...)).BaseMargin, "files of 1.0 to 1.4 do not state the rounds")
	empty := open(t, linear("[]", `,"boosted_rounds":0`, poisson...))
	require.Equal(t, &ir.Linear{Weights: []float64{0, 0}, Bias: []float64{0}}, empty.Linear, "never trained")
	requireRefused(t, linear("[1,2,3]", ``), "3 weights for 2 features and 2 outputs, want 6")
	requireRefused(t, linear("[]", ``, edit{param + "num_feature", `"1000000"`}, edit{param + "num_class", `"60000"`}, edit{param + "base_score", `"[1E0]"`}), "0 weights for 1000000 features and 60000 outputs")
}

func TestRounds(t *testing.T) {
	one := string(sorted.bytes(edited(t).(map[string]any)["learner"].(map[string]any)["gradient_booster"].(map[string]any)["model"].(map[string]any)["trees"].([]any)[0], "json"))
	var trees []string
	for i := range 12 {
		trees = append(trees, strings.Replace(one, `"id":0`, fmt.Sprintf(`"id":%d`, i), 1))
	}
	twelve := []edit{{model + "trees", "[" + strings.Join(trees, ",") + "]"}, {model + "gbtree_model_param.num_trees", `"12"`},
		{model + "iteration_indptr", ""}, {param + "num_class", `"3"`}, {model + "tree_info", "[0,0,1,1,2,2,0,0,1,1,2,2]"}}
	e := open(t, edited(t, append(slices.Clone(twelve), edit{model + "gbtree_model_param.num_parallel_tree", `"2"`})...))
	require.Equal(t, []int32{0, 6, 12}, e.Rounds)
	e = open(t, edited(t, append(slices.Clone(twelve), edit{model + "gbtree_model_param.num_parallel_tree", ""})...))
	require.Equal(t, []int32{0, 6, 12}, e.Rounds, "the number of parallel trees shows in tree_info")
	e = open(t, edited(t, append(slices.Clone(twelve), edit{param + "num_class", ""}, edit{model + "tree_info", "[0,0,0,0,0,0,0,0,0,0,0,0]"},
		edit{model + "gbtree_model_param.num_parallel_tree", `"3"`})...))
	require.Equal(t, []int32{0, 3, 6, 9, 12}, e.Rounds)
}

// A file must not make the reader allocate what it merely claims to hold.
func TestHostileCounts(t *testing.T) {
	count := func(header string, n uint64) string {
		return header + "L" + string(binary.BigEndian.AppendUint64(nil, n))
	}
	good := string(sorted.bytes(edited(t), "ubjson"))
	for name, c := range map[string]struct{ old, value, want string }{
		"floats":          {"base_weights", count("[$d#", 1<<60), "unexpected end of file"},
		"doubles":         {"base_weights", count("[$D#", 1<<60), "unexpected end of file"},
		"untyped floats":  {"base_weights", count("[#", 1<<60), "instead of an integer"},
		"ints":            {"left_children", count("[$l#", 1<<60), "unexpected end of file"},
		"bytes":           {"left_children", count("[$U#", 1<<60), "unexpected end of file"},
		"untyped ints":    {"left_children", count("[#", 1<<40), "instead of an integer"},
		"nulls":           {"loss_changes", count("[$Z#", 1<<40), "elements of type 'Z'"},
		"skipped floats":  {"loss_changes", count("[$d#", 1<<60), "unexpected end of file"},
		"skipped doubles": {"loss_changes", count("[$D#", 1<<62), "an array of 4611686018427387904 elements"},
		"skipped any":     {"loss_changes", count("[#", 1<<60), ""},
		"trees":           {"trees", count("[#", 1<<60), ""},
		"string":          {"\x00\x04name", count("S", 1<<50), "unexpected end of file"},
		"skipped string":  {"parents", count("S", 1<<50), "unexpected end of file"},
	} {
		i := strings.Index(good, c.old) + len(c.old)
		data := good[:i] + c.value + good[i+1:]
		if name != "trees" && name != "skipped any" && name != "untyped ints" && name != "untyped floats" {
			data = good[:i] + c.value + strings.Repeat("x", 100)
		}
		var err error
		allocated := allocatedBy(func() { _, err = read([]byte(data), "ubjson") })
		require.ErrorContains(t, err, c.want, name)
		require.Less(t, allocated, 1<<20, name)
	}
}

func allocatedBy(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

func TestDeepNesting(t *testing.T) {
	for container, data := range map[string]string{
		"json":   `{"x":` + strings.Repeat(`[`, 200_000),
		"ubjson": "{Ui" + "x" + strings.Repeat("[", 300_000),
	} {
		if container == "ubjson" {
			data = "{i\x01x" + strings.Repeat("[", 300_000)
		}
		_, err := read([]byte(data), container)
		require.ErrorContains(t, err, "nested deeper than 64", container)
	}
	for container, data := range map[string]string{
		"json":   strings.Repeat(`{"learner":`, 30_000),
		"ubjson": strings.Repeat("{i\x07learner", 30_000),
	} {
		_, err := read([]byte(data), container)
		require.ErrorContains(t, err, "nested deeper than 64", container)
	}
}

// What is skipped must be skipped in linear time, whatever it is.
func TestSkipIsLinear(t *testing.T) {
	start := time.Now()
	defer func() { require.Less(t, time.Since(start), 20*time.Second, "a second is plenty") }()
	for _, element := range []string{"1,{},", `"x",`, "1,", "[1,2],", "1,[],"} {
		text := strings.Replace(stump, `"version"`, `"x":[`+strings.Repeat(element, 200_000)+`0],"version"`, 1)
		_, err := read([]byte(text), "json")
		require.NoError(t, err, element)
	}
}

func TestNumbers(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	check := func(text string) {
		v, err := strconv.ParseFloat(text, 32)
		want := float32(v)
		f, n := xgboost.ScanFloat([]byte(text + ","))
		if n > 0 {
			require.Equal(t, len(text), n, text)
			require.Equal(t, math.Float32bits(want), math.Float32bits(f), text)
		}
		f, ok := xgboost.ParseFloat([]byte(text))
		require.Equal(t, err == nil, ok, text)
		if ok {
			require.Equal(t, math.Float32bits(want), math.Float32bits(f), text)
		}
	}
	fast := 0
	for range 40_000 {
		f := math.Float32frombits(r.Uint32())
		if f != f || f-f != 0 {
			continue
		}
		text := strconv.FormatFloat(float64(f), 'E', -1, 32)
		check(text)
		if _, n := xgboost.ScanFloat([]byte(text + ",")); n > 0 {
			fast++
		}
		// Halfway between two neighbours, and a little beside it.
		half := (float64(f) + float64(math.Nextafter32(f, 1e38))) / 2
		check(strconv.FormatFloat(half, 'E', -1, 64))
		check(strconv.FormatFloat(half, 'f', 12, 64))
		check(strconv.FormatFloat(math.Nextafter(half, 1e39), 'E', 17, 64))
		check(fmt.Sprintf("%d.%dE%d", r.Uint32(), r.Uint32(), r.IntN(90)-50))
	}
	require.Greater(t, fast, 4_000, "the fast path is taken")
	for _, text := range []string{"0", "-0", "0E0", "-0E0", "1E400", "1E-400", "3.4028235E38", "3.4028236E38", "3.4028235677973366E38", "1E-45", "7E-46", "1.1754944E-38", "1.1754943E-38",
		"16777217", "16777219", "9007199254740993", "100000000000000000000000", "0.1", "00012", "1e5", "1E+5"} {
		check(text)
	}
	for _, text := range []string{"", "-", "+1", ".5", "1.", "1e", "1e+", "1.2.3", "nan", "inf", "Inf", "infinity", "-NaN", "0x1p3", "1_000", "1f", "--1", "1e5.5"} {
		_, ok := xgboost.ParseFloat([]byte(text))
		require.False(t, ok, text)
		_, n := xgboost.ScanFloat([]byte(text + ","))
		require.True(t, n == 0 || text[:n] != text, text)
	}
}

func TestInts(t *testing.T) {
	for text, want := range map[string]int32{"0": 0, "-1": -1, "123456789": 123456789, "-00012": -12, "2147483647": 0, "": 0, "-": 0, "12x": 12} {
		v, n := xgboost.ScanInt([]byte(text + ","))
		if n > 0 {
			require.Equal(t, want, v, text)
		} else {
			require.True(t, want == 0, text)
		}
	}
	for _, v := range []int32{math.MinInt32, math.MaxInt32, 1234567890} {
		e := open(t, edited(t, edit{tree + "split_indices", fmt.Sprintf("[0,%d,%d]", v, v)}))
		require.Len(t, e.Trees[0].Nodes, 3, "what leaves have as split index does not matter")
	}
	counted := writer{order: slices.Sort[[]string], style: 'c'}
	for container := range readers {
		_, err := read(counted.bytes(edited(t, edit{tree + "split_indices", "[0,0,2147483648]"}), container), container)
		require.ErrorContains(t, err, "is not a 32-bit integer")
	}
}

func FuzzJSON(f *testing.F)   { fuzz(f, "json") }
func FuzzUBJSON(f *testing.F) { fuzz(f, "ubjson") }

// fuzz checks that bytes give an error or a well-formed ensemble.
func fuzz(f *testing.F, container string) {
	file := map[string]string{"json": "model.json", "ubjson": "model.ubj"}[container]
	f.Add(sorted.bytes(edited(f), container))
	f.Add(sorted.bytes(edited(f, edit{param + "num_target", `"2"`}, edit{tree + "tree_param.size_leaf_vector", `"2"`},
		edit{tree + "leaf_weights", "[1,2,3,4]"}, edit{tree + "right_children", "[2,1,0]"}), container))
	f.Add(sorted.bytes(edited(f, edit{tree + "split_type", "[1,0,0]"}, edit{tree + "categories_nodes", "[0]"}, edit{tree + "categories_segments", "[0]"},
		edit{tree + "categories_sizes", "[2]"}, edit{tree + "categories", "[1,3]"}, edit{"version", "[1,7,0]"},
		edit{model + "cats", `{"enc":[{"offsets":[0,2,3],"values":[98,98,99]}]}`}), container))
	for _, name := range []string{"xgboost-3.2-handmade-dart-weights", "xgboost-3.2-gblinear-binary", "xgboost-3.2-one-tree-one-node", "xgboost-3.2-no-trees"} {
		data, err := os.ReadFile(filepath.Join(goldens, name, file))
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := readers[container](bytes.NewReader(data))
		if (e == nil) == (err == nil) {
			t.Fatalf("ensemble %v and error %v", e, err)
		}
		if err != nil {
			return
		}
		if err := e.Verify(); err != nil {
			t.Fatal(err)
		}
	})
}
