package worker_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hew/bench/measure"
	"hew/bench/worker"
	"hew/predict"
)

// The test binary is its own worker: with this variable set it serves models, in
// the manner that the value names.
const mannerVar = "HEW_WORKER_TEST"

func TestMain(m *testing.M) {
	switch os.Getenv(mannerVar) {
	case "":
		os.Exit(m.Run())
	case "serve":
		os.Exit(worker.Main(models))
	case "usage":
		fmt.Println("usage: something else")
	case "exit":
		fmt.Fprintln(os.Stderr, "a line\nout of luck")
		os.Exit(3)
	case "lie": // greets, and then sends no frame
		fmt.Print("hew worker 1\n")
		fmt.Print("hello, this is no frame at all")
		_, _ = io.Copy(io.Discard, os.Stdin)
	}
}

// models are a sum and product of two features, a predictor without trees that
// refuses to be called, and one that tells how many rows it was called with.
var models = []predict.Predictor{
	{
		Info:    predict.Info{Name: "arith", NumFeatures: 2, NumOutputs: 1, NumMargins: 2, NumTrees: 3},
		Predict: func(dst, x []float32) { each(x, func(i int, a, b float32) { dst[i] = a - b }) },
		Margin:  func(dst, x []float32) { each(x, func(i int, a, b float32) { dst[2*i], dst[2*i+1] = a+b, a*b }) },
		Leaf:    func(dst []int32, x []float32) { each(x, func(i int, a, b float32) { dst[3*i+2] = int32(a) }) },
	},
	{
		Info:    predict.Info{Name: "broken", NumFeatures: 1, NumOutputs: 1, NumMargins: 1},
		Predict: func(dst, x []float32) { panic("model is broken") },
		Margin:  func(dst, x []float32) { os.Exit(7) },
	},
	{
		Info:    predict.Info{Name: "rows", NumFeatures: 1, NumOutputs: 1, NumMargins: 1, NumTrees: 1},
		Predict: func(dst, x []float32) { fill(dst, float32(len(x))) },
		Margin:  func(dst, x []float32) { fill(dst, float32(len(x))) },
		Leaf:    func(dst []int32, x []float32) { fill(dst, int32(len(x))) },
	},
}

func fill[T any](dst []T, v T) {
	for i := range dst {
		dst[i] = v
	}
}

func each(x []float32, f func(i int, a, b float32)) {
	for i := range len(x) / 2 {
		f(i, x[2*i], x[2*i+1])
	}
}

func start(t *testing.T, manner string) (*worker.Client, error) {
	t.Setenv(mannerVar, manner)
	exe, err := os.Executable()
	require.NoError(t, err)
	c, err := worker.Start(exe)
	if err == nil {
		t.Cleanup(func() { require.NoError(t, c.Close()) })
	}
	return c, err
}

func TestClientScores(t *testing.T) {
	c, err := start(t, "serve")
	require.NoError(t, err)
	require.Equal(t, []predict.Info{models[0].Info, models[1].Info, models[2].Info}, c.Models())

	nan := float32(math.NaN())
	small := []float32{1, 2, 3, 4, nan, 1, float32(math.Inf(1)), float32(math.Copysign(0, -1))}
	big := make([]float32, 2*1_500_000) // more than one message
	for i := range big {
		big[i] = float32(i)
	}
	for _, x := range [][]float32{nil, small, big} {
		rows := len(x) / 2
		want, got := make([]float32, 2*rows), make([]float32, 2*rows)
		wantLeaf, gotLeaf := make([]int32, 3*rows), make([]int32, 3*rows)
		err := c.Use(0, func(p predict.Predictor) {
			require.Equal(t, models[0].Info, p.Info)
			p.Margin(got, x)
			models[0].Margin(want, x)
			requireBits(t, want, got)
			p.Predict(got[:rows], x)
			models[0].Predict(want[:rows], x)
			requireBits(t, want[:rows], got[:rows])
			p.Leaf(gotLeaf, x)
			models[0].Leaf(wantLeaf, x)
			require.Equal(t, wantLeaf, gotLeaf)
		})
		require.NoError(t, err)
	}

	// Singly, the model never sees two rows at a time: it is the one who counts.
	require.NoError(t, c.UseSingly(2, func(p predict.Predictor) {
		margin, predict, leaf := make([]float32, 5), make([]float32, 5), make([]int32, 5)
		p.Margin(margin, []float32{7, 8, 9, 10, 11})
		p.Predict(predict, []float32{7, 8, 9, 10, 11})
		p.Leaf(leaf, []float32{7, 8, 9, 10, 11})
		require.Equal(t, []float32{1, 1, 1, 1, 1}, margin)
		require.Equal(t, []float32{1, 1, 1, 1, 1}, predict)
		require.Equal(t, []int32{1, 1, 1, 1, 1}, leaf)
	}))
	require.NoError(t, c.Use(2, func(p predict.Predictor) {
		margin := make([]float32, 2)
		p.Margin(margin, []float32{7, 8})
		require.Equal(t, []float32{2, 2}, margin)
	}))

	require.NoError(t, c.Use(1, func(p predict.Predictor) { require.Nil(t, p.Leaf) }))
	require.EqualError(t, c.Use(3, nil), "no model 3, there are 3")
	require.Panics(t, func() {
		_ = c.Use(0, func(p predict.Predictor) { p.Margin(make([]float32, 3), small) })
	}, "a wrong shape is the caller's fault")
}

