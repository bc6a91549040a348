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
		fmt.Print("hew worker 2\n")
		fmt.Print("hello, this is no frame at all")
		_, _ = io.Copy(io.Discard, os.Stdin)
	}
}

// models are a sum and product of two features, a predictor without trees that
// refuses to be called, one that tells how many rows it was called with, and one
// of float64 with answers.
var models = []predict.Predictor{
	{
		Info:    predict.Info{Name: "arith", NumFeatures: 2, NumOutputs: 1, NumMargins: 2, NumTrees: 3},
		Predict: singles(func(dst, x []float32) { each(x, func(i int, a, b float32) { dst[i] = a - b }) }),
		Margin:  singles(func(dst, x []float32) { each(x, func(i int, a, b float32) { dst[2*i], dst[2*i+1] = a+b, a*b }) }),
		Leaf:    func(dst []int32, x predict.Values) { each(x.F32, func(i int, a, b float32) { dst[3*i+2] = int32(a) }) },
	},
	{
		Info:    predict.Info{Name: "broken", NumFeatures: 1, NumOutputs: 1, NumMargins: 1},
		Predict: func(dst, x predict.Values) { panic("model is broken") },
		Margin:  func(dst, x predict.Values) { os.Exit(7) },
	},
	{
		Info:    predict.Info{Name: "rows", NumFeatures: 1, NumOutputs: 1, NumMargins: 1, NumTrees: 1},
		Predict: singles(func(dst, x []float32) { fill(dst, float32(len(x))) }),
		Margin:  singles(func(dst, x []float32) { fill(dst, float32(len(x))) }),
		Leaf:    func(dst []int32, x predict.Values) { fill(dst, int32(x.Len())) },
	},
	answering(predict.Float64, predict.Float64),
	answering(predict.Float64, predict.Float32),
	answering(predict.Float32, predict.Float64),
}

func singles(f func(dst, x []float32)) func(dst, x predict.Values) {
	return func(dst, x predict.Values) { f(predict.SliceOf[float32](dst), predict.SliceOf[float32](x)) }
}

