package prune_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/lossy"
	"hew/ir"
	"hew/prune"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]prune.Options{
		"":                     {},
		"truncate=best":        {Truncate: prune.BestRound},
		"truncate=12":          {Truncate: 12},
		"epsilon=1e-4":         {Epsilon: 1e-4},
		"min-cover=20":         {MinCover: 20},
		"reduced-error":        {ReducedError: true},
		"trees=50":             {Trees: prune.Count{N: 50}},
		"trees=12.5%":          {Trees: prune.Count{Percent: 12.5}},
		"refit=0.5":            {Refit: 0.5},
		"refit=1,truncate=7":   {Refit: 1, Truncate: 7},
		"epsilon=2,trees=1%":   {Epsilon: 2, Trees: prune.Count{Percent: 1}},
		"min-cover=3,refit=10": {MinCover: 3, Refit: 10},
	} {
		got, err := prune.Parse(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

// Text in canonical form has its keys in the order in which the passes run.
func TestString(t *testing.T) {
	const all = "truncate=best,trees=10%,min-cover=20,epsilon=0.0001,reduced-error,refit=1"
	o, err := prune.Parse("refit=1,reduced-error,epsilon=1e-4,min-cover=20,trees=10%,truncate=best")
	require.NoError(t, err)
	require.Equal(t, all, o.String())
	require.Empty(t, prune.Options{}.String())
	var names []string
	for _, p := range o.Passes() {
		names = append(names, p.Name)
		require.NotEmpty(t, p.Doc)
		require.Equal(t, slices.Contains([]string{"trees", "reduced-error", "refit"}, p.Name), p.NeedsRows, p.Name)
	}
	require.Equal(t, []string{"truncate", "trees", "min-cover", "epsilon", "reduced-error", "refit"}, names)
}

func FuzzParse(f *testing.F) {
	f.Add("truncate=best,epsilon=1e-4,min-cover=20,reduced-error,trees=50")
	f.Add("trees=0.1%,refit=1e300,truncate=1")
	f.Fuzz(func(t *testing.T, text string) {
		o, err := prune.Parse(text)
		if err != nil {
			require.Zero(t, o)
			return
		}
		again, err := prune.Parse(o.String())
		require.NoError(t, err)
		require.Equal(t, o, again)
	})
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"epsilom=1":                   `unknown pruning "epsilom" (did you mean "epsilon"?)`,
		"mincover=1":                  `unknown pruning "mincover" (did you mean "min-cover"?)`,
		"quantum-leap":                `unknown pruning "quantum-leap"; there are truncate, trees, min-cover, epsilon, reduced-error, refit`,
		"epsilon=1,":                  `unknown pruning ""; there are truncate, trees, min-cover, epsilon, reduced-error, refit`,
		"epsilon":                     "epsilon needs a value: a positive number",
		"epsilon=0":                   "epsilon=0: want a positive number",
		"epsilon=-1":                  "epsilon=-1: want a positive number",
		"epsilon=NaN":                 "epsilon=NaN: want a positive number",
		"epsilon=Inf":                 "epsilon=Inf: want a positive number",
		"epsilon=small":               "epsilon=small: want a positive number",
		"truncate=0":                  "truncate=0: want best or a number of rounds",
		"truncate=-1":                 "truncate=-1: want best or a number of rounds",
		"truncate=1.5":                "truncate=1.5: want best or a number of rounds",
		"trees=0":                     "trees=0: want a number of trees, or a percentage below 100%",
		"trees=100%":                  "trees=100%: want a number of trees, or a percentage below 100%",
		"trees=0%":                    "trees=0%: want a number of trees, or a percentage below 100%",
		"reduced-error=1":             "reduced-error takes no value",
		"epsilon=1,epsilon=2":         "epsilon is given twice",
		"reduced-error,reduced-error": "reduced-error is given twice",
		"truncate=best,truncate=3":    "truncate is given twice",
		"trees=3,refit=1,trees=3%":    "trees is given twice",
		"refit=0":                     "refit=0: want a positive number",
	} {
		_, err := prune.Parse(text)
		require.EqualError(t, err, want, text)
	}
}

// What cannot be done is refused, with the reason.
func TestCheck(t *testing.T) {
	boosted := func(change func(e *ir.Ensemble)) *ir.Ensemble {
		e := covered("(f0<1 1 2)", 2, 1, 1)
		e.Trees = append(e.Trees, e.Clone().Trees...)
		e.Rounds, e.Source.Objective, e.Source.Booster = []int32{0, 1, 2}, "reg:squarederror", "gbtree"
		change(e)
		require.NoError(t, e.Verify())
		return e
	}
	plain := boosted(func(*ir.Ensemble) {})
	linear := boosted(func(e *ir.Ensemble) {
		e.Trees, e.Rounds, e.Linear = nil, nil, &ir.Linear{Weights: make([]float64, len(e.Features)), Bias: []float64{0}}
	})
	uncovered := boosted(func(e *ir.Ensemble) {
		for i := range e.Trees {
			for j := range e.Trees[i].Nodes {
				e.Trees[i].Nodes[j].Cover = 0
			}
		}
	})
	objective := func(name string) *ir.Ensemble {
		return boosted(func(e *ir.Ensemble) { e.Source.Objective = name })
	}
	forest := boosted(func(e *ir.Ensemble) {
		e.Sum, e.Source.Booster, e.Source.Objective = ir.Double, "RandomForestRegressor", "RandomForestRegressor, criterion squared_error"
		e.Post = []ir.Stage{{Code: ir.StageDivide, Args: []int32{0}, A: 2, Width: 1}}
		e.Answers = []ir.Answer{{Name: "predict", Vector: 1}}
	})
	two := boosted(func(e *ir.Ensemble) { e.Outputs, e.BaseMargin = 2, []float64{0, 0} })
	for _, c := range []struct {
		e       *ir.Ensemble
		options string
		rows    bool
		want    string // of the error; empty for none
	}{
		{plain, "truncate=2,trees=1,min-cover=2,epsilon=1,reduced-error,refit=1", true, ""},
		{linear, "", false, ""},
		{linear, "epsilon=1", true, "a linear model has no trees to prune"},
		{plain, "truncate=best", false, "truncate=best: the model file records no best round; give the number of rounds to keep"},
		{plain, "truncate=3", false, "truncate=3: the model has 2 rounds"},
		{forest, "truncate=1", false, "truncate: RandomForestRegressor has no boosting rounds to choose from"},
		{forest, "trees=1", true, "trees: RandomForestRegressor has no boosting rounds to choose from"},
		{forest, "epsilon=1,min-cover=1,reduced-error,refit=1", true, ""},
		{plain, "trees=2", true, "trees=2: that is 2 of 2 trees; one has to go, and one to stay"},
		{plain, "trees=20%", true, "trees=20%: that is 0 of 2 trees; one has to go, and one to stay"},
		{plain, "truncate=1,trees=1", true, "trees=1: that is 1 of 1 trees; one has to go, and one to stay"},
		{uncovered, "min-cover=1", false, "min-cover: the model file has no covers, the training weights that reached the nodes"},
		{uncovered, "epsilon=1", false, ""},
		{plain, "reduced-error", false, "reduced-error needs rows with labels, to measure the loss on"},
		{plain, "trees=1", false, "trees needs rows with labels, to measure the loss on"},
		{plain, "refit=1", false, "refit needs rows with labels, to measure the loss on"},
		{objective("rank:ndcg"), "reduced-error", true, "reduced-error: no loss of single rows is known for rank:ndcg; truncate, min-cover and epsilon need none"},
		{objective("rank:ndcg"), "epsilon=1", true, ""},
		{objective("survival:cox"), "trees=1", true, "trees: no loss of single rows is known for survival:cox; truncate, min-cover and epsilon need none"},
		{objective("reg:absoluteerror"), "refit=1", true, "refit: the loss of reg:absoluteerror has no curvature to fit leaves by"},
		{objective("reg:absoluteerror"), "reduced-error,trees=1", true, ""},
		{two, "reduced-error", true, "reduced-error: reg:squarederror has 2 outputs, and each row one label"},
	} {
		o, err := prune.Parse(c.options)
		require.NoError(t, err)
		err = o.Check(c.e, c.rows)
		if c.want == "" {
			require.NoError(t, err, c.options)
			continue
		}
		require.EqualError(t, err, c.want, c.options)
	}
}

// Rows that do not fit are refused, and say which.
func TestRowsErrors(t *testing.T) {
	e := ir.MustParse("(f0<1 1 2)", "(f0<2 3 4)")
	infinite := ir.MustParse("(f0<1 1 2)", "(f0<2 3 +Inf)")
	x := []float64{0, 5}
	for _, c := range []struct {
		e         *ir.Ensemble
		objective string
		d         lossy.Data
		want      string
	}{
		{e, "reg:squarederror", lossy.Data{}, "no rows with labels to measure the loss on"},
		{e, "reg:squarederror", lossy.Data{X: x, Y: []float64{1}}, "1 labels and 0 weights for 2 values in rows of 1"},
		{e, "reg:squarederror", lossy.Data{X: x, Y: []float64{1, 2}, Weight: []float64{1}}, "2 labels and 1 weights for 2 values in rows of 1"},
		{e, "reg:squarederror", lossy.Data{X: x, Y: []float64{1, 2}, Weight: []float64{1, -1}}, "row 2: weight -1"},
		{e, "reg:squarederror", lossy.Data{X: x, Y: []float64{1, 2}, Weight: []float64{0, 0}}, "the weights of all rows are 0"},
		{e, "binary:logistic", lossy.Data{X: x, Y: []float64{1, 2}}, "row 2: label 2 is not between 0 and 1"},
		{e, "binary:hinge", lossy.Data{X: x, Y: []float64{0.5, 0}}, "row 1: label 0.5 is not one of the classes 0 to 1"},
		{e, "reg:gamma", lossy.Data{X: x, Y: []float64{1, 0}}, "row 2: label 0 is not a number above 0"},
		{infinite, "reg:squarederror", lossy.Data{X: x, Y: []float64{1, 2}}, "row 2: the loss of margins [+Inf] for label 2 is +Inf"},
	} {
		c.e.Source.Objective = c.objective
		o, err := prune.Parse("trees=1")
		require.NoError(t, err)
		_, err = o.Passes()[0].Run(c.e.Clone(), &c.d)
		require.EqualError(t, err, c.want)
	}
}

// A percentage is of the number itself, not of a rounded share of it.
func TestPercentage(t *testing.T) {
	for _, percent := range []int{7, 28, 29, 57, 58} {
		e := ir.MustParse(slices.Repeat([]string{"(f0<1 1 2)"}, 100)...)
		e.Source.Objective = "reg:squarederror"
		o, err := prune.Parse(fmt.Sprintf("trees=%d%%", percent))
		require.NoError(t, err)
		_, err = o.Passes()[0].Run(e, &lossy.Data{X: []float64{0, 5}, Y: []float64{1, 2}})
		require.NoError(t, err)
		require.Len(t, e.Trees, 100-percent)
	}
}
