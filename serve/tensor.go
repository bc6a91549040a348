package serve

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"hew/internal/nearest"
)

// InputName is the name of the tensor that holds whole rows. It is the one that
// the examples for KServe's tree servers use.
const InputName = "input-0"

// A Tensor is an input of a V2 request, whatever protocol it came by.
type Tensor struct {
	Name     string
	Datatype string // FP32, INT64, …
	Shape    []int64

	// Values holds the elements of any datatype but BYTES, each rounded to
	// float32 once: from its decimal text for FP32 and from its exact value
	// otherwise.
	Values []float32
	Text   []string // the elements of a BYTES tensor
}

func (t *Tensor) len() int {
	if t.Datatype == "BYTES" {
		return len(t.Text)
	}
	return len(t.Values)
}

// TensorInfo describes an input or output tensor in a model's V2 metadata.
type TensorInfo struct {
	Name     string
	Datatype string
	Shape    []int64 // -1 where it varies
}

// Inputs returns the metadata of the model's input.
func (m *Model) Inputs() []TensorInfo {
	return []TensorInfo{{InputName, "FP32", []int64{-1, int64(m.NumFeatures)}}}
}

// Outputs returns the metadata of the model's outputs, the default one first.
func (m *Model) Outputs() []TensorInfo {
	outputs := []TensorInfo{
		{"predict", "FP32", []int64{-1, int64(m.NumOutputs)}},
		{"margin", "FP32", []int64{-1, int64(m.NumMargins)}},
	}
	if m.Leaf != nil {
		outputs = append(outputs, TensorInfo{"leaf", "INT32", []int64{-1, int64(m.NumTrees)}})
	}
	return outputs
}

// Platform is the model's platform in V2 metadata, "hew_xgboost".
func (m *Model) Platform() string {
	trainer, _, _ := strings.Cut(m.Source.Format, " ")
	if trainer == "" {
		return "hew"
	}
	return "hew_" + trainer
}

// Wanted returns the output of the given name. A request without names gets
// Predict.
func (m *Model) Wanted(name string) (Outputs, error) {
	var names []string
	for i, o := range m.Outputs() {
		if o.Name == name {
			return Outputs(1 << i), nil
		}
		names = append(names, o.Name)
	}
	return 0, invalid("model %q has no output %q (it has %s)", m.Name, name, strings.Join(names, ", "))
}

// Rows returns the rows that a request's tensors hold, packed for Score: those
// of the one tensor called InputName, or one column from each of NumFeatures
// tensors that are named as the features. The result may be the memory of the
// tensor or of dst. The error is an *Error.
func (m *Model) Rows(dst []float32, in []Tensor) ([]float32, error) {
	for i := range in {
		if err := checkShape(&in[i]); err != nil {
			return nil, err
		}
	}
	if len(in) == 1 && in[0].Name == InputName {
		return m.matrix(dst, &in[0])
	}
	return m.columns(dst, in)
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
func (m *Model) matrix(dst []float32, t *Tensor) ([]float32, error) {
	if len(t.Shape) != 2 || t.Shape[1] != int64(m.NumFeatures) {
		return nil, invalid("input %q has shape %s, want [rows,%d]", t.Name, shapeText(t.Shape), m.NumFeatures)
	}
	if err := m.CheckRows(int(t.Shape[0])); err != nil {
		return nil, err
	}
	if t.Datatype != "BYTES" {
		return t.Values, nil
	}
	dst = dst[:0]
	for i, text := range t.Text {
		v, err := m.Code(i%m.NumFeatures, text)
		if err != nil {
			return nil, invalid("row %d: %s", i/m.NumFeatures, err)
		}
		dst = append(dst, v)
	}
	return dst, nil
}

// columns puts one tensor per feature side by side. It makes room for the rows
// only when every column is there, so that a request cannot ask for more memory
// than it sends.
func (m *Model) columns(dst []float32, in []Tensor) ([]float32, error) {
	if len(in) == 0 {
		return nil, invalid("inputs is empty")
	}
	seen := make([]bool, m.NumFeatures)
	for i := range in {
		t := &in[i]
		column, ok := m.features[t.Name]
		switch {
		case !ok:
			return nil, m.unknownInput(t.Name)
		case seen[column]:
			return nil, invalid("input %q is there twice", t.Name)
		case len(t.Shape) == 0 || len(t.Shape) > 2 || len(t.Shape) == 2 && t.Shape[1] != 1:
			return nil, invalid("input %q has shape %s, want [rows] or [rows,1]", t.Name, shapeText(t.Shape))
		case t.Shape[0] != in[0].Shape[0]:
			return nil, invalid("input %q has %d rows, input %q has %d", t.Name, t.Shape[0], in[0].Name, in[0].Shape[0])
		}
		seen[column] = true
	}
	for column, ok := range seen {
		if !ok {
			return nil, invalid("input %q is missing (one tensor per feature, or one called %q)", m.Features[column].Name, InputName)
		}
	}
	rows := in[0].len()
	if err := m.CheckRows(rows); err != nil {
		return nil, err
	}
	dst = slices.Grow(dst[:0], rows*m.NumFeatures)[:rows*m.NumFeatures]
	for i := range in {
		if err := m.column(dst, &in[i]); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// column writes a feature's tensor into its column of the rows in dst.
func (m *Model) column(dst []float32, t *Tensor) error {
	column := m.features[t.Name]
	for row := range t.len() {
		v := float32(0)
		if t.Datatype != "BYTES" {
			v = t.Values[row]
		} else {
			code, err := m.Code(column, t.Text[row])
			if err != nil {
				return invalid("row %d: %s", row, err)
			}
			v = code
		}
		dst[row*m.NumFeatures+column] = v
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

// Code returns the code of a category's text in the given column. The error is
// an *Error.
func (m *Model) Code(column int, text string) (float32, error) {
	f := &m.Features[column]
	if m.codes[column] == nil {
		if f.Type == "categorical" {
			return 0, invalid("feature %q takes category codes, the model does not know their text", f.Name)
		}
		return 0, invalid("feature %q takes numbers, not text", f.Name)
	}
	code, ok := m.codes[column][text]
	if !ok {
		return 0, invalid("feature %q has no category %q%s", f.Name, text, nearest.Hint(text, f.Categories))
	}
	return code, nil
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
