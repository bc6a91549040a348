package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/npy"
)

func TestTexts(t *testing.T) {
	want := []string{"yes", "", "größer 𝔸", "no"}
	var file bytes.Buffer
	require.NoError(t, npy.WriteText(&file, []int{len(want)}, want))
	got, err := texts(file.Bytes())
	require.NoError(t, err)
	require.Equal(t, want, got)
	for n := range file.Len() {
		_, err := texts(file.Bytes()[:n]) // no panic
		if (file.Len()-n)%(4*8) != 0 {
			require.Error(t, err, n)
		}
	}

	file.Reset()
	require.NoError(t, npy.Write(&file, []int{2}, []float32{1, 2}))
	_, err = texts(file.Bytes())
	require.EqualError(t, err, "no array of text, which the labels are")
}
