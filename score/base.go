package score

import (
	"fmt"
	"io"
	"slices"

	"hew/internal/npy"
	"hew/predict"
)

// ReadBase reads the base margins of n rows as a .npy array of the trainer's own
// shapes: rows × outputs, or all values in one dimension. They are of type t.
func ReadBase(r io.Reader, n, outputs int, t predict.Type) (predict.Values, error) {
	a, err := npy.Read(r)
	if err != nil {
		return predict.Values{}, err
	}
	if !slices.Equal(a.Shape, []int{n, outputs}) && !slices.Equal(a.Shape, []int{n * outputs}) {
		return predict.Values{}, fmt.Errorf("base margin of shape %v for %d rows and %d outputs", a.Shape, n, outputs)
	}
	if t == predict.Float64 {
		return predict.ValuesOf(a.Float64s()), nil
	}
	return predict.ValuesOf(a.Float32s()), nil
}
