package score

import (
	"fmt"
	"io"
	"slices"

	"hew/internal/npy"
)

// ReadBase reads the base margins of n rows as a .npy array of the trainer's own
// shapes: rows × outputs, or all values in one dimension.
func ReadBase(r io.Reader, n, outputs int) ([]float32, error) {
	a, err := npy.Read(r)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(a.Shape, []int{n, outputs}) && !slices.Equal(a.Shape, []int{n * outputs}) {
		return nil, fmt.Errorf("base margin of shape %v for %d rows and %d outputs", a.Shape, n, outputs)
	}
	return a.Float32s(), nil
}
