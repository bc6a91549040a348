package serve

import "hew/predict"

// checkValues refuses rows with a value that the trainer refuses too.
func (m *Model) checkValues(x *predict.Values) error {
	if x.F64 != nil {
		return checkRows(m, x.F64)
	}
	return checkRows(m, x.F32)
}

func checkRows[T predict.Number](m *Model, x []T) error {
	for row := 0; row*m.NumFeatures < len(x); row++ {
		values := x[row*m.NumFeatures:][:m.NumFeatures]
		for _, column := range m.refusing {
			f, v := &m.Features[column], float64(values[column])
			if f.Takes(v) {
				continue
			}
			if reason := f.Refused(v); reason != "" {
				return invalid("row %d: feature %q: %s", row, f.Name, reason)
			}
		}
	}
	return nil
}
