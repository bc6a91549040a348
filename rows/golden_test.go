package rows_test

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/predict"
	"hew/rows"
)

const goldens = "../testdata/golden-xgboost"

// Wherever a golden case has its rows both as text and as an array, the text
// gives the array. The features are those of the model file; the names of the
// categories come from where the two meet, since one model file has them wrong.
func TestGoldenCSV(t *testing.T) {
	paths, err := filepath.Glob(goldens + "/*/rows.csv")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(paths), 19)
	for _, path := range paths {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			x := array(t, filepath.Join(dir, "rows.npy"))
			want := x.Float32s()
			features := featuresOf(t, dir)
			knowCategories(t, path, features, want)
			table, err := rows.File(path, rows.Options{Features: features})
			require.NoError(t, err)
			require.Equal(t, x.Shape, []int{table.NumRows, table.NumFeatures})
			wantBits(t, want, table.X.F32)
		})
	}
}

// bareNaN is what some versions of XGBoost write for a number, which is no JSON.
var bareNaN = regexp.MustCompile(`([\[,:])NaN\b`)

// featuresOf reads names and types from a model file.
func featuresOf(t *testing.T, dir string) []predict.Feature {
	data, err := os.ReadFile(filepath.Join(dir, "model.json"))
	require.NoError(t, err)
	var model struct {
		Learner struct {
			Names []string `json:"feature_names"`
			Types []string `json:"feature_types"`
		}
	}
	require.NoError(t, json.Unmarshal(bareNaN.ReplaceAll(data, []byte("${1}null")), &model))
	features := numbers(model.Learner.Names...)
	for i, kind := range model.Learner.Types {
		if kind == "c" {
			features[i].Type = "categorical"
		}
	}
	return features
}

// knowCategories gives the categorical features whose cells are not their codes
// the texts that stand where the array has the codes.
func knowCategories(t *testing.T, path string, features []predict.Feature, x []float32) {
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	for i := range features {
		if features[i].Type != "categorical" {
			continue
		}
		texts, named := make([]string, 64), false
		for row, record := range records[1:] {
			code, text := x[row*len(features)+i], record[i]
			if v, err := strconv.ParseFloat(text, 32); text == "" || err == nil && float32(v) == code || code != code {
				continue
			}
			named = true
			texts[int(code)] = text
		}
		if !named {
			continue
		}
		for code := range texts {
			if texts[code] == "" {
				texts[code] = "no row has code " + strconv.Itoa(code)
			}
		}
		features[i].Categories = texts
	}
}
