package rows

import (
	"errors"
	"fmt"
	"io"

	"hew/internal/npy"
	"hew/predict"
)

// readNPY reads an array of rows × columns. An array of one dimension is one
// row of a model with several features, otherwise one column.
func readNPY(r io.Reader, o Options) (*Table, error) {
	var shape []int
	var x predict.Values
	var err error
	if o.Type == predict.Float64 {
		shape, x.F64, err = npy.ReadAs[float64](r)
	} else {
		shape, x.F32, err = npy.ReadAs[float32](r)
	}
	if err != nil {
		return nil, err
	}
	t := &Table{X: x}
	switch {
	case len(shape) == 2:
		t.NumRows, t.NumFeatures = shape[0], shape[1]
	case len(shape) == 1 && len(o.Features) > 1:
		t.NumRows, t.NumFeatures = 1, shape[0]
	case len(shape) == 1:
		t.NumRows, t.NumFeatures = shape[0], 1
	default:
		return nil, fmt.Errorf("an array of %s: rows need two", count(len(shape), "dimension"))
	}
	if t.NumFeatures == 0 && t.NumRows > 0 {
		return nil, errors.New("rows without columns")
	}
	if _, err := byPosition(t.NumFeatures, o); err != nil {
		return nil, err
	}
	return t, nil
}

// writeNPY writes the array in its own shape.
func writeNPY(w io.Writer, o *Output) error {
	switch {
	case o.Float32 != nil:
		return npy.Write(w, o.Shape, o.Float32)
	case o.Float64 != nil:
		return npy.Write(w, o.Shape, o.Float64)
	case o.Int64 != nil:
		return npy.Write(w, o.Shape, o.Int64)
	case o.Bool != nil:
		return npy.Write(w, o.Shape, o.Bool)
	}
	return npy.WriteWideText(w, o.Shape, o.Text, o.TextWidth)
}
