package xgboost_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/load/xgboost"
)

func TestFrame(t *testing.T) {
	for container := range readers {
		f, err := xgboost.ReadFrame(sorted.bytes(edited(t), container))
		require.NoError(t, err)
		require.Equal(t, [3]int32{3, 4, 1}, f.Version)
		require.Equal(t, "gbtree", f.Booster)
		require.Equal(t, "reg:squarederror", f.Objective())
		require.Equal(t, []float32{0.5}, f.BaseScore)
		require.True(t, f.Estimate)
		require.Equal(t, []int{1, 1, -1}, []int{f.Outputs(), f.Features(), f.Rounds})
		model := f.Root.Get("learner").(xgboost.Object).Get("gradient_booster").(xgboost.Object).Get("model").(xgboost.Object)
		require.Nil(t, model.Get("trees"))
		require.Equal(t, []any{int64(0), int64(1)}, elements(model.Get("iteration_indptr")))
		margins, err := f.Margins([3]int32{3, 2, 0}, []float32{0.25})
		require.NoError(t, err)
		require.Equal(t, []float64{0.25}, margins)
	}
}

// elements returns an array's elements whether or not it has a type.
func elements(v any) any {
	if a, ok := v.(xgboost.Ints); ok {
		var list []any
		for _, i := range a.Values {
			list = append(list, i)
		}
		return list
	}
	return v
}

func TestFrameValues(t *testing.T) {
	more := edit{"learner.more", `{"a":[true,false,null,"x",1,-300,70000,5000000000,1.5E0,[],{}],"b":{"c":[1.5,2]}}`}
	for _, style := range []byte("tcb") {
		w := sorted
		w.style = style
		for container := range readers {
			f, err := xgboost.ReadFrame(w.bytes(edited(t, more), container))
			require.NoError(t, err)
			o := f.Root.Get("learner").(xgboost.Object).Get("more").(xgboost.Object)
			require.Equal(t, []any{true, false, nil, "x", int64(1), int64(-300), int64(70000), int64(5000000000), float32(1.5), []any{}, xgboost.Object{}}, o.Get("a"))
			floats := any([]any{float32(1.5), int64(2)})
			if container == "ubjson" && style == 't' {
				floats = xgboost.Floats{Type: 'd', Values: []float64{1.5, 2}}
			}
			require.Equal(t, floats, o.Get("b").(xgboost.Object).Get("c"))
		}
	}
}

func TestFrameRefuses(t *testing.T) {
	for container := range readers {
		_, err := xgboost.ReadFrame(sorted.bytes(edited(t, edit{booster + "name", `"forest"`}), container))
		require.ErrorContains(t, err, "is none of gbtree")
		_, err = xgboost.ReadFrame(sorted.bytes(edited(t, edit{"learner.gradient_booster", ""}), container))
		require.ErrorContains(t, err, "no booster")
		deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
		_, err = xgboost.ReadFrame(sorted.bytes(edited(t, edit{"learner.more", deep}), container))
		require.ErrorContains(t, err, "nested deeper than 64")
		good := sorted.bytes(edited(t, edit{"learner.more", `[1,{"x":[2.5]},null]`}), container)
		for i := range good {
			_, err := xgboost.ReadFrame(good[:i])
			require.Error(t, err)
		}
	}
	huge := strings.Replace(string(sorted.bytes(edited(t), "ubjson")), "feature_names[#L\x00\x00\x00\x00\x00\x00\x00\x00",
		"feature_blobs[$L#L"+string(binary.BigEndian.AppendUint64(nil, 1<<50)), 1)
	var err error
	require.Less(t, allocatedBy(func() { _, err = xgboost.ReadFrame([]byte(huge)) }), 1<<20)
	require.Error(t, err)
}

func FuzzFrame(f *testing.F) {
	for container := range readers {
		f.Add(sorted.bytes(edited(f, edit{"learner.more", `{"a":[true,null,"x",1.5E0],"b":[1,2]}`}), container))
	}
	for _, name := range []string{"xgboost-3.2-dart-binary", "xgboost-3.2-categorical-pandas-strings", "xgboost-3.2-gblinear-binary"} {
		for _, file := range []string{"model.json", "model.ubj"} {
			data, err := os.ReadFile(filepath.Join(goldens, name, file))
			require.NoError(f, err)
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := xgboost.ReadFrame(bytes.Clone(data))
		if (frame == nil) == (err == nil) {
			t.Fatalf("frame %v and error %v", frame, err)
		}
		if err == nil {
			_, _ = frame.Margins([3]int32{3, 2, 0}, frame.BaseScore)
		}
	})
}
