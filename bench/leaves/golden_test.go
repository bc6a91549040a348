package leaves_test

import (
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/bench/leaves"
	"hew/internal/nodiff"
	"hew/load"
)

// TestGoldenModels has leaves score the models that XGBoost wrote. New checks
// every decision on rows at the thresholds.
func TestGoldenModels(t *testing.T) {
	models, err := filepath.Glob("../../testdata/golden-xgboost/*/model.json")
	require.NoError(t, err)
	scored, refused := 0, map[string]int{}
	for _, path := range models {
		e, err := load.File(path)
		if errors.Is(err, load.ErrUnsupported) {
			continue
		}
		require.NoError(t, err)
		_, err = leaves.New(e, nodiff.Rows(e, 300, 1))
		if errors.Is(err, leaves.ErrUnsupported) {
			reason := err.Error()[strings.LastIndexByte(err.Error(), ':')+2:]
			refused[strings.TrimLeft(reason, "tre 0123456789")]++
			continue
		}
		require.NoError(t, err, path)
		scored++
	}
	require.Greater(t, scored, 100)
	require.Subset(t, []string{"a categorical split", "has vector leaves", "a linear model", "no trees"}, slices.Collect(maps.Keys(refused)))
}
