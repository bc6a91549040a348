package score

import (
	"fmt"
	"strconv"
	"strings"

	"hew/ir"
	"hew/prune"
)

// Rounds are boosting rounds, from the first up to but without the last. A last of
// zero stands for all that there are, as in XGBoost's iteration_range.
type Rounds struct{ First, Last int }

// ParseRounds reads rounds as "A:B"; a number that is missing is 0.
func ParseRounds(s string) (r Rounds, err error) {
	first, last, ok := strings.Cut(s, ":")
	if ok && first != "" {
		r.First, err = strconv.Atoi(first)
	}
	if ok && last != "" && err == nil {
		r.Last, err = strconv.Atoi(last)
	}
	if !ok || err != nil {
		return Rounds{}, fmt.Errorf("%q is not a range A:B", s)
	}
	return r, nil
}

// Of returns these rounds of e.
func (r Rounds) Of(e *ir.Ensemble) (*ir.Ensemble, error) {
	if r == (Rounds{}) {
		return e, nil
	}
	if err := prune.CheckRounds(e); err != nil {
		return nil, err
	}
	if r.Last == 0 {
		r.Last = e.NumRounds()
	}
	return e.Slice(r.First, r.Last)
}

// DefaultRounds returns the rounds of e from which the trainer computes an output:
// its classifier object uses those up to the best one, if training stopped early,
// everything else all.
func DefaultRounds(e *ir.Ensemble, output string) Rounds {
	if (output == "proba" || output == "label") && e.BestRound >= 0 && e.BestRound+1 < e.NumRounds() {
		return Rounds{0, e.BestRound + 1}
	}
	return Rounds{}
}
