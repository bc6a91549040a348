package save

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"hew/ir"
	"hew/load/xgboost"
)

// A start is what makes the margins of a written model start as the ensemble's do.
type start struct {
	scores   []float32 // base_score in place of the original's; nil to keep that
	estimate bool      // boost_from_average

	// constants are trees of one leaf that stand, in the first round, before all
	// others or, in the last round, behind them.
	constants []ir.Tree
	last      bool
}

// findStart finds a start, the plainest that will do.
//
// XGBoost makes a margin of the base score by the inverse link, which need not give
// every number, and adds it first. Where that is not enough the margin starts at zero,
// and a tree of one leaf adds the base margin in its place: the sum of a zero and a
// number is that number, exactly.
func (m *model) findStart() (start, error) {
	kept := start{estimate: m.frame.Estimate}
	if m.fits(m.frame.BaseScore, kept.estimate) {
		return kept, nil
	}
	kept.estimate = false
	if m.fits(m.frame.BaseScore, false) {
		return kept, nil
	}
	scores := make([]float32, m.e.Outputs)
	for k, b := range m.e.BaseMargin {
		scores[k] = float32(b)
	}
	if m.fits(scores, false) {
		return start{scores: scores}, nil
	}
	if m.e.Linear != nil {
		return start{}, fmt.Errorf("no base score of %s gives the base margins %v", m.frame.Objective(), m.e.BaseMargin)
	}
	return m.startAtZero()
}

// fits reports whether a model of the given base scores scores as the ensemble does.
func (m *model) fits(scores []float32, estimate bool) bool {
	margins, ok := m.margins(scores, estimate)
	if !ok {
		return false
	}
	if !m.e.BaseLast {
		return equalBits(margins, m.e.BaseMargin)
	}
	// The trees are summed from +0 and the base margin comes last: adding a zero there
	// changes nothing, since the sum is not −0, and starting from −0 gives the same sum
	// if a number other than −0 is added to it.
	for k, b := range m.e.BaseMargin {
		if b != 0 || margins[k] != 0 || math.Signbit(margins[k]) && !m.addsNoNegativeZero(k) {
			return false
		}
	}
	return true
}

// margins returns the margins at which XGBoost starts; ok is false if it refuses the
// scores.
func (m *model) margins(scores []float32, estimate bool) (margins []float64, ok bool) {
	for _, s := range scores {
		if s-s != 0 {
			return nil, false
		}
	}
	fitted := len(m.e.Trees) > 0 || m.e.Linear != nil && m.linearRounds() != 0
	if estimate && !fitted {
		// It is yet to be estimated and 0.5 for the time being, whatever the file says
		// (dmlc/xgboost:src/learner.cc of 3.2, InitModelUserParam); later versions keep
		// to the file.
		for _, s := range scores {
			if s != 0.5 {
				return nil, false
			}
		}
		half := make([]float64, m.e.Outputs)
		for k := range half {
			half[k] = 0.5
		}
		return half, true
	}
	margins, err := m.frame.Margins(m.version, scores)
	return margins, err == nil
}

// addsNoNegativeZero reports whether a tree surely adds something other than −0 to an
// output.
func (m *model) addsNoNegativeZero(output int) bool {
	for i := range m.e.Trees {
		t := &m.e.Trees[i]
		if t.Vectors == nil && int(t.Output) == output && !hasNegativeZero(m.e, t, output) {
			return true
		}
	}
	return false
}

func hasNegativeZero(e *ir.Ensemble, t *ir.Tree, output int) bool {
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if !n.IsLeaf() {
			continue
		}
		v := n.Value
		if t.Vectors != nil {
			v = t.Vectors[int(n.Vector)*e.Outputs+output]
		}
		if v == 0 && math.Signbit(v) {
			return true
		}
	}
	return false
}