// requireBits compares by bits; it is quick where require.Equal is not.
func requireBits(t *testing.T, want, got []float32) {
	for i := range want {
		if math.Float32bits(want[i]) != math.Float32bits(got[i]) {
			require.Equal(t, want[i], got[i], "value %d", i)
		}
	}
}

func TestClientMeasures(t *testing.T) {
	c, err := start(t, "serve")
	require.NoError(t, err)
	spec := measure.Spec{Batch: 3, Threads: 2}
	_, err = c.Measure(0, spec, 0)
	require.ErrorContains(t, err, ": no rows to measure with")
	require.NoError(t, c.SetRows(0, make([]float32, 200)))
	sample, err := c.Measure(0, spec, time.Millisecond)
	require.NoError(t, err)
	require.GreaterOrEqual(t, sample.Nanos, int64(time.Millisecond))
	require.GreaterOrEqual(t, sample.Rows, int64(50))
	_, err = c.Measure(0, measure.Spec{}, 0)
	require.ErrorContains(t, err, "cannot measure 100 rows in batches of 0 by 0 threads")
	require.ErrorContains(t, c.SetRows(0, make([]float32, 3)), "12 bytes are no rows of 2 features")
}

func TestDeadChildIsAnError(t *testing.T) {
	c, err := start(t, "serve")
	require.NoError(t, err)
	reached := false
	err = c.Use(1, func(p predict.Predictor) {
		p.Predict(make([]float32, 1), make([]float32, 1))
		reached = true
	})
	require.ErrorContains(t, err, "worker worker.test: exit status 2: panic: model is broken")
	require.False(t, reached)
	var dead *worker.Error
	require.ErrorAs(t, err, &dead)
	require.Contains(t, dead.Stderr, "goroutine 1")
	require.Equal(t, err, c.SetRows(0, nil), "later calls say the same")

	c, err = start(t, "serve")
	require.NoError(t, err)
	err = c.Use(1, func(p predict.Predictor) { p.Margin(make([]float32, 1), make([]float32, 1)) })
	require.EqualError(t, err, "worker worker.test: exit status 7")
}

func TestStartRefuses(t *testing.T) {
	for manner, want := range map[string]string{
		"usage": `worker worker.test: not a hew worker, it says "usage: someth"`,
		"exit":  "worker worker.test: exit status 3: out of luck",
		"lie":   "worker worker.test: message of 1819043176 bytes, at most 1073741824 fit",
	} {
		_, err := start(t, manner)
		require.EqualError(t, err, want)
	}
	_, err := worker.Start("./no-such-program")
	require.ErrorContains(t, err, "no-such-program")
}

func TestServeTellsBadRequests(t *testing.T) {
	le := binary.LittleEndian
	request := func(op, model uint32, payload ...byte) []byte {
		b := le.AppendUint32(le.AppendUint32(le.AppendUint32(nil, uint32(len(payload))), op), model)
		return append(b, payload...)
	}
	var in, out bytes.Buffer
	in.Write(request(77, 0))
	in.Write(request(2, 9))
	in.Write(request(4, 1))
	in.Write(request(5, 0, 1, 2, 3))
	require.NoError(t, worker.Serve(models, &in, &out))
	for _, want := range []string{
		"unknown operation 77", "no model 9, there are 3", "the model has no leaves", "3 bytes where 24 were expected",
	} {
		require.Contains(t, out.String(), want)
	}

	in.Reset()
	in.Write(request(1, 0, 1, 2, 3)[:13])
	require.ErrorContains(t, worker.Serve(models, &in, io.Discard), "message of 3 bytes: unexpected EOF")
}