// answering is a predictor of two features whose margins are they, and whose
// answers are their difference, and the two weighted with the number of rows.
func answering(in, out predict.Type) predict.Predictor {
	check := func(v predict.Values, want predict.Type) {
		if v.Type() != want {
			panic(v.Type())
		}
	}
	p := predict.Predictor{Info: predict.Info{
		Name: "answers", NumFeatures: 2, NumOutputs: 1, NumMargins: 2, NumTrees: 1, Input: in, Output: out,
		Answers: []predict.Answer{{Name: "predict", Width: 1}, {Name: "both", Width: 2}},
	}}
	p.Margin = func(dst, x predict.Values) {
		check(dst, out)
		check(x, in)
		for i := range dst.Len() {
			dst.Set(i, x.At(i))
		}
	}
	p.Answer = func(i int, dst, margins, x predict.Values) {
		check(dst, out)
		check(margins, out)
		check(x, in)
		for r := range x.Len() / 2 {
			a, b := margins.At(2*r), margins.At(2*r+1)
			if i == 0 {
				dst.Set(r, a-b)
			} else {
				dst.Set(2*r, a*float64(x.Len()/2))
				dst.Set(2*r+1, x.At(2*r+1))
			}
		}
	}
	p.Predict = func(dst, x predict.Values) {
		check(dst, out)
		check(x, in)
		for r := range dst.Len() {
			dst.Set(r, x.At(2*r)-x.At(2*r+1))
		}
	}
	p.Leaf = func(dst []int32, x predict.Values) {
		check(x, in)
		fill(dst, int32(x.Len()/2))
	}
	return p
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
	var infos []predict.Info
	for _, m := range models {
		infos = append(infos, m.Info)
	}
	require.Equal(t, infos, c.Models())

	nan := float32(math.NaN())
	small := []float32{1, 2, 3, 4, nan, 1, float32(math.Inf(1)), float32(math.Copysign(0, -1))}
	big := make([]float32, 2*1_500_000) // more than one message
	for i := range big {
		big[i] = float32(i)
	}
	for _, x := range [][]float32{nil, small, big} {
		x, rows := predict.ValuesOf(x), len(x)/2
		want, got := predict.MakeValues(predict.Float32, 2*rows), predict.MakeValues(predict.Float32, 2*rows)
		wantLeaf, gotLeaf := make([]int32, 3*rows), make([]int32, 3*rows)
		err := c.Use(0, func(p predict.Predictor) {
			require.Equal(t, models[0].Info, p.Info)
			require.Nil(t, p.Answer)
			p.Margin(got, x)
			models[0].Margin(want, x)
			requireBits(t, want, got)
			p.Predict(got.Slice(0, rows), x)
			models[0].Predict(want.Slice(0, rows), x)
			requireBits(t, want.Slice(0, rows), got.Slice(0, rows))
			p.Leaf(gotLeaf, x)
			models[0].Leaf(wantLeaf, x)
			require.Equal(t, wantLeaf, gotLeaf)
		})
		require.NoError(t, err)
	}

	// Singly, the model never sees two rows at a time: it is the one who counts.
	ones := predict.ValuesOf([]float32{1, 1, 1, 1, 1})
	x := predict.ValuesOf([]float32{7, 8, 9, 10, 11})
	require.NoError(t, c.UseSingly(2, func(p predict.Predictor) {
		margin, prediction, leaf := predict.MakeValues(predict.Float32, 5), predict.MakeValues(predict.Float32, 5), make([]int32, 5)
		p.Margin(margin, x)
		p.Predict(prediction, x)
		p.Leaf(leaf, x)
		require.Equal(t, ones, margin)
		require.Equal(t, ones, prediction)
		require.Equal(t, []int32{1, 1, 1, 1, 1}, leaf)
	}))
	require.NoError(t, c.Use(2, func(p predict.Predictor) {
		margin := predict.MakeValues(predict.Float32, 2)
		p.Margin(margin, x.Slice(0, 2))
		require.Equal(t, []float32{2, 2}, margin.F32)
	}))

	require.NoError(t, c.Use(1, func(p predict.Predictor) { require.Nil(t, p.Leaf) }))
	require.EqualError(t, c.Use(6, nil), "no model 6, there are 6")
	require.Panics(t, func() {
		_ = c.Use(0, func(p predict.Predictor) { p.Margin(predict.MakeValues(predict.Float32, 3), predict.ValuesOf(small)) })
	}, "a wrong shape is the caller's fault")
}

func TestClientAnswers(t *testing.T) {
	c, err := start(t, "serve")
	require.NoError(t, err)
	for i, m := range models[3:] {
		x := predict.MakeValues(m.Input, 2*600_000) // more than one message
		for i := range x.Len() {
			x.Set(i, float64(i)+0.1)
		}
		gives := func(n int) predict.Values { return predict.MakeValues(m.Output, n) }
		for _, rows := range []int{0, 1, 3, x.Len() / 2} {
			x := x.Slice(0, 2*rows)
			margin, first, both := gives(2*rows), gives(rows), gives(2*rows)
			m.Margin(margin, x)
			m.Predict(first, x)
			require.NoError(t, c.Use(3+i, func(p predict.Predictor) {
				got := gives(2 * rows)
				p.Margin(got, x)
				requireBits(t, margin, got)
				p.Predict(got.Slice(0, rows), x)
				requireBits(t, first, got.Slice(0, rows))
				clear(got.F32)
				clear(got.F64)
				p.Answer(0, got.Slice(0, rows), margin, x)
				requireBits(t, first, got.Slice(0, rows))
				p.Answer(1, both, margin, x)
			}))
			if rows > 3 {
				continue
			}
			require.NoError(t, c.UseSingly(3+i, func(p predict.Predictor) {
				got := gives(2 * rows)
				p.Answer(1, got, margin, x)
				requireBits(t, margin, got) // one row in a call, and it is there too
			}))
			if rows == 3 {
				require.InEpsilon(t, 3*margin.At(0), both.At(0), 1e-6)
			}
		}
		for name, f := range map[string]func(p predict.Predictor){
			"margins": func(p predict.Predictor) { p.Answer(1, gives(2), gives(4), x.Slice(0, 2)) },
			"answer":  func(p predict.Predictor) { p.Answer(0, gives(2), gives(2), x.Slice(0, 2)) },
			"type": func(p predict.Predictor) {
				p.Predict(gives(1), predict.MakeValues(map[predict.Type]predict.Type{predict.Float32: predict.Float64, predict.Float64: predict.Float32}[m.Input], 2))
			},
		} {
			require.Panics(t, func() { _ = c.Use(3+i, f) }, name)
		}
	}
	require.ErrorContains(t, c.SetRows(3, predict.MakeValues(predict.Float32, 4)), "rows of float32, the model takes float64")
	require.ErrorContains(t, c.SetRows(0, predict.MakeValues(predict.Float64, 4)), "rows of float64, the model takes float32")
}

