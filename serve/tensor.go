package serve

import (
	"math"
	"strconv"
	"strings"

	"hew/internal/nearest"
	"hew/predict"
)

// InputName is the name of the tensor that holds whole rows. It is the one that
// the examples for KServe's tree servers use.
const InputName = "input-0"

// A Tensor is an input of a V2 request, whatever protocol it came by.
type Tensor struct {
	Name     string
	Datatype string // FP32, INT64, …
	Shape    []int64

	// Values holds the elements of any datatype but BYTES in the type that the
	// model takes, each rounded to it once: from its decimal text for FP32 and from
	// its exact value otherwise. FP32 in a model of float64 is float32, widened.
	Values predict.Values

	Text    []string // the elements of a BYTES tensor
	Missing []int    // in ascending order, which of Text are no text but missing
}

func (t *Tensor) len() int {
	if t.Datatype == "BYTES" {
		return len(t.Text)
	}
	return t.Values.Len()
}

// missing reports whether element i of Text is missing. Elements are asked for in
// order; next counts those that were found.
func (t *Tensor) missing(i int, next *int) bool {
	if *next < len(t.Missing) && t.Missing[*next] == i {
		*next++
		return true
	}
	return false
}

// TensorInfo describes an input or output tensor in a model's V2 metadata.
type TensorInfo struct {
	Name     string
	Datatype string
	Shape    []int64 // -1 where it varies
}

// Inputs returns the metadata of the model's input.
func (m *Model) Inputs() []TensorInfo {
	return []TensorInfo{{InputName, numberDatatype(m.Input), []int64{-1, int64(m.NumFeatures)}}}
}

// Platform is the model's platform in V2 metadata, "hew_xgboost".
func (m *Model) Platform() string {
	trainer, _, _ := strings.Cut(m.Source.Format, " ")
	if trainer == "" {
		return "hew"
	}
	return "hew_" + trainer
}

// Rows returns the rows that a request's tensors hold, packed for Score: those
// of the one tensor called InputName, or one column from each of NumFeatures
// tensors that are named as the features. The result is the memory of the tensor
// or of room. The error is an *Error.
func (m *Model) Rows(room *Buffer, in []Tensor) (predict.Values, error) {
	for i := range in {
		if err := checkShape(&in[i]); err != nil {
			return predict.Values{}, err
		}
	}
	if len(in) == 1 && in[0].Name == InputName {
		return m.matrix(room, &in[0])
	}
	return m.columns(room, in)
}

// checkShape makes sure that the shape is not negative, does not overflow and
// agrees with the number of elements.
func checkShape(t *Tensor) error {
	n := int64(1)
	for _, d := range t.Shape {
		if d < 0 {
			return invalid("input %q: dimension %d is negative", t.Name, d)
		}
		if d > 0 && n > math.MaxInt64/d {
			return invalid("input %q: the shape is too large", t.Name)
		}
		n *= d
	}
	if n != int64(t.len()) {
		return invalid("input %q: the shape asks for %d values, the data has %d", t.Name, n, t.len())
	}
	return nil
}

// matrix returns the rows of a tensor of rows × features.
func (m *Model) matrix(room *Buffer, t *Tensor) (x predict.Values, err error) {
	if len(t.Shape) != 2 || t.Shape[1] != int64(m.NumFeatures) {
		return x, invalid("input %q has shape %s, want [rows,%d]", t.Name, shapeText(t.Shape), m.NumFeatures)
	}
	if err := m.CheckRows(int(t.Shape[0])); err != nil {
		return x, err
	}
	if t.Datatype != "BYTES" {
		return t.Values, nil
	}
	dst := room.Resize(m.Input, len(t.Text))
	next := 0
	for i, text := range t.Text {
		v := nan
		if !t.missing(i, &next) {
			if v, err = m.Code(i%m.NumFeatures, text); err != nil {
				return x, invalid("row %d: %s", i/m.NumFeatures, err)
			}
		}
		set(dst, i, v)
	}
	return *dst, nil
}

