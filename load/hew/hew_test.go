package hew_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/load"
	"hew/load/hew"
	"hew/save"
)

// stump is a file with little of everything that trees have.
const stump = `{"hew":1,"input":"float32","sum":"float64","features":[{"name":"a","type":"float"}],"sets":[[2,4]],"outputs":1,
"base_margin":[0.1],"link":"identity","task":"regression","rounds":[0,1],"trees":[
{"output":0,"feature":[0,-1,-1],"left":[1,-1,-1],"right":[2,-1,-1],"threshold":[0.1,0,0],"value":[0,-0.1,"Infinity"]}]}`

func TestRead(t *testing.T) {
	e, err := hew.Read(strings.NewReader(stump))
	require.NoError(t, err)
	require.Equal(t, float64(float32(0.1)), e.Trees[0].Nodes[0].Threshold, "float32, rounded once")
	require.Equal(t, -0.1, e.Trees[0].Nodes[1].Value, "float64")
	require.Equal(t, -1, e.BestRound)
	require.Equal(t, ir.Source{Container: "hew"}, e.Source)
	_, err = hew.Read(iotest.OneByteReader(strings.NewReader(stump)))
	require.NoError(t, err)
}

// Each file is the stump after a replacement, with what its error must tell.
func TestRefused(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{`"hew":1`, `"hew":2`, "version 2 of hew's form; this hew reads version 1"},
		{`"hew":1`, `"hew":"1"`, "string found instead of int"},
		{`"sum":"float64",`, ``, `"features" stands before "sum"`},
		{`"input":"float32"`, `"input":"float16"`, `unknown type "float16"`},
		{`"link":"identity"`, `"link":"logit"`, `unknown link "logit"`},
		{`"type":"float"`, `"type":"real"`, `unknown feature type "real"`},
		{`"type":"float"`, `"type":"float","refuses":["zero"]`, `unknown refusal "zero"`},
		{`"type":"float"`, `"kind":"float"`, `unknown field "kind"`},
		{`"outputs":1`, `"outputs":2`, "1 base margins for 2 outputs"},
		{`"outputs":1`, `"source":{"bound":[1,2]},"outputs":1`, "source: 2 bounds for 1 outputs"},
		{`"outputs":1`, `"source":{"bound":[]},"outputs":1`, "source: 0 bounds for 1 outputs"},
		{`"outputs":1`, `"source":{"bound":["NaN"]},"outputs":1`, "source: bound NaN"},
		{`"outputs":1`, `"source":{"bound":[-1]},"outputs":1`, "source: bound -1"},
		{`"outputs":1`, `"outputs":99999999`, "99999999 outputs, at most 65536 are supported"},
		{`"outputs":1`, `"outputs":1,"outputs":1`, `key "outputs" comes twice`},
		{`"outputs":1`, `"outputs":1,"weights":1`, `unknown key "weights"`},
		{`"rounds":[0,1],`, ``, "trees outside of any round"},
		{`"rounds":[0,1]`, `"rounds":[0,2147483648]`, "place 1: 2147483648 is not a 32-bit integer"},
		{`"rounds":[0,1]`, `"rounds":3`, "rounds: not an array"},
		{`[2,4]`, `[4,2]`, "set 0: bound 1 does not ascend"},
		{`[2,4]`, `[2,[4]]`, "sets: list 0: place 1: [4] is not a number"},
		{`[2,4]`, `[2,1e39]`, "1e39 is not a float32 number"},
		{`[2,4]`, `[2,"Inf"]`, `"Inf" is not a number`},
		{`[2,4]`, `[2,true]`, `true is not a number`},
		{`"feature":[0,`, `"feature":[7,`, "tree 0, node 0: feature 7 out of range [0, 1)"},
		{`"left":[1,`, `"left":[0,`, "tree 0, node 0: child 0 out of range (0, 3)"},
		{`"right":[2,`, `"right":[1,`, "tree 0, node 0: child 1 has two parents"},
		{`"left":[1,-1,-1]`, `"left":[1,-1]`, `tree 0: 2 entries of "left" for 3 nodes`},
		{`"output":0,`, `"output":0,"default_left":[2,0,0],`, "tree 0, node 0: default_left is 2"},
		{`"output":0,`, `"output":1,`, "tree 0 adds to output 1 of 1"},
		{`"output":0,`, `"output":0,"set":[1,-1,-1],`, "tree 0, node 0: set 1 out of range [0, 1)"},
		{`"output":0,`, `"output":0,"vectors":[1,2],"vector":[0,2,0],`, "tree 0, node 1: leaf vector 2 out of range"},
		{`-0.1,`, `"NaN",`, "tree 0, node 1: leaf value NaN"},
		{`"threshold":[0.1,0,0],`, `"threshold":["NaN",0,0],`, "tree 0, node 0: threshold NaN"},
		{`"threshold":[0.1,0,0],`, `"treshold":[0.1,0,0],`, `tree 0: byte`},
		{`"trees":[`, `"trees":{`, `found { instead of "["`},
		{`]}]}`, `]}`, "unexpected end of file"},
		{`]}]}`, `]}]}{}`, "text after the end of the model"},
		{`]}]}`, `]}]}x`, "invalid character 'x'"},
		{`"base_margin":[0.1]`, `"base_margin":[0.1],"post":[{"stage":"votes","args":[0],"width":1000000000,"weights":[1]}]`, "stages that give more than 1048576 numbers"},
		{`"base_margin":[0.1]`, `"base_margin":[0.1],"post":[{"stage":"votes","args":[0],"width":-5,"weights":[1]}],"answers":[{"name":"predict","vector":1}]`, "stage 0, votes: width -5"},
		{`"base_margin":[0.1]`, `"base_margin":[0.1],"columns":[{"feature":0,"ops":[{"op":"call","function":"sinh"}]}]`, `unknown function "sinh"`},
		{`"base_margin":[0.1]`, `"base_margin":[0.1],"columns":[{"feature":0,"ops":[{"op":"mod"}]}]`, `unknown operation "mod"`},
	} {
		text := strings.Replace(stump, c.old, c.new, 1)
		require.NotEqual(t, stump, text, c.old)
		e, err := load.Read("m.json", strings.NewReader(text))
		require.ErrorContains(t, err, c.want, c.new)
		require.ErrorContains(t, err, "m.json: ")
		require.Nil(t, e)
		require.True(t, errors.Is(err, load.ErrFormat) || errors.Is(err, load.ErrUnsupported), "%v", err)
	}
}

