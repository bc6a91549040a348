package predict_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/predict"
)

func TestRefused(t *testing.T) {
	text := predict.Feature{Name: "city", Type: "categorical", Categories: []string{"a", "b"}, RefusesNoCode: true}
	open := text
	open.Open = true
	for _, test := range []struct {
		f    predict.Feature
		x    float64
		want string
	}{
		{predict.Feature{}, math.Inf(1), ""},
		{predict.Feature{}, math.NaN(), ""},
		{predict.Feature{RefusesMissing: true}, math.NaN(), "the model takes no missing value here"},
		{predict.Feature{RefusesInfinite: true}, math.Inf(-1), "the model takes no infinite value here"},
		{predict.Feature{RefusesTooLarge: true}, 1e39, "the value is beyond the range of float32, in which the model compares"},
		{predict.Feature{Accepts: []float64{0, 2.5}}, 2.5, ""},
		{predict.Feature{Accepts: []float64{0, 2.5}}, 2, "2 is not one of the 2 values that the model was trained with"},
		{text, 1, ""},
		{text, math.NaN(), ""},
		{text, 0.5, "0.5 is not the code of one of the 2 categories"},
		{text, 2, "2 is not the code of one of the 2 categories"},
		{text, -1, "-1 is not the code of one of the 2 categories"},
		{open, -1, ""},
		{open, -2, "-2 is not the code of one of the 2 categories"},
	} {
		require.Equal(t, test.want, test.f.Refused(test.x), "%+v, %v", test.f, test.x)
		require.True(t, test.want == "" || test.f.Refuses() && !test.f.Takes(test.x))
	}
}
