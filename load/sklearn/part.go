package sklearn

import (
	"math"
	"strconv"

	"hew/interp"
	"hew/ir"
	"hew/load/internal/fault"
)

// A vector is the index of a vector of the ensemble: 0 is the margins.
type vector = int32

// none is the vector of an answer that an estimator does not have.
const none vector = -1

// A part is what an estimator gives for a row.
type part struct {
	value    vector   // of a regressor: one number for each target
	proba    vector   // of a classifier: a probability for each class
	probas   []vector // of a classifier with several targets: those of each
	decision vector
	score    vector // of an outlier detector
	label    vector // class numbers, one for each target
	labels   []ir.Labels
}

// nothing is a part without answers.
var nothing = part{value: none, proba: none, decision: none, score: none, label: none}

// stage appends a stage and returns its vector.
func (m *model) stage(s ir.Stage) vector {
	m.e.Post = append(m.e.Post, s)
	return vector(len(m.e.Post))
}

// width returns the width of a vector.
func (m *model) width(v vector) int { return m.e.VectorWidth(v) }

// map1 appends a stage that gives as many numbers as v has.
func (m *model) map1(code ir.StageCode, v vector, a float64) vector {
	return m.stage(ir.Stage{Code: code, Args: []int32{v}, A: a, Width: m.width(v)})
}

// pick appends the selection of n numbers of v from the first one on.
func (m *model) pick(v vector, first, n int) vector {
	s := ir.Stage{Code: ir.StageSelect, Args: []int32{v}, Width: n}
	for i := range n {
		s.Weights = append(s.Weights, float64(first+i))
	}
	return m.stage(s)
}

// margins are outputs of the ensemble that belong to one estimator.
type margins struct{ first, n int }

// sums appends outputs that begin at the given base margins.
func (m *model) sums(base ...float64) margins {
	s := margins{m.e.Outputs, len(base)}
	m.e.Outputs += len(base)
	m.e.BaseMargin = append(m.e.BaseMargin, base...)
	return s
}

// vector returns the sums as a vector.
func (m *model) vector(s margins) vector { return m.pick(0, s.first, s.n) }

// A span says to which outputs a tree of the ensemble adds.
type span struct{ first, n int }

// addTree appends a tree that adds to s: vector leaves to all of it, scalar ones to
// the given one of it.
func (m *model) addTree(t ir.Tree, s margins, output int) {
	if t.Vectors != nil {
		m.spans = append(m.spans, span(s))
	} else {
		t.Output = int32(s.first + output)
		m.spans = append(m.spans, span{})
	}
	m.e.Trees = append(m.e.Trees, t)
}

// endRound ends a boosting round; a forest has one.
func (m *model) endRound() { m.e.Rounds = append(m.e.Rounds, int32(len(m.e.Trees))) }

// maxVectors bounds the values of leaf vectors that padding makes.
const maxVectors = 1 << 28

// finish makes p the answers of the ensemble.
func (m *model) finish(p part) error {
	e := m.e
	if e.Outputs == 0 { // everything comes from stages that read the row
		m.sums(0)
	}
	if len(e.Rounds) == 0 || int(e.Rounds[len(e.Rounds)-1]) != len(e.Trees) {
		m.endRound()
	}
	if e.Rounds[0] != 0 {
		e.Rounds = append([]int32{0}, e.Rounds...)
	}
	if len(e.Trees) == 0 {
		e.Rounds = nil
	}
	if err := m.padVectors(); err != nil {
		return err
	}
	m.answers(p)
	m.simplify()
	return nil
}

// padVectors gives the leaf vectors of each tree the width of all outputs.
func (m *model) padVectors() error {
	total := 0
	for i := range m.e.Trees {
		t, s := &m.e.Trees[i], m.spans[i]
		if t.Vectors == nil || s.n == m.e.Outputs {
			continue
		}
		rows := len(t.Vectors) / s.n
		if total += rows * m.e.Outputs; total > maxVectors {
			return fault.Unsupportedf("the leaves of all members together have more than %d values", maxVectors)
		}
		padded := make([]float64, rows*m.e.Outputs)
		for r := range rows {
			copy(padded[r*m.e.Outputs+s.first:], t.Vectors[r*s.n:(r+1)*s.n])
		}
		t.Vectors = padded
	}
	return nil
}