func TestVersionFirst(t *testing.T) {
	_, err := hew.Read(strings.NewReader(strings.Replace(stump, `"hew":1,`, ``, 1)))
	require.ErrorContains(t, err, `"features" stands before "hew", which says how to read it`)
	_, err = hew.Read(strings.NewReader(`{"input":"float32"}`))
	require.ErrorContains(t, err, "no version of the form")
}

// Doubling a vector at each stage would make a large one of a small file.
func TestStagesThatDouble(t *testing.T) {
	var b strings.Builder
	for i := range 60 {
		fmt.Fprintf(&b, `{"stage":"concat","args":[%d,%d],"width":%d},`, i, i, 2<<i)
	}
	text := strings.Replace(stump, `"rounds"`, `"answers":[{"name":"predict","vector":60}],"post":[`+strings.TrimSuffix(b.String(), ",")+`],"rounds"`, 1)
	_, err := hew.Read(strings.NewReader(text))
	require.ErrorContains(t, err, "stages that give more than")
}

func TestTruncated(t *testing.T) {
	for i := range len(stump) - 1 {
		_, err := hew.Read(strings.NewReader(stump[:i]))
		require.ErrorIs(t, err, load.ErrFormat, stump[:i])
	}
	_, err := hew.Read(io.MultiReader(strings.NewReader(stump[:100]), iotest.ErrReader(errors.New("the disk is gone"))))
	require.ErrorContains(t, err, "the disk is gone")
	require.NotErrorIs(t, err, load.ErrFormat)
}

// The file is read as a stream: the text of its trees is never in memory at once.
func TestStream(t *testing.T) {
	tree := stump[strings.Index(stump, `{"output"`):strings.Index(stump, `]}]}`)] + `]},`
	const trees = 20_000
	pad := strings.Repeat(" ", 2000)
	text := strings.Replace(stump, `{"output"`, strings.Repeat(tree+pad, trees-1)+`{"output"`, 1)
	text = strings.Replace(text, `"rounds":[0,1]`, fmt.Sprintf(`"rounds":[0,%d]`, trees), 1)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	e, err := hew.Read(strings.NewReader(text))
	require.NoError(t, err)
	require.Len(t, e.Trees, trees)
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, int(after.HeapAlloc)-int(before.HeapAlloc), len(text)/2)
}

// FuzzRead checks that bytes give an error or a well-formed ensemble, which then
// survives being written.
func FuzzRead(f *testing.F) {
	f.Add([]byte(stump))
	for seed := range uint64(12) {
		s := nodiff.Shape{Trees: 3, Depth: 3, Input: ir.Precision(seed % 2), Sum: ir.Precision(seed / 2 % 2), Columns: seed%3 == 0, Answers: seed%4 == 0}
		var b bytes.Buffer
		require.NoError(f, save.JSON(&b, s.Ensemble(seed)))
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := hew.Read(bytes.NewReader(data))
		if (e == nil) == (err == nil) {
			t.Fatalf("ensemble %v and error %v", e, err)
		}
		if err != nil {
			return
		}
		if err := e.Verify(); err != nil {
			t.Fatal(err)
		}
		engine := interp.New(e)
		x, margins := make([]float64, len(e.Features)), make([]float64, e.Outputs)
		engine.Margin64(margins, x)
		for i := range e.Answers {
			engine.Answer64(i, make([]float64, e.VectorWidth(e.Answers[i].Vector)), margins, x)
		}
		var first, second bytes.Buffer
		if err := save.JSON(&first, e); err != nil {
			t.Fatal(err)
		}
		text := first.String()
		again, err := hew.Read(&first)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if err := save.JSON(&second, again); err != nil {
			t.Fatal(err)
		}
		// The second text has container hew and nothing else that differs.
		e.Source.Container = "hew"
		first.Reset()
		if err := save.JSON(&first, e); err != nil {
			t.Fatal(err)
		}
		if first.String() != second.String() {
			t.Fatalf("%s\nbecame\n%s", first.String(), second.String())
		}
	})
}
