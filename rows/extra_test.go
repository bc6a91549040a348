package rows_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/predict"
	"hew/rows"
)

// Labels are found by their names, also where the model knows no names of features.
func TestExtra(t *testing.T) {
	float := func(name string) predict.Feature { return predict.Feature{Name: name, Type: "float"} }
	read := func(o rows.Options, text string) ([]float32, error) {
		table, err := rows.Read("rows.csv", strings.NewReader(text), o)
		if err != nil {
			return nil, err
		}
		return table.X.F32, nil
	}
	named := rows.Options{Features: []predict.Feature{float("age"), float("sex"), float("y"), float("w")}, Extra: 2}
	madeUp := rows.Options{Features: []predict.Feature{float("f0"), float("f1"), float("y"), float("w")}, Extra: 2}
	for _, o := range []rows.Options{named, madeUp} {
		x, err := read(o, "y,age,w,sex\n1,2,3,4\n")
		require.NoError(t, err)
		require.Equal(t, []float32{2, 4, 1, 3}, x)
	}
	for text, want := range map[string]string{
		"age,sex,y,z\n1,2,3,4\n":        `there is no column "w"`,
		"age,sex,yy,w\n1,2,3,4\n":       `there is no column "y" (did you mean "yy"?)`,
		"age,sex,y,w,note\n1,2,3,4,5\n": `column "note" is neither a feature of the model nor named as that of labels, weights or queries`,
		"age,sx,y,w\n1,2,3,4\n":         `column "sx" is not a feature of the model (did you mean "sex"?)`,
	} {
		_, err := read(named, text)
		require.ErrorContains(t, err, want)
	}
	named.NoHeader = true
	x, err := read(named, "1,2,3,4\n")
	require.NoError(t, err)
	require.Equal(t, []float32{1, 2, 3, 4}, x)
	_, err = read(named, "1,2,3\n")
	require.ErrorContains(t, err, "3 columns, the model has 2 features, behind which 2 other columns should stand")
}
