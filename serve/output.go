package serve

import (
	"fmt"
	"strconv"
	"strings"

	"hew/predict"
)

// An Output is something that a request may ask a model for. Its shape is that of
// TensorInfo; Outputs of a model are compared by their address.
type Output struct {
	TensorInfo

	// Labels holds the classes of each column, if the values are labels. What a
	// Result has then are indices into them.
	Labels []Labels

	// vector says what is computed for it: the answer of this number or, without
	// answers, 0 for the prediction; the next number is the margins.
	vector int
	size   int64 // bytes per row of an answer
}

// leafVector is the vector of an output that is no vector but leaf numbers.
const leafVector = -1

// Width returns the number of values per row.
func (o *Output) Width() int { return int(o.Shape[1]) }

// IsLeaf reports whether the values are leaf numbers, which Result.Leaf has.
func (o *Output) IsLeaf() bool { return o.vector == leafVector }

// of returns the values of one row.
func (o *Output) of(r *Result, row int) predict.Values {
	w := o.Width()
	return r.Values(o).Slice(row*w, (row+1)*w)
}

// Labels are the classes of one column of an output, by number: their texts, and
// what they are in the datatype of the output.
type Labels struct {
	Texts  []string  // for BYTES, and as text for any
	Ints   []int64   // for INT64
	Floats []float64 // for FP64
	Bools  []bool    // for BOOL
}

// Number returns class i as a number, which a text is not: 0 and 1 for a BOOL.
func (l *Labels) Number(i int) float64 {
	switch {
	case l.Ints != nil:
		return float64(l.Ints[i])
	case l.Floats != nil:
		return l.Floats[i]
	case l.Bools != nil && l.Bools[i]:
		return 1
	}
	return 0
}

// Outputs returns what may be asked for, the prediction first. A model without
// answers has predict, margin and, if it has trees, leaf. One with answers has
// these, where predict is the answer of that name or the first one with labels,
// and all other answers.
func (m *Model) Outputs() []*Output { return m.outputs }

// Default returns the outputs of a V2 request that names none: the prediction and
// the probabilities, if they are an answer of their own.
func (m *Model) Default() []*Output { return m.usual }

// Plain returns the outputs that the plain service answers with: the prediction
// and, if that is not the first answer, the first answer.
func (m *Model) Plain() []*Output { return m.plain }

func (m *Model) addOutputs() error {
	number := numberDatatype(m.Output)
	if len(m.Answers) == 0 {
		m.add(number, "predict", 0, m.NumOutputs)
	} else if err := m.addAnswers(); err != nil {
		return err
	}
	m.add(number, "margin", m.marginVector(), m.NumMargins)
	if m.Leaf != nil {
		m.add("INT32", "leaf", leafVector, m.NumTrees)
	}
	seen := map[string]bool{}
	for _, o := range m.outputs {
		if seen[o.Name] {
			return fmt.Errorf("two outputs are named %q", o.Name)
		}
		seen[o.Name] = true
	}
	return nil
}

// addAnswers adds the answers and chooses the outputs that nobody has to ask for.
func (m *Model) addAnswers() error {
	first := m.predictAnswer()
	if _, err := m.addAnswer("predict", first); err != nil {
		return err
	}
	for i := range m.Answers {
		name := m.Answers[i].Name
		if i == first && name == "predict" {
			continue
		}
		o, err := m.addAnswer(name, i)
		if err != nil {
			return err
		}
		if name == "proba" {
			m.usual = append(m.usual, o)
		}
		if i == 0 && first != 0 {
			m.plain = append(m.plain, o)
		}
	}
	return nil
}

// predictAnswer returns the answer that the trainer's predict gives.
func (m *Model) predictAnswer() int {
	first := 0
	for i := len(m.Answers) - 1; i >= 0; i-- {
		if m.Answers[i].Name == "predict" {
			return i
		}
		if m.Answers[i].Labels != nil {
			first = i
		}
	}
	return first
}

func (m *Model) addAnswer(name string, i int) (*Output, error) {
	a := &m.Answers[i]
	if a.Width < 1 || a.Labels != nil && len(a.Labels) != a.Width {
		return nil, fmt.Errorf("answer %q has %d values and %d lists of labels", a.Name, a.Width, len(a.Labels))
	}
	if a.Labels == nil {
		return m.add(numberDatatype(m.Output), name, i, a.Width), nil
	}
	o := m.add(labelDatatype(a.Labels), name, i, a.Width)
	o.size = 0
	for _, l := range a.Labels {
		labels, err := newLabels(l.Texts, o.Datatype)
		if err != nil {
			return nil, fmt.Errorf("answer %q: %w", a.Name, err)
		}
		o.Labels = append(o.Labels, labels)
		longest := 4
		for _, text := range l.Texts {
			longest = max(longest, len(text))
		}
		o.size += 4 + int64(longest)
	}
	return o, nil
}

func (m *Model) add(datatype, name string, vector, width int) *Output {
	size := int64(4)
	if datatype == "FP64" {
		size = 8
	}
	o := &Output{
		TensorInfo: TensorInfo{name, datatype, []int64{-1, int64(width)}},
		vector:     vector,
		size:       size * int64(width),
	}
	if m.outputs = append(m.outputs, o); m.usual == nil {
		m.usual, m.plain = m.outputs[:1:1], m.outputs[:1:1]
	}
	return o
}

// marginVector is the number of the vector after the prediction or the answers.
func (m *Model) marginVector() int { return max(1, len(m.Answers)) }

// numberDatatype returns the V2 name of a type of numbers.
func numberDatatype(t predict.Type) string {
	if t == predict.Float64 {
		return "FP64"
	}
	return "FP32"
}

// labelDatatype returns the datatype of labels: the one that is for all of their
// columns, or text.
func labelDatatype(labels []predict.Labels) string {
	kind := labels[0].Type
	for _, l := range labels {
		if l.Type != kind {
			kind = "text"
		}
	}
	switch kind {
	case "int":
		return "INT64"
	case "float":
		return "FP64"
	case "bool":
		return "BOOL"
	}
	return "BYTES"
}

func newLabels(texts []string, datatype string) (Labels, error) {
	l := Labels{Texts: texts}
	var err error
	switch datatype {
	case "INT64":
		l.Ints, err = parseAll(texts, func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) })
	case "FP64":
		l.Floats, err = parseAll(texts, func(s string) (float64, error) { return strconv.ParseFloat(s, 64) })
	case "BOOL":
		l.Bools, err = parseAll(texts, strconv.ParseBool)
	}
	return l, err
}

func parseAll[T any](texts []string, parse func(string) (T, error)) ([]T, error) {
	values := make([]T, len(texts))
	for i, text := range texts {
		var err error
		if values[i], err = parse(text); err != nil {
			return nil, fmt.Errorf("label %q is not of the type of the labels: %w", text, err)
		}
	}
	return values, nil
}

// Wanted returns the output of the given name. The error is an *Error.
func (m *Model) Wanted(name string) (*Output, error) {
	for _, o := range m.outputs {
		if o.Name == name {
			return o, nil
		}
	}
	names := make([]string, len(m.outputs))
	for i, o := range m.outputs {
		names[i] = o.Name
	}
	return nil, invalid("model %q has no output %q (it has %s)", m.Name, name, strings.Join(names, ", "))
}