// startAtZero has trees of one leaf add the base margins.
func (m *model) startAtZero() (start, error) {
	e := m.e
	if e.BaseLast && e.BestRound >= 0 && e.BestRound < e.NumRounds()-1 {
		return start{}, errors.New("XGBoost up to 1.2 adds the base margin last, which current versions can do in the last round only; " +
			"this model predicts with the rounds up to the best one: cut the others first (truncate=best)")
	}
	s := start{last: e.BaseLast}
	for _, score := range []float32{0.5, 0, 1} {
		margins, ok := m.margins([]float32{score}, false)
		if !ok || !zeros(margins) {
			continue
		}
		s.scores = make([]float32, e.Outputs)
		for k := range s.scores {
			s.scores[k] = score
		}
		for k, b := range e.BaseMargin {
			if !s.last && b == 0 && math.Signbit(b) && !math.Signbit(margins[k]) {
				return start{}, fmt.Errorf("no base score of %s gives the base margin −0 of output %d", m.frame.Objective(), k)
			}
		}
		s.constants = m.constants()
		return s, nil
	}
	return start{}, fmt.Errorf("no base score of %s gives the base margins %v", m.frame.Objective(), e.BaseMargin)
}

func zeros(margins []float64) bool {
	for _, b := range margins {
		if b != 0 {
			return false
		}
	}
	return true
}

// constants returns trees that add the base margins: one for each output or, if the
// others have vector leaves, one for all. Added last, a zero is +0: the sum is not −0
// then.
func (m *model) constants() []ir.Tree {
	values := make([]float64, m.e.Outputs)
	for k, b := range m.e.BaseMargin {
		values[k] = b
		if m.e.BaseLast && b == 0 {
			values[k] = 0
		}
	}
	leaf := ir.Node{Feature: ir.NoFeature, Left: -1, Right: -1, Set: ir.NoSet}
	if len(m.e.Trees) > 0 && m.e.Trees[0].Vectors != nil {
		return []ir.Tree{{Nodes: []ir.Node{leaf}, Vectors: values}}
	}
	trees := make([]ir.Tree, m.e.Outputs)
	for k := range trees {
		leaf.Value = values[k]
		trees[k] = ir.Tree{Nodes: []ir.Node{leaf}, Output: int32(k)}
	}
	return trees
}

func equalBits(a, b []float64) bool {
	for i := range a {
		if math.Float64bits(a[i]) != math.Float64bits(b[i]) {
			return false
		}
	}
	return len(a) == len(b)
}

// param returns learner_model_param with the base score.
func (s *start) param(learner xgboost.Object) xgboost.Object {
	p := learner.Get("learner_model_param").(xgboost.Object)
	if s.scores != nil {
		p = p.Set("base_score", scoreText(s.scores))
	}
	estimate := "0"
	if s.estimate {
		estimate = "1"
	}
	return p.Set("boost_from_average", estimate)
}

// scoreText returns base scores as XGBoost writes them from 3.1 on.
func scoreText(scores []float32) string {
	var b strings.Builder
	for k, s := range scores {
		b.WriteString(map[bool]string{true: "[", false: ","}[k == 0])
		b.Write(appendFloat(nil, float64(s), 32))
	}
	b.WriteByte(']')
	return b.String()
}

// place returns the rounds and the output of each tree, the constants among them.
func (s *start) place(e *ir.Ensemble) (rounds, outputs []int32) {
	added := int32(len(s.constants))
	rounds = append(rounds, e.Rounds...)
	if len(rounds) == 0 {
		rounds = []int32{0}
	}
	if added > 0 && len(rounds) == 1 {
		rounds = append(rounds, 0)
	}
	for r := range rounds {
		if r > 0 && (!s.last || r == len(rounds)-1) {
			rounds[r] += added
		}
	}
	for i := range len(e.Trees) + len(s.constants) {
		outputs = append(outputs, s.tree(e, i).Output)
	}
	return rounds, outputs
}

// tree returns tree i, the constants counted.
func (s *start) tree(e *ir.Ensemble, i int) *ir.Tree {
	n := len(s.constants)
	switch {
	case !s.last && i < n:
		return &s.constants[i]
	case !s.last:
		return &e.Trees[i-n]
	case i < len(e.Trees):
		return &e.Trees[i]
	}
	return &s.constants[i-len(e.Trees)]
}
