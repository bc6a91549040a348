package metric_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/metric"
)

// A golden is predictions with the values that others give them; testdata/golden.py
// made them.
type golden struct {
	Name   string
	Metric string
	Width  int
	Label  []float64
	Pred   []float64
	Weight []float64
	Query  []int
	Want   map[string]float64 // by who says so
}

// slack says how far, relatively, a value may be from ours. XGBoost computes in float32,
// and keeps chances of its softmax only 1e-7 away from those asked for.
var slack = map[string]float64{"scikit-learn": 1e-12, "numpy": 1e-12, "xgboost": 2e-6}

func goldens(t *testing.T) []golden {
	data, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	var all []golden
	require.NoError(t, json.Unmarshal(data, &all))
	require.Greater(t, len(all), 70)
	return all
}

func (g *golden) judge(t *testing.T) metric.Scores {
	m, err := metric.Named(g.Metric)
	require.NoError(t, err)
	s, err := m.Judge(&metric.Data{Label: g.Label, Weight: g.Weight, Query: g.Query}, g.Pred, g.Width)
	require.NoError(t, err)
	return s
}

// TestGolden compares every metric with scikit-learn's and XGBoost's.
func TestGolden(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range goldens(t) {
		seen[strings.Split(g.Metric, "@")[0]] = true
		t.Run(g.Metric+" of "+g.Name, func(t *testing.T) {
			got := g.judge(t).Value(nil)
			require.NotEmpty(t, g.Want)
			for who, want := range g.Want {
				require.InDelta(t, want, got, slack[who]*max(1, math.Abs(want)), who)
			}
		})
	}
	for _, name := range metric.Names() {
		require.True(t, seen[strings.FieldsFunc(name, func(r rune) bool { return r == '@' || r == '[' })[0]], "%s is compared with nothing", name)
	}
}

// TestCountsAreCopies: a unit that a sample holds several times counts like as many
// rows, or queries, of its own.
func TestCountsAreCopies(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, g := range goldens(t) {
		s := g.judge(t)
		units := g.units()
		require.Len(t, units, s.Units(), g.Name)
		for range 10 {
			count := make([]float64, len(units))
			for i := range count {
				count[i] = float64(random.IntN(4))
			}
			copies, ok := g.copies(units, count)
			if !ok {
				continue
			}
			want := copies.judge(t).Value(nil)
			require.InDelta(t, want, s.Value(count), 1e-12*max(1, math.Abs(want)), "%s of %s", g.Metric, g.Name)
		}
	}
}

// units returns the rows of each unit.
func (g *golden) units() [][]int {
	if g.Query != nil {
		return metric.Queries(g.Query)
	}
	units := make([][]int, len(g.Label))
	for i := range units {
		units[i] = []int{i}
	}
	return units
}

// copies returns g with each unit as often as count says; ok is false if nothing can
// be judged by what is left: no weight, or one class where two are compared.
func (g *golden) copies(units [][]int, count []float64) (c golden, ok bool) {
	c = golden{Metric: g.Metric, Width: g.Width}
	weightOf := map[float64]float64{} // by class
	for u, rows := range units {
		for range int(count[u]) {
			for _, i := range rows {
				weight := 1.0
				if g.Weight != nil {
					weight = g.Weight[i]
					c.Weight = append(c.Weight, weight)
				}
				if g.Query != nil {
					c.Query = append(c.Query, len(c.Label)-slices.Index(rows, i))
				}
				weightOf[g.Label[i]] += weight
				c.Pred = append(c.Pred, g.Pred[i*g.Width:(i+1)*g.Width]...)
				c.Label = append(c.Label, g.Label[i])
			}
		}
	}
	classes, total := 0, 0.0
	for _, w := range weightOf {
		total += w
		if w > 0 {
			classes++
		}
	}
	return c, total > 0 && (g.Metric != "auc" || classes == 2)
}

// TestIntegerWeights: a weight of 3 is three rows.
func TestIntegerWeights(t *testing.T) {
	for _, g := range goldens(t) {
		if g.Weight != nil || g.Query != nil {
			continue
		}
		count := make([]float64, len(g.Label))
		for i := range count {
			count[i] = float64(i % 3)
		}
		want := g.judge(t).Value(count)
		g.Weight = count
		require.Equal(t, want, g.judge(t).Value(nil), "%s of %s", g.Metric, g.Name)
	}
}

