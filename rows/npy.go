package rows

import (
	"errors"
	"fmt"
	"io"

	"hew/internal/npy"
)

// readNPY reads an array of rows × columns. An array of one dimension is one
// row of a model with several features, otherwise one column.
func readNPY(r io.Reader, o Options) (*Table, error) {
	a, err := npy.Read(r)
	if err != nil {
		return nil, err
	}
	t := &Table{}
	switch {
	case len(a.Shape) == 2:
		t.NumRows, t.NumFeatures = a.Shape[0], a.Shape[1]
	case len(a.Shape) == 1 && len(o.Features) > 1:
		t.NumRows, t.NumFeatures = 1, a.Shape[0]
	case len(a.Shape) == 1:
		t.NumRows, t.NumFeatures = a.Shape[0], 1
	default:
		return nil, fmt.Errorf("an array of %s: rows need two", count(len(a.Shape), "dimension"))
	}
	if t.NumFeatures == 0 && t.NumRows > 0 {
		return nil, errors.New("rows without columns")
	}
	if _, err := byPosition(t.NumFeatures, o); err != nil {
		return nil, err
	}
	t.X = a.Float32s()
	return t, nil
}

// writeNPY writes the array in its own shape.
func writeNPY(w io.Writer, o *Output) error {
	switch {
	case o.Float32 != nil:
		return npy.Write(w, o.Shape, o.Float32)
	case o.Int32 != nil:
		return npy.Write(w, o.Shape, o.Int32)
	}
	return errors.New("text does not go into a .npy file here: write .csv, .jsonl or .parquet")
}
