package save_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/load"
	"hew/save"
)

func BenchmarkSave(b *testing.B) {
	original, err := os.ReadFile(filepath.Join(goldens, "xgboost-3.2-realistic-multi-covtype-100x7x8", "model.ubj"))
	require.NoError(b, err)
	e, err := load.Read("", bytes.NewReader(original))
	require.NoError(b, err)
	for name, write := range map[string]func(io.Writer) error{
		"form=xgboost-json":   func(w io.Writer) error { return save.XGBoost(w, e, original, false) },
		"form=xgboost-ubjson": func(w io.Writer) error { return save.XGBoost(w, e, original, true) },
		"form=hew":            func(w io.Writer) error { return save.JSON(w, e) },
	} {
		b.Run(name, func(b *testing.B) {
			var out bytes.Buffer
			require.NoError(b, write(&out))
			b.SetBytes(int64(out.Len()))
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, write(io.Discard))
			}
		})
	}
}

func BenchmarkReadHew(b *testing.B) {
	e, err := load.File(filepath.Join(goldens, "xgboost-3.2-realistic-multi-covtype-100x7x8", "model.ubj"))
	require.NoError(b, err)
	var out bytes.Buffer
	require.NoError(b, save.JSON(&out, e))
	b.SetBytes(int64(out.Len()))
	b.ReportAllocs()
	for b.Loop() {
		_, err := load.Read("", bytes.NewReader(out.Bytes()))
		require.NoError(b, err)
	}
}
