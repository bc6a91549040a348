package serve

import "hew/predict"

// CheckJSON reads b as one JSON text of any shape.
func CheckJSON(b []byte) error {
	r := jsonReader{b: b}
	r.skip()
	r.end()
	if r.err != nil {
		return r.err
	}
	return nil
}

// Number reads b as a number.
func Number(b []byte) (f32 float32, ok32 bool, f64 float64, ok64 bool, err error) {
	r := jsonReader{b: b}
	n := r.number()
	r.end()
	if r.err != nil {
		return 0, false, 0, false, r.err
	}
	f32, ok32 = n.float32()
	f64, ok64 = n.float64()
	return f32, ok32, f64, ok64, nil
}

// Integer reads b as an integer within the limits of int64.
func Integer(b []byte) (v uint64, negative, ok bool) {
	r := jsonReader{b: b}
	n := r.number()
	v, ok = n.integer(1<<63, 1<<63-1)
	return v, n.neg, ok && r.err == nil
}

// Text reads b as a string.
func Text(b []byte) ([]byte, error) {
	r := jsonReader{b: b}
	text := r.text()
	r.end()
	if r.err != nil {
		return nil, r.err
	}
	return text, nil
}

// AppendText and AppendFloat write JSON.
var (
	AppendText  = appendText[string]
	AppendFloat = appendFloat
)

// Class returns the class that a prediction means.
func (m *Model) Class(prediction predict.Values) (string, bool) { return m.class(prediction) }