// columns puts one tensor per feature side by side. It makes room for the rows
// only when every column is there, so that a request cannot ask for more memory
// than it sends.
func (m *Model) columns(room *Buffer, in []Tensor) (x predict.Values, err error) {
	if err := m.checkColumns(in); err != nil {
		return x, err
	}
	dst := room.Resize(m.Input, in[0].len()*m.NumFeatures)
	for i := range in {
		if err := m.column(dst, &in[i]); err != nil {
			return x, err
		}
	}
	return *dst, nil
}

// checkColumns makes sure that there is one tensor for each feature, and not too
// many rows.
func (m *Model) checkColumns(in []Tensor) error {
	if len(in) == 0 {
		return invalid("inputs is empty")
	}
	seen := make([]bool, m.NumFeatures)
	for i := range in {
		t := &in[i]
		column, ok := m.features[t.Name]
		switch {
		case !ok:
			return m.unknownInput(t.Name)
		case seen[column]:
			return invalid("input %q is there twice", t.Name)
		case len(t.Shape) == 0 || len(t.Shape) > 2 || len(t.Shape) == 2 && t.Shape[1] != 1:
			return invalid("input %q has shape %s, want [rows] or [rows,1]", t.Name, shapeText(t.Shape))
		case t.Shape[0] != in[0].Shape[0]:
			return invalid("input %q has %d rows, input %q has %d", t.Name, t.Shape[0], in[0].Name, in[0].Shape[0])
		}
		seen[column] = true
	}
	for column, ok := range seen {
		if !ok {
			return invalid("input %q is missing (one tensor per feature, or one called %q)", m.Features[column].Name, InputName)
		}
	}
	return m.CheckRows(in[0].len())
}

// column writes a feature's tensor into its column of the rows in dst.
func (m *Model) column(dst *predict.Values, t *Tensor) (err error) {
	column, next := m.features[t.Name], 0
	for row := range t.len() {
		v := nan
		if t.Datatype != "BYTES" {
			v = at(&t.Values, row)
		} else if !t.missing(row, &next) {
			if v, err = m.Code(column, t.Text[row]); err != nil {
				return invalid("row %d: %s", row, err)
			}
		}
		set(dst, row*m.NumFeatures+column, v)
	}
	return nil
}

// Column returns the column of the feature with the given name. The error is an
// *Error.
func (m *Model) Column(name string) (int, error) {
	if column, ok := m.features[name]; ok {
		return column, nil
	}
	return 0, invalid("unknown feature %q%s", name, m.suggestFeature(name))
}

// Code returns the code of a category's text in the given column: −1 for an unknown
// text if the feature is open. The error is an *Error.
func (m *Model) Code(column int, text string) (float64, error) {
	f := &m.Features[column]
	if m.codes[column] == nil {
		if f.Type == "categorical" {
			return 0, invalid("feature %q takes category codes, the model does not know their text", f.Name)
		}
		return 0, invalid("feature %q takes numbers, not text", f.Name)
	}
	if code, ok := m.codes[column][text]; ok {
		return code, nil
	}
	if f.Open {
		return -1, nil
	}
	return 0, invalid("feature %q has no category %q%s", f.Name, text, nearest.Hint(text, f.Categories))
}

func (m *Model) unknownInput(name string) error {
	if len(m.features) == 1 || name == "" {
		return invalid("unknown input %q, want %q", name, InputName)
	}
	return invalid("unknown input %q%s; want one called %q or one per feature", name, m.suggestFeature(name), InputName)
}

func (m *Model) suggestFeature(name string) string {
	names := make([]string, len(m.Features))
	for i, f := range m.Features {
		names[i] = f.Name
	}
	return nearest.Hint(name, names)
}

func shapeText(shape []int64) string {
	b := []byte{'['}
	for i, d := range shape {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, d, 10)
	}
	return string(append(b, ']'))
}
