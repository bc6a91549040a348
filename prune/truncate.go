package prune

import (
	"fmt"
	"strings"

	"hew/internal/lossy"
	"hew/ir"
)

// truncate keeps the first rounds of e.
func truncate(e *ir.Ensemble, rounds int) (lossy.Change, error) {
	s, err := e.Slice(0, rounds)
	if err != nil {
		return lossy.Change{}, err
	}
	c := lossy.None(e.Outputs)
	for i := range e.Trees[len(s.Trees):] {
		without(e, &e.Trees[len(s.Trees)+i], c)
	}
	*e = *s
	sweep(e)
	return c, nil
}

// without adds to c that t is dropped: what its leaves add is missing.
func without(e *ir.Ensemble, t *ir.Tree, c lossy.Change) {
	b := newBelow(e, t)
	for k := range b.width {
		c.Add(outputOf(t, k), -b.most[k], -b.least[k])
	}
}

// CheckRounds reports an ensemble of which no boosting rounds, and so no trees, can be
// left out: what scikit-learn computes from the sum of a forest depends on the number of
// its trees, so that of its models only gradient boosting has them.
func CheckRounds(e *ir.Ensemble) error {
	class := strings.TrimPrefix(e.Source.Booster, "Hist")
	if len(e.Answers) > 0 && !strings.HasPrefix(class, "GradientBoosting") {
		return fmt.Errorf("%s has no boosting rounds to choose from", e.Source.Booster)
	}
	return nil
}