// TestRows: what is judged does not depend on the order of rows.
func TestRowOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, g := range goldens(t) {
		shuffled := golden{Metric: g.Metric, Width: g.Width}
		for _, i := range random.Perm(len(g.Label)) {
			shuffled.Label = append(shuffled.Label, g.Label[i])
			shuffled.Pred = append(shuffled.Pred, g.Pred[i*g.Width:(i+1)*g.Width]...)
			if g.Weight != nil {
				shuffled.Weight = append(shuffled.Weight, g.Weight[i])
			}
			if g.Query != nil {
				shuffled.Query = append(shuffled.Query, g.Query[i])
			}
		}
		require.InDelta(t, g.judge(t).Value(nil), shuffled.judge(t).Value(nil), 1e-12, "%s of %s", g.Metric, g.Name)
	}
}

func TestJudgeRefuses(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		metric string
		data   metric.Data
		pred   []float64
		width  int
		want   string
	}{
		{"rmse", metric.Data{}, nil, 1, "no rows to judge by"},
		{"rmse", metric.Data{Label: []float64{1, nan}}, []float64{1, 2}, 1, "rmse: row 2: label NaN"},
		{"rmse", metric.Data{Label: []float64{inf, 1}}, []float64{1, 2}, 1, "rmse: row 1: label +Inf"},
		{"rmse", metric.Data{Label: []float64{1, 2}}, []float64{1}, 1, "1 predictions for 2 rows of 1"},
		{"rmse", metric.Data{Label: []float64{1}}, []float64{1, 2}, 2, "rmse: 2 predicted values per row, one is judged"},
		{"rmse", metric.Data{Label: []float64{1, 2}, Weight: []float64{1}}, []float64{1, 2}, 1, "1 weights for 2 rows"},
		{"rmse", metric.Data{Label: []float64{1, 2}, Weight: []float64{1, -1}}, []float64{1, 2}, 1, "row 2: weight -1 is not a number from 0 on"},
		{"rmse", metric.Data{Label: []float64{1, 2}, Weight: []float64{nan, 1}}, []float64{1, 2}, 1, "row 1: weight NaN is not a number from 0 on"},
		{"rmse", metric.Data{Label: []float64{1, 2}, Weight: []float64{inf, 1}}, []float64{1, 2}, 1, "row 1: weight +Inf is not a number from 0 on"},
		{"rmse", metric.Data{Label: []float64{1, 2}, Weight: []float64{0, 0}}, []float64{1, 2}, 1, "rmse: the weights of all rows are 0"},
		{"logloss", metric.Data{Label: []float64{0, 2}}, []float64{0.5, 0.5}, 1, "logloss: row 2: label 2 is not 0 or 1"},
		{"mlogloss", metric.Data{Label: []float64{0, 0.5}}, []float64{1, 0, 1, 0}, 2, "mlogloss: row 2: label 0.5 is not the number of a class"},
		{"mlogloss", metric.Data{Label: []float64{0, 2}}, []float64{1, 0, 1, 0}, 2, "mlogloss: row 2: label 2 of 2 classes, which count from 0"},
		{"error", metric.Data{Label: []float64{-1}}, []float64{0}, 1, "error: row 1: label -1 is not the number of a class"},
		{"auc", metric.Data{Label: []float64{1, 1}}, []float64{1, 2}, 1, "auc: rows of both classes are needed"},
		{"auc", metric.Data{Label: []float64{0, 1}, Weight: []float64{0, 1}}, []float64{1, 2}, 1, "auc: rows of both classes are needed"},
		{"auc", metric.Data{Label: []float64{0}}, []float64{1, 2}, 2, "auc: 2 predicted values per row, one is judged"},
		{"rmsle", metric.Data{Label: []float64{-1}}, []float64{0}, 1, "rmsle: row 1: label -1 is not above -1"},
		{"poisson-deviance", metric.Data{Label: []float64{-0.5}}, []float64{1}, 1, "poisson-deviance: row 1: label -0.5 is below 0"},
		{"ndcg", metric.Data{Label: []float64{1, 1001}, Query: []int{1, 1}}, []float64{1, 2}, 1, "ndcg: row 2: label 1001 is above 1000: its gain, 2^label−1, is too large"},
		{"gamma-deviance", metric.Data{Label: []float64{0}}, []float64{1}, 1, "gamma-deviance: row 1: label 0 is not above 0"},
		{"quantile@0.1,0.9", metric.Data{Label: []float64{0}}, []float64{1}, 1, "quantile@0.1,0.9: 2 parameters for 1 predicted values per row"},
		{"ndcg", metric.Data{Label: []float64{1, 2}}, []float64{1, 2}, 1, "ndcg: rankings are judged by query: say which rows belong together"},
		{"ndcg", metric.Data{Label: []float64{1, 2}, Query: []int{1}}, []float64{1, 2}, 1, "1 queries for 2 rows"},
		{"ndcg", metric.Data{Label: []float64{1, 2}, Query: []int{1, 1}, Weight: []float64{1, 2}}, []float64{1, 2}, 1, "ndcg: rows 1 and 2 of one query have the weights 1 and 2; a query has one weight"},
		{"ndcg", metric.Data{Label: []float64{1}, Query: []int{1}, Weight: []float64{0}}, []float64{1}, 1, "ndcg: the weights of all rows are 0"},
		{"ndcg", metric.Data{Label: []float64{1}, Query: []int{1}}, []float64{1, 2}, 2, "ndcg: 2 predicted values per row, one is judged"},
	} {
		m, err := metric.Named(c.metric)
		require.NoError(t, err)
		_, err = m.Judge(&c.data, c.pred, c.width)
		require.EqualError(t, err, c.want)
	}
}

