package score_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/npy"
	"hew/ir"
	"hew/load"
	"hew/predict"
	"hew/rows"
	"hew/score"
)

// forest is a classifier of two trees whose probabilities are their mean.
func forest(labels ...ir.Labels) *ir.Ensemble {
	e := ir.MustParse("(f0<0.5 [1 0] [0 1])", "(f0<2 [1 0] [0.5 0.5])")
	e.Input, e.Sum, e.Task = ir.Double, ir.Double, ir.Classification
	e.Post = []ir.Stage{
		{Code: ir.StageDivide, Args: []int32{0}, A: 2, Width: 2},
		{Code: ir.StageFirst, Args: []int32{1}, Width: 1},
		{Code: ir.StageConcat, Args: []int32{2, 2}, Width: 2},
	}
	label := int32(2)
	if len(labels) > 1 {
		label = 3
	}
	e.Answers = []ir.Answer{{Name: "proba", Vector: 1}, {Name: "label", Vector: label, Labels: labels}}
	e.Source = ir.Source{Trainer: "scikit-learn", Booster: "RandomForestClassifier"}
	return e
}

var wide = predict.ValuesOf([]float64{0, 1, 3})

func answer(t *testing.T, e *ir.Ensemble, output string) rows.Output {
	require.NoError(t, e.Verify())
	out, err := score.Run(e, score.Request{Output: output, X: wide})
	require.NoError(t, err)
	return out
}

// Labels come in the type that they have for the trainer.
func TestLabels(t *testing.T) {
	e := forest(ir.Labels{Texts: []string{"no", "yes"}})
	require.Equal(t, rows.Output{Columns: []string{"predict"}, Shape: []int{3}, Text: []string{"no", "no", "yes"}, TextWidth: 3}, answer(t, e, "predict"))
	require.Equal(t, []string{"label"}, answer(t, e, "label").Columns)
	require.Equal(t, rows.Output{
		Columns: []string{"proba_no", "proba_yes"}, Shape: []int{3, 2}, Float64: []float64{1, 0, .5, .5, .25, .75},
	}, answer(t, e, "proba"))

	require.Equal(t, []int64{-7, -7, 9}, answer(t, forest(ir.Labels{Texts: []string{"-7", "9"}, Type: ir.IntLabel}), "label").Int64)
	require.Equal(t, []float64{.5, .5, 2}, answer(t, forest(ir.Labels{Texts: []string{"0.5", "2.0"}, Type: ir.FloatLabel}), "label").Float64)
	require.Equal(t, []bool{false, false, true}, answer(t, forest(ir.Labels{Texts: []string{"False", "True"}, Type: ir.BoolLabel}), "label").Bool)

	ints, texts := ir.Labels{Texts: []string{"0", "1"}, Type: ir.IntLabel}, ir.Labels{Texts: []string{"a", "b"}}
	both := answer(t, forest(ints, ints), "predict")
	require.Equal(t, rows.Output{Columns: []string{"predict_0", "predict_1"}, Shape: []int{3, 2}, Int64: []int64{0, 0, 0, 0, 1, 1}}, both)
	require.Equal(t, []string{"0", "a", "0", "a", "1", "b"}, answer(t, forest(ints, texts), "label").Text)
}

func TestLabelErrors(t *testing.T) {
	for _, c := range []struct {
		l    ir.Labels
		want string
	}{
		{ir.Labels{Texts: []string{"0"}, Type: ir.IntLabel}, "row 2: class 1 of 1"},
		{ir.Labels{Texts: []string{"0", "x"}, Type: ir.IntLabel}, `label "x": strconv.ParseInt: parsing "x": invalid syntax`},
	} {
		_, err := score.Run(forest(c.l), score.Request{Output: "label", X: wide})
		require.EqualError(t, err, c.want)
	}
}

