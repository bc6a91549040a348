package interp

import "hew/ir"

// Label writes the class of each row as the trainer's scikit-learn wrapper
// chooses it.
//
// With ir.Softmax and ir.Argmax that is one value: the index of the first largest
// prediction. With any other link each output is a question of its own, and its
// answer is 1 if the prediction is above 0.5, else 0. LabelWidth tells how many
// values a row gets; for one output it is always one.
//
// Source: dmlc/xgboost:python-package/xgboost/sklearn.py, XGBClassifier.predict.
func (m *Engine) Label(dst []int32, x []float32) {
	predicted := make([]float32, m.rows(len(x), len(dst), m.LabelWidth())*m.e.Link.Width(m.e.Outputs))
	m.Predict(predicted, x)
	m.LabelOf(dst, predicted)
}

// LabelOf is Label for rows whose predictions are known.
func (m *Engine) LabelOf(dst []int32, predicted []float32) {
	w, k := m.LabelWidth(), m.e.Link.Width(m.e.Outputs)
	for i := range len(predicted) / k {
		label(m.e.Link, dst[i*w:(i+1)*w], predicted[i*k:(i+1)*k])
	}
}

// LabelWidth returns the number of values that Label writes for a row.
func (m *Engine) LabelWidth() int {
	if oneClass(m.e.Link) {
		return 1
	}
	return m.e.Outputs
}

// oneClass reports whether a link makes the outputs compete for the row.
func oneClass(l ir.Link) bool { return l == ir.Softmax || l == ir.Argmax }

func label(l ir.Link, dst []int32, predicted []float32) {
	switch {
	case l == ir.Argmax:
		dst[0] = int32(predicted[0])
	case oneClass(l):
		dst[0] = int32(argmax(predicted))
	default:
		for k, p := range predicted {
			dst[k] = 0
			if p > 0.5 {
				dst[k] = 1
			}
		}
	}
}
