package leaves

import (
	"hew/ir"
	"hew/predict"
)

// Check has leaves read e, and checks its decisions against those of other.
func Check(e, other *ir.Ensemble, x predict.Values) error {
	m, err := load(e, x)
	if err != nil {
		return err
	}
	return m.check(other, x)
}