// TestImpossiblePredictions: what cannot be judged well is infinitely bad, not good.
func TestImpossiblePredictions(t *testing.T) {
	value := func(name string, label, pred float64) float64 {
		g := golden{Metric: name, Width: 1, Label: []float64{label}, Pred: []float64{pred}}
		return g.judge(t).Value(nil)
	}
	for _, name := range []string{"poisson-deviance", "gamma-deviance", "tweedie-deviance"} {
		for _, p := range []float64{0, -1, math.NaN()} {
			require.Equal(t, math.Inf(1), value(name, 1, p), name)
		}
	}
	require.Zero(t, value("poisson-deviance", 3, 3))
	require.Equal(t, 2.0, value("poisson-deviance", 0, 1))
	require.True(t, math.IsNaN(value("rmse", 0, math.NaN())))
	require.True(t, math.IsNaN((&golden{Metric: "ndcg", Width: 1, Label: []float64{1, 0}, Pred: []float64{math.NaN(), 1}, Query: []int{1, 1}}).judge(t).Value(nil)))
}

func TestNamed(t *testing.T) {
	for name, want := range map[string]string{
		"":                  `unknown metric ""; there are logloss, error, accuracy, auc,`,
		"loglos":            `unknown metric "loglos" (did you mean "logloss"?)`,
		"rmse@2":            `metric "rmse@2": rmse has no parameter`,
		"quantile":          `metric "quantile": say which alpha, as in quantile@0.9`,
		"quantile@1":        `metric "quantile@1": "1" is not a alpha`,
		"quantile@0.5,x":    `metric "quantile@0.5,x": "0.5,x" is not a alpha`,
		"ndcg@0":            `metric "ndcg@0": "0" is not a k`,
		"ndcg@1.5":          `metric "ndcg@1.5": "1.5" is not a k`,
		"ndcg@3,5":          `metric "ndcg@3,5": "3,5" is not a k`,
		"ndcg@":             `metric "ndcg@": "" is not a k`,
		"tweedie-nloglik@2": `metric "tweedie-nloglik@2": "2" is not a power`,
		"mphe@-1":           `metric "mphe@-1": "-1" is not a slope`,
	} {
		_, err := metric.Named(name)
		require.ErrorContains(t, err, want)
	}
	for _, name := range []string{"logloss", "ndcg", "ndcg@10", "tweedie-deviance", "tweedie-deviance@1.7", "quantile@0.5", "expectile@0.1,0.9", "mphe@2.5"} {
		m, err := metric.Named(name)
		require.NoError(t, err)
		require.Equal(t, name, m.Name)
		require.NotEmpty(t, m.Doc)
	}
}

func TestLoss(t *testing.T) {
	for name, want := range map[string]float64{"rmse": 0.75, "auc": 0.25, "accuracy": 0.25, "ndcg@3": 0.25, "error": 0.75} {
		m, err := metric.Named(name)
		require.NoError(t, err)
		require.Equal(t, want, m.Loss(0.75), name)
		require.Equal(t, strings.HasPrefix(name, "ndcg"), m.Ranks())
	}
}

func ExampleMetric_Judge() {
	m, _ := metric.Named("auc")
	s, _ := m.Judge(&metric.Data{Label: []float64{0, 0, 1, 1}}, []float64{0.1, 0.4, 0.35, 0.8}, 1)
	fmt.Println(s.Value(nil), s.Value([]float64{1, 0, 2, 1}))
	// Output: 0.75 1
}
