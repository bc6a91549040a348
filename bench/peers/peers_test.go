package peers_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hew/bench"
	"hew/bench/peers"
	"hew/bench/worker"
	"hew/predict"
)

// The test binary is each program of a false installation: with this variable set
// it is what its arguments say.
const fakeVar = "HEW_PEERS_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(fakeVar) == "" {
		os.Exit(m.Run())
	}
	args := os.Args[1:]
	if args[0] == "-I" {
		program := filepath.Base(args[1])
		if args = args[2:]; program == "prepare.py" {
			os.Exit(prepare(args[0], args[1], args[2], args[3]))
		}
	} else {
		args = slices.Delete(args, 1, 2) // the library
	}
	os.Exit(serve(args[0], args[1], args[2:]))
}

// prepare is a false prepare.py. The model says how it goes.
func prepare(kind, model, text, out string) int {
	data, err := os.ReadFile(model)
	if err != nil {
		panic(err)
	}
	switch how := strings.TrimSpace(string(data)); {
	case how == "cannot be prepared":
		fmt.Fprintln(os.Stderr, "a line\nValueError: such trees")
		return 3
	case how == "takes long":
		time.Sleep(time.Minute)
	}
	if kind == "lleaves" {
		if data, err = os.ReadFile(text); err != nil {
			panic(err)
		}
	}
	if err := os.WriteFile(out, append([]byte(kind+" of "), data...), 0o666); err != nil {
		panic(err)
	}
	fmt.Println(`{"build_seconds": 1.5, "build_peak_bytes": 7000, "artifact_bytes": 12}`)
	return 0
}

// serve is a false worker. Its margins are the features plus the base that it was
// given, its predictions twice the features; what it read decides an error.
func serve(call, file string, args []string) int {
	var numbers []float64
	for _, a := range args {
		v, err := strconv.ParseFloat(a, 64)
		if err != nil {
			panic(err)
		}
		numbers = append(numbers, v)
	}
	model, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	features, margins, outputs := int(numbers[0]), int(numbers[1]), int(numbers[2])
	base := numbers[3:]
	values := func(width int, f func(x float32, k int) float32) func(dst, x predict.Values) {
		return func(y, rows predict.Values) {
			dst, x := y.F32, rows.F32
			if strings.Contains(string(model), "kills "+call) {
				fmt.Fprintln(os.Stderr, "no such objective")
				os.Exit(1)
			}
			for i := range dst {
				dst[i] = f(x[i/width*features+i%width], i%width)
			}
			if len(x) == features && strings.Contains(string(model), "spoils single rows") {
				dst[0]++
			}
		}
	}
	return worker.Main([]predict.Predictor{{
		Info: predict.Info{Name: string(model), NumFeatures: features, NumMargins: margins, NumOutputs: outputs},
		Margin: values(margins, func(x float32, k int) float32 {
			if len(base) > 0 {
				x += float32(base[k]) - 100 // seen in the difference
			}
			return x
		}),
		Predict: values(outputs, func(x float32, _ int) float32 { return 2 * x }),
	}})
}

// install makes an installation of the named parts, all of which are the test
// binary or empty.
func install(t *testing.T, parts ...string) (dir string) {
	dir = t.TempDir()
	exe, err := os.Executable()
	require.NoError(t, err)
	script := fmt.Sprintf("#!/bin/sh\n%s=1 GORACE=atexit_sleep_ms=0 exec '%s' \"$@\"\n", fakeVar, exe)
	for _, p := range append(parts, "worker.py", "prepare.py") {
		path := filepath.Join(dir, p)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o777))
		require.NoError(t, os.WriteFile(path, []byte(script), 0o777))
	}
	return dir
}

func environment(name string) []string {
	return []string{name + "/ready", name + "/bin/python"}
}

const packages = "/lib/python3.11/site-packages/"

// model returns a model of two features and two margins in a file of the given
// content.
func model(t *testing.T, content string) peers.Model {
	file := filepath.Join(t.TempDir(), "m.json")
	require.NoError(t, os.WriteFile(file, []byte(content), 0o666))
	return peers.Model{File: file, Text: []byte("text"), Features: 2, Outputs: 2, BaseMargin: []float64{101, 102.5}}
}

func rows() predict.Values {
	x := make([]float32, 2*bench.MinRows)
	for i := range x {
		x[i] = float32(i)
	}
	return predict.ValuesOf(x)
}

