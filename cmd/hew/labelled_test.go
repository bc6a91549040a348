package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"hew/internal/npy"
	"hew/ir"
)

// A .npy file holds the labels of classes that are numbers, not their codes.
func TestNumbersAsLabels(t *testing.T) {
	e := ir.MustParse("(f0<1 1 2)")
	e.Task, e.Link, e.Classes = ir.Classification, ir.Sigmoid, []string{"1", "2"}
	write := func(name string, values []float32) string {
		file := filepath.Join(t.TempDir(), name)
		f, err := os.Create(file)
		require.NoError(t, err)
		require.NoError(t, npy.Write(f, []int{len(values) / 2, 2}, values))
		require.NoError(t, f.Close())
		return file
	}
	l := labelFlags{label: "y"}
	d, err := l.read(&cobra.Command{}, &rowFlags{}, write("rows.npy", []float32{0.5, 2, 3, 1}), e)
	require.NoError(t, err)
	require.Equal(t, []float64{1, 0}, d.Y)
	require.Equal(t, []float64{0.5, 3}, d.X)

	_, err = l.read(&cobra.Command{}, &rowFlags{}, write("rows.npy", []float32{0.5, 2, 3, 0}), e)
	require.ErrorContains(t, err, "row 2: label 0 is none of the classes [1 2]")

	e.Classes = []string{"no", "yes"} // the codes of text
	d, err = l.read(&cobra.Command{}, &rowFlags{}, write("rows.npy", []float32{0.5, 1, 3, 0}), e)
	require.NoError(t, err)
	require.Equal(t, []float64{1, 0}, d.Y)
}
