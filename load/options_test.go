package load_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/ir"
	"hew/load"
)

// The type of rows reaches the reader of scikit-learn's models; XGBoost has one.
func TestOptions(t *testing.T) {
	scaled := "../testdata/golden-sklearn/sklearn-1.9-pipeline-scaler-minmax-float32-rows/model.skops"
	boosted, err := filepath.Glob("../testdata/golden-xgboost/*/model.json")
	require.NoError(t, err)
	require.NotEmpty(t, boosted)
	for _, c := range []struct {
		file string
		o    load.Options
		want ir.Precision
	}{
		{scaled, load.Options{}, ir.Double},
		{scaled, load.Options{Float32: true}, ir.Single},
		{boosted[0], load.Options{}, ir.Single},
		{boosted[0], load.Options{Float32: true}, ir.Single},
	} {
		e, err := c.o.File(c.file)
		require.NoError(t, err)
		require.Equal(t, c.want, e.Input)
		f, err := os.Open(c.file)
		require.NoError(t, err)
		again, err := c.o.Read(c.file, f)
		require.NoError(t, err)
		require.Equal(t, e, again)
		require.NoError(t, f.Close())
	}
}