// start starts all peers that are installed, and returns what is said of the
// others.
func start(t *testing.T, dir string, m peers.Model) (s *peers.Set, skipped []string) {
	s, err := peers.Start(t.Context(), dir, m, rows(), peers.Choice{Skip: func(err error) { skipped = append(skipped, err.Error()) }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s, skipped
}

func names(s *peers.Set) (names []string) {
	for _, e := range s.Engines {
		names = append(names, e.Name)
	}
	return names
}

func TestInstalledPeersAreMeasured(t *testing.T) {
	parts := append(environment("main"), environment("lleaves")...)
	parts = append(parts, "worker", "libhessboost_peer.so", "main"+packages+"xgboost/lib/libxgboost.so")
	s, skipped := start(t, install(t, parts...), model(t, "model"))
	require.Equal(t, []string{"hessboost", "xgboost-c", "xgboost-py", "lleaves-c", "lleaves-py",
		"onnxruntime-py", "lightgbm-py", "tl2cgen-c", "treelite-py"}, names(s))
	require.Equal(t, []string{
		"peer xgboost34-c: not installed; `make peers` in hew's repository installs it",
		"peer xgboost34-py: not installed; `make peers` in hew's repository installs it",
		"peer lightgbm-c: not installed; `make peers` in hew's repository installs it",
		"peer treelite-c: not installed; `make peers` in hew's repository installs it",
	}, skipped)

	reference := bench.Local("ref", predict.Predictor{
		Info:    predict.Info{NumFeatures: 2, NumMargins: 2, NumOutputs: 2},
		Margin:  func(dst, x predict.Values) { copy(dst.F32, x.F32) },
		Predict: func(dst, x predict.Values) { copy(dst.F32, x.F32); double(dst.F32) },
	}, rows())
	records, err := bench.Run(t.Context(), bench.Plan{
		Model: "m", X: rows(), Features: 2, Batches: []int{1, 64}, Threads: []int{1, 2}, Rounds: bench.MinRounds,
	}, append([]bench.Engine{reference}, s.Engines...))
	require.NoError(t, err)
	require.Len(t, records, 4*(1+len(s.Engines)))
	for _, r := range records {
		sums := strings.HasPrefix(r.Engine, "lleaves") || strings.HasPrefix(r.Engine, "lightgbm")
		require.Equal(t, r.Engine != "ref", r.Foreign, r.Engine)
		require.Equal(t, !sums, r.BitEqual, r.Engine)
		if sums {
			require.Equal(t, 2.5, r.MaxDiff, "the base margins that %s was given", r.Engine)
		}
		require.Positive(t, r.NsPerRow, r.Engine)
		require.Equal(t, r.Engine == "lleaves-c" || r.Engine == "tl2cgen-c", r.Build != nil, r.Engine)
		if r.Build != nil {
			require.Equal(t, bench.Build{Seconds: 1.5, PeakBytes: 7000, ArtifactBytes: 12}, *r.Build)
		}
	}
}

func double(v []float32) {
	for i := range v {
		v[i] *= 2
	}
}

// A peer whose single rows have other bits than its batches is seen to differ.
func TestSingleRowsAreCompared(t *testing.T) {
	s, _ := start(t, install(t, environment("main")...), model(t, "spoils single rows"))
	got, err := s.Engines[0].Score()
	require.NoError(t, err)
	require.Equal(t, "xgboost-py", s.Engines[0].Name)
	x := rows().F32
	require.Len(t, got.Margin.F32, len(x))
	for i, v := range got.Margin.F32 {
		if spoiled := i%2 == 0 && i < 2*256; spoiled {
			require.Equal(t, x[i]+1, v)
		} else {
			require.Equal(t, x[i], v)
		}
	}
}

func TestNothingIsInstalled(t *testing.T) {
	s, skipped := start(t, filepath.Join(t.TempDir(), "nowhere"), model(t, "model"))
	require.Empty(t, s.Engines)
	require.Len(t, skipped, len(peers.Names()))
}

func TestPeersOfSomeModels(t *testing.T) {
	parts := append(environment("main"), environment("lleaves")...)
	m := model(t, "kills xgboost")
	m.Text = nil
	s, skipped := start(t, install(t, parts...), m)
	require.Equal(t, []string{"onnxruntime-py", "treelite-py"}, names(s))
	require.Contains(t, skipped, "peer xgboost-py: worker python: exit status 1: no such objective")
	require.Contains(t, skipped, "peer lightgbm-py: the trees cannot be said in LightGBM's text form")
	require.Contains(t, skipped, "peer lleaves-py: the trees cannot be said in LightGBM's text form")

	s, skipped = start(t, install(t, parts...), model(t, "cannot be prepared"))
	require.Equal(t, []string{"xgboost-py", "lightgbm-py"}, names(s))
	require.Contains(t, skipped, "peer treelite-py: the model was not prepared: exit status 3: ValueError: such trees")
}

// Who asks for a peer is not left without it.
func TestNamedPeers(t *testing.T) {
	dir := install(t, environment("main")...)
	named := func(m peers.Model, names ...string) error {
		s, err := peers.Start(t.Context(), dir, m, rows(), peers.Choice{Names: names})
		if err == nil {
			require.Len(t, s.Engines, len(names))
			require.NoError(t, s.Close())
		}
		return err
	}
	require.NoError(t, named(model(t, "model"), "treelite-py", "xgboost-py"))
	err := named(model(t, "model"), "xgboost-py", "hessboost")
	require.ErrorIs(t, err, peers.ErrMissing)
	require.EqualError(t, err, "peer hessboost: not installed; `make peers` in hew's repository installs it")
	require.EqualError(t, named(model(t, "kills xgboost"), "xgboost-py"), "peer xgboost-py: worker python: exit status 1: no such objective")
	_, err = peers.Start(t.Context(), dir, model(t, "model"), predict.MakeValues(predict.Float64, 2), peers.Choice{})
	require.EqualError(t, err, "peers take rows of float32, not of float64")
	require.ErrorContains(t, named(model(t, "model"), "xgboost"), `unknown peer "xgboost"; there are: hessboost, xgboost-c, `)
}

// Who interrupts does not wait for a compiler, and is not told that a peer is
// missing.
func TestPreparingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	began := time.Now()
	_, err := peers.Start(ctx, install(t, environment("main")...), model(t, "takes long"), rows(), peers.Choice{
		Skip: func(err error) { t.Log(err) },
		Working: func(string) func() {
			time.AfterFunc(100*time.Millisecond, func() { cancel(errors.New("enough")) })
			return func() {}
		},
	})
	require.EqualError(t, err, "peer onnxruntime-py: enough")
	require.Less(t, time.Since(began), 30*time.Second)
}
