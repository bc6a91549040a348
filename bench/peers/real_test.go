//go:build peers

package peers_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hew/bench"
	"hew/bench/leaves"
	"hew/bench/peers"
	"hew/internal/nodiff"
	"hew/interp"
	"hew/load"
	"hew/predict"
)

// The peers themselves, as `make peers` installed them: the bits of XGBoost and
// hessboost are those of the reference evaluator, and the others are near.
func TestRealPeers(t *testing.T) {
	for _, name := range []string{"binary-logistic-higgs", "multi-softprob-covtype", "reg-squarederror-higgs",
		"binary-logitraw-higgs", "boosted-forest-multi5", "multi-output-vector-leaf", "multi-softmax-multi5", "categorical-nan-binary"} {
		t.Run(name, func(t *testing.T) { checkReal(t, "xgboost-3.2-"+name) })
	}
}

func checkReal(t *testing.T, name string) {
	file := filepath.Join("../../testdata/golden-xgboost", name, "model.json")
	e, err := load.File(file)
	require.NoError(t, err)
	engine := interp.New(e).Typed()
	reference := predict.Predictor{
		Info:   predict.Info{NumFeatures: len(e.Features), NumMargins: e.Outputs, NumOutputs: e.Width()},
		Margin: engine.Margin, Predict: engine.Predict,
	}
	x := nodiff.Rows(e, bench.MinRows, 1)
	text, err := leaves.Text(e)
	if err != nil {
		require.ErrorIs(t, err, leaves.ErrUnsupported)
	}
	dir, err := peers.Dir()
	require.NoError(t, err)
	s, err := peers.Start(t.Context(), dir, peers.Model{
		File: file, Text: text, Features: len(e.Features), Outputs: reference.NumOutputs, BaseMargin: e.BaseMargin,
	}, x, peers.Choice{Skip: func(err error) { t.Log(err) }})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()

	records, err := bench.Run(t.Context(), bench.Plan{
		Model: "m", X: x, Features: len(e.Features),
		Batches: []int{1, 64}, Threads: []int{1, 2}, Rounds: bench.MinRounds, Slice: 5 * time.Millisecond,
	}, append([]bench.Engine{bench.Local("ref", reference, x)}, s.Engines...))
	require.NoError(t, err)
	compared := map[string]bool{}
	for _, r := range records {
		compared[r.Engine] = true
		t.Logf("%-14s batch %2d, %d threads: %7.0f ns, %4d rows differ, by %.2g", r.Engine, r.Batch, r.Threads, r.NsPerRow, r.DifferRows, r.MaxDiff)
		checkRecord(t, name, r)
	}
	for _, name := range []string{"xgboost-c", "xgboost-py"} { // the others may be missing
		require.True(t, compared[name], "%s was not measured", name)
	}
}

// otherwise names, by library, models that it reads otherwise than XGBoost: the rows
// hold codes that no category has; onnxmltools mixes up parallel trees; tl2cgen takes
// the first base score for all outputs.
var otherwise = map[string][]string{
	"hessboost":   {"categorical"},
	"onnxruntime": {"categorical", "forest"},
	"tl2cgen":     {"categorical", "vector"},
	"treelite":    {"categorical"},
}

func checkRecord(t *testing.T, model string, r bench.Record) {
	require.Positive(t, r.NsPerRow, r.Engine)
	library, _, _ := strings.Cut(r.Engine, "-")
	if slices.ContainsFunc(otherwise[library], func(part string) bool { return strings.Contains(model, part) }) {
		return
	}
	switch library {
	case "ref", "xgboost", "xgboost34", "hessboost":
		require.True(t, r.BitEqual, r.Engine)
	case "lightgbm": // takes numbers below 1e-35 for 0, and so another branch
		require.Less(t, r.MaxDiff, 0.1, r.Engine)
	default:
		require.Less(t, r.MaxDiff, 1e-5, r.Engine)
	}
}