// answers names the vectors of p. The first one is the prediction.
func (m *model) answers(p part) {
	add := func(name string, v vector, labels []ir.Labels) {
		if v != none {
			m.e.Answers = append(m.e.Answers, ir.Answer{Name: name, Vector: v, Labels: labels})
		}
	}
	if len(p.probas) > 1 {
		add("proba", m.stage(ir.Stage{Code: ir.StageConcat, Args: p.probas, Width: m.widths(p.probas)}), nil)
	}
	add("predict", p.value, nil)
	add("proba", p.proba, nil)
	add("score", p.score, nil)
	add("decision", p.decision, nil)
	add("label", p.label, p.labels)
	if len(p.probas) > 1 {
		for i, v := range p.probas {
			add("proba_"+strconv.Itoa(i), v, nil)
		}
	}
	if len(p.labels) == 1 {
		m.e.Classes = p.labels[0].Texts
	}
}

func (m *model) widths(vectors []vector) int {
	n := 0
	for _, v := range vectors {
		n += m.width(v)
	}
	return n
}

// simplify takes the selections that select all margins out of the stages, and what
// no answer needs.
func (m *model) simplify() {
	e := m.e
	place := make([]vector, len(e.Post)+1) // of old vectors
	used := make([]bool, len(e.Post)+1)
	for _, a := range e.Answers {
		used[a.Vector] = true
	}
	for i := len(e.Post) - 1; i >= 0; i-- {
		if used[i+1] {
			for _, a := range e.Post[i].Args {
				used[a] = true
			}
		}
	}
	var kept []ir.Stage
	for i, s := range e.Post {
		for j, a := range s.Args {
			s.Args[j] = place[a]
		}
		switch {
		case !used[i+1]:
		case s.Code == ir.StageSelect && s.Args[0] == 0 && s.Width == e.Outputs && ascending(s.Weights),
			s.Code == ir.StageConcat && len(s.Args) == 1:
			place[i+1] = s.Args[0]
		default:
			kept = append(kept, s)
			place[i+1] = vector(len(kept))
		}
	}
	e.Post = kept
	for i := range e.Answers {
		e.Answers[i].Vector = place[e.Answers[i].Vector]
	}
}

// ascending reports whether weights are 0, 1, 2, …
func ascending(weights []float64) bool {
	for i, w := range weights {
		if w != float64(i) {
			return false
		}
	}
	return true
}

// classify returns the part of a classifier whose label is the class of the largest
// probability, the first of several.
func (m *model) classify(proba vector, l ir.Labels) part {
	p := nothing
	p.proba, p.labels = proba, []ir.Labels{l}
	p.label = m.first(proba)
	return p
}

// first appends the index of the first largest number of v.
func (m *model) first(v vector) vector {
	return m.stage(ir.Stage{Code: ir.StageFirst, Args: []int32{v}, Width: 1})
}

// above32 returns the smallest float32 number above t, so that x <= t is x < it for
// every float32 x but +Inf.
func above32(t float64) float64 {
	f := float32(t)
	if float64(f) <= t {
		f = math.Nextafter32(f, float32(math.Inf(1)))
	}
	return float64(f)
}

// refuse says that an estimator or a transformer that reads the given columns reports
// an error for some values.
func (m *model) refuse(in []column, what ir.Refusal) {
	for _, c := range in {
		f := &m.e.Features[c.Feature]
		if what&ir.Missing != 0 && isNaN(interp.Apply(c.Ops, math.NaN())) {
			f.Refuses |= ir.Missing
		}
		if what&ir.Infinite != 0 && f.Type != ir.Categorical &&
			math.IsInf(interp.Apply(c.Ops, math.Inf(1)), 0) && math.IsInf(interp.Apply(c.Ops, math.Inf(-1)), 0) {
			f.Refuses |= ir.Infinite
		}
		if what&ir.TooLarge != 0 && len(c.Ops) == 0 && !c.single && f.Type != ir.Categorical {
			f.Refuses |= ir.TooLarge
		}
	}
}

func isNaN(x float64) bool { return x != x }