// requireBits compares by bits; it is quick where require.Equal is not.
func requireBits(t *testing.T, want, got predict.Values) {
	require.Equal(t, want.Len(), got.Len())
	for i := range want.Len() {
		if math.Float64bits(want.At(i)) != math.Float64bits(got.At(i)) {
			require.Equal(t, want.At(i), got.At(i), "value %d", i)
		}
	}
}

func TestClientMeasures(t *testing.T) {
	c, err := start(t, "serve")
	require.NoError(t, err)
	spec := measure.Spec{Batch: 3, Threads: 2}
	_, err = c.Measure(0, spec, 0)
	require.ErrorContains(t, err, ": no rows to measure with")
	require.NoError(t, c.SetRows(0, predict.MakeValues(predict.Float32, 200)))
	sample, err := c.Measure(0, spec, time.Millisecond)
	require.NoError(t, err)
	require.GreaterOrEqual(t, sample.Nanos, int64(time.Millisecond))
	require.GreaterOrEqual(t, sample.Rows, int64(50))
	_, err = c.Measure(0, measure.Spec{}, 0)
	require.ErrorContains(t, err, "cannot measure 100 rows in batches of 0 by 0 threads")
	require.ErrorContains(t, c.SetRows(0, predict.MakeValues(predict.Float32, 3)), "12 bytes are no rows of 2 features")
	require.NoError(t, c.SetRows(3, predict.MakeValues(predict.Float64, 200)))
	sample, err = c.Measure(3, spec, time.Millisecond)
	require.NoError(t, err)
	require.GreaterOrEqual(t, sample.Rows, int64(50))
}

func TestDeadChildIsAnError(t *testing.T) {
	c, err := start(t, "serve")
	require.NoError(t, err)
	reached := false
	err = c.Use(1, func(p predict.Predictor) {
		p.Predict(predict.MakeValues(predict.Float32, 1), predict.MakeValues(predict.Float32, 1))
		reached = true
	})
	require.ErrorContains(t, err, "worker worker.test: exit status 2: panic: model is broken")
	require.False(t, reached)
	var dead *worker.Error
	require.ErrorAs(t, err, &dead)
	require.Contains(t, dead.Stderr, "goroutine 1")
	require.Equal(t, err, c.SetRows(0, predict.Values{}), "later calls say the same")

	c, err = start(t, "serve")
	require.NoError(t, err)
	err = c.Use(1, func(p predict.Predictor) {
		p.Margin(predict.MakeValues(predict.Float32, 1), predict.MakeValues(predict.Float32, 1))
	})
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
	in.Write(request(6|1<<9, 3, 1, 2, 3))
	in.Write(request(6|1<<9, 3, 2, 0, 0, 0))
	in.Write(request(6, 0, 0, 0, 0, 0))
	in.Write(request(2, 3))
	require.NoError(t, worker.Serve(models, &in, &out))
	for _, want := range []string{
		"unknown operation 77", "no model 9, there are 6", "the model has no leaves", "3 bytes where 24 were expected",
		"3 bytes are no margins and rows", "no answer 2, there are 2", "no answer 0, there are 0", "rows of float32, the model takes float64",
	} {
		require.Contains(t, out.String(), want)
	}

	in.Reset()
	in.Write(request(1, 0, 1, 2, 3)[:13])
	require.ErrorContains(t, worker.Serve(models, &in, io.Discard), "message of 3 bytes: unexpected EOF")
}