func TestAnswerRefusals(t *testing.T) {
	e := forest(ir.Labels{Texts: []string{"no", "yes"}})
	for output, want := range map[string]string{
		"decision": "RandomForestClassifier has no output decision; it has predict, proba, label, margin, leaf",
		"proba_0":  "RandomForestClassifier has no output proba_0; it has predict, proba, label, margin, leaf",
		"proba_x":  `unknown output "proba_x" (did you mean "proba"?)`,
		"contrib":  "output contrib (SHAP values) is not supported yet",
	} {
		_, err := score.Run(e, score.Request{Output: output, X: wide})
		require.EqualError(t, err, want)
	}
	_, err := score.Run(e, score.Request{Output: "margin", X: wide, Base: wide})
	require.EqualError(t, err, "scikit-learn models take no base margin")

	e.Trees, e.Rounds = nil, nil // only stages, as of a vote of linear models
	for _, output := range []string{"margin", "leaf"} {
		_, err := score.Run(e, score.Request{Output: output, X: wide})
		require.EqualError(t, err, "RandomForestClassifier has no output "+output+"; it has predict, proba, label")
	}
}

// Only gradient boosting can be cut: what a forest answers depends on its number of
// trees.
func TestRoundsOfAnswers(t *testing.T) {
	e := forest(ir.Labels{Texts: []string{"no", "yes"}})
	_, err := score.Rounds{Last: 1}.Of(e)
	require.EqualError(t, err, "RandomForestClassifier has no boosting rounds to choose from")
	all, err := score.Rounds{}.Of(e)
	require.NoError(t, err)
	require.Same(t, e, all)
	for _, class := range []string{"GradientBoostingClassifier", "HistGradientBoostingRegressor"} {
		e.Source.Booster, e.Rounds = class, []int32{0, 1, 2}
		first, err := score.Rounds{Last: 1}.Of(e)
		require.NoError(t, err)
		require.Len(t, first.Trees, 1)
	}
}

// Every output of every model of scikit-learn that testdata has comes in the shape
// and the type that scikit-learn gave it. What the values are is for package sklearn.
func TestGoldenShapes(t *testing.T) {
	files, err := filepath.Glob("../testdata/golden-sklearn/*/case.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	seen := map[string]int{}
	for _, file := range files {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			e, x := golden(t, dir)
			for _, output := range []string{"predict", "proba", "proba_0", "proba_1", "decision", "score", "margin", "leaf"} {
				data, err := os.ReadFile(filepath.Join(dir, output+".npy"))
				if err != nil {
					continue
				}
				seen[output]++
				got, err := score.Run(e, score.Request{Output: output, X: x})
				require.NoError(t, err)
				if output == "predict" && got.Text != nil {
					require.Contains(t, string(data[:64]), "<U17")
					continue
				}
				want, err := npy.Read(strings.NewReader(string(data)))
				require.NoError(t, err)
				require.Equal(t, want.Shape, got.Shape, output)
				switch {
				case output == "leaf": // kept in a smaller type
					require.NotNil(t, got.Int64)
				case want.Dtype == "<i8":
					require.NotNil(t, got.Int64, output)
				default:
					require.Equal(t, "<f8", want.Dtype)
					require.NotNil(t, got.Float64, output)
				}
			}
		})
	}
	for _, output := range []string{"predict", "proba", "proba_0", "decision", "score", "margin", "leaf"} {
		require.NotZero(t, seen[output], output)
	}
}

// golden returns the model of a case, and as many rows as the case has.
func golden(t *testing.T, dir string) (*ir.Ensemble, predict.Values) {
	var c struct {
		Files []string `json:"model_files"`
		Dtype string   `json:"rows_dtype"`
	}
	data, err := os.ReadFile(filepath.Join(dir, "case.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &c))
	file := c.Files[slices.IndexFunc(c.Files, func(f string) bool { _, err := os.Stat(filepath.Join(dir, f)); return err == nil })]
	e, err := load.Options{Float32: c.Dtype == "float32"}.File(filepath.Join(dir, file))
	require.NoError(t, err)
	n := 300 // of the cases with a rows.csv
	if data, err := os.ReadFile(filepath.Join(dir, "rows.npy")); err == nil {
		a, err := npy.Read(strings.NewReader(string(data)))
		require.NoError(t, err)
		n = a.Shape[0]
	}
	return e, predict.MakeValues(predict.Type(e.Input.String()), n*len(e.Features))
}
