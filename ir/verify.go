package ir

import (
	"errors"
	"fmt"
)

// A NodeError is a violation of the form at one node of one tree.
type NodeError struct {
	Tree, Node int // indices into Ensemble.Trees and Tree.Nodes
	Err        error
}

func (e *NodeError) Error() string {
	return fmt.Sprintf("tree %d, node %d: %v", e.Tree, e.Node, e.Err)
}

func (e *NodeError) Unwrap() error { return e.Err }

// Verify reports the first way in which e is not well formed. Loaders call it
// last, the pass driver after each pass; engines rely on it.
//
// A well-formed ensemble has features and outputs, names each feature once and
// has consistent table sizes. In each tree every node but the root is the child
// of exactly one earlier node, so that a walk ends; every index is in range.
// Thresholds and bounds of sets are values of the input type, leaves, weights and
// base margins of the type of sums; none is NaN.
func (e *Ensemble) Verify() error {
	if err := e.verifyShape(); err != nil {
		return err
	}
	if err := e.verifyFeatures(); err != nil {
		return err
	}
	for i := range e.Columns {
		if err := e.Columns[i].verify(len(e.Features)); err != nil {
			return fmt.Errorf("column %d: %w", i, err)
		}
	}
	if err := e.verifyPost(); err != nil {
		return err
	}
	for i, s := range e.Sets {
		if err := s.verify(e.Input); err != nil {
			return fmt.Errorf("set %d: %w", i, err)
		}
	}
	var seen []bool
	for i := range e.Trees {
		var err error
		if seen, err = e.verifyTree(i, seen); err != nil {
			return err
		}
	}
	return e.verifyLinear()
}

func (e *Ensemble) verifyShape() error {
	switch {
	case len(e.Features) == 0:
		return errors.New("no features")
	case e.Outputs < 1:
		return fmt.Errorf("%d outputs, want at least one", e.Outputs)
	case len(e.BaseMargin) != e.Outputs:
		return fmt.Errorf("%d base margins for %d outputs", len(e.BaseMargin), e.Outputs)
	case e.Input > Double || e.Sum > Double:
		return fmt.Errorf("unknown precision: inputs %d, sums %d", e.Input, e.Sum)
	case e.Link > Gaps:
		return fmt.Errorf("unknown link %d", e.Link)
	case e.Sum == Double && e.Link != Identity:
		return fmt.Errorf("link %v is not defined for float64 sums", e.Link)
	case len(e.Answers) > 0 && e.Link != Identity:
		return fmt.Errorf("both link %v and answers", e.Link)
	case e.BestRound < -1 || e.BestRound >= 0 && e.BestRound >= e.NumRounds():
		return fmt.Errorf("best round %d of %d rounds", e.BestRound, e.NumRounds())
	}
	for k, b := range e.BaseMargin {
		if !e.Sum.Holds(b) {
			return fmt.Errorf("base margin %v of output %d is not a %v number", b, k, e.Sum)
		}
	}
	if len(e.Classes) > 0 && len(e.Answers) == 0 && len(e.Classes) != max(e.Outputs, 2) {
		return fmt.Errorf("%d class labels for %d outputs", len(e.Classes), e.Outputs)
	}
	return e.verifyRounds()
}

func (e *Ensemble) verifyRounds() error {
	if len(e.Rounds) == 0 {
		if len(e.Trees) > 0 {
			return errors.New("trees outside of any round")
		}
		return nil
	}
	for r := 1; r < len(e.Rounds); r++ {
		if e.Rounds[r] < e.Rounds[r-1] {
			return fmt.Errorf("round %d ends before it begins", r-1)
		}
	}
	if first, last := e.Rounds[0], e.Rounds[len(e.Rounds)-1]; first != 0 || int(last) != len(e.Trees) {
		return fmt.Errorf("rounds span trees [%d, %d) of %d", first, last, len(e.Trees))
	}
	return nil
}

func (e *Ensemble) verifyFeatures() error {
	names := make(map[string]int, len(e.Features))
	for j, f := range e.Features {
		if f.Name == "" {
			return fmt.Errorf("feature %d has no name", j)
		}
		if k, ok := names[f.Name]; ok {
			return fmt.Errorf("features %d and %d are both named %q", k, j, f.Name)
		}
		names[f.Name] = j
		if f.Categories != nil && f.Type != Categorical {
			return fmt.Errorf("feature %d is of type %v and has categories", j, f.Type)
		}
	}
	return nil
}

func (s Set) verify(p Precision) error {
	for i, b := range s {
		if !p.Holds(b) {
			return fmt.Errorf("bound %d is %v, not a %v number", i, b, p)
		}
		if i > 0 && b <= s[i-1] {
			return fmt.Errorf("bound %d does not ascend", i)
		}
	}
	return nil
}

// verifyTree checks tree i; seen is scratch that it may use and returns.
func (e *Ensemble) verifyTree(i int, seen []bool) ([]bool, error) {
	t := &e.Trees[i]
	if len(t.Nodes) == 0 {
		return seen, fmt.Errorf("tree %d has no nodes", i)
	}
	if t.Output < 0 || int(t.Output) >= e.Outputs {
		return seen, fmt.Errorf("tree %d adds to output %d of %d", i, t.Output, e.Outputs)
	}
	if len(t.Vectors)%e.Outputs != 0 || t.Vectors != nil && t.Output != 0 {
		return seen, fmt.Errorf("tree %d: %d leaf vector values for %d outputs", i, len(t.Vectors), e.Outputs)
	}
	for _, v := range t.Vectors {
		if !e.Sum.Holds(v) {
			return seen, fmt.Errorf("tree %d: leaf vector value %v is not a %v number", i, v, e.Sum)
		}
	}
	if cap(seen) < len(t.Nodes) {
		seen = make([]bool, len(t.Nodes))
	}
	seen = seen[:len(t.Nodes)]
	clear(seen)
	for n := range t.Nodes {
		if n > 0 && !seen[n] {
			return seen, &NodeError{i, n, errors.New("not the child of an earlier node")}
		}
		if err := e.verifyNode(t, n, seen); err != nil {
			return seen, &NodeError{i, n, err}
		}
	}
	return seen, nil
}

func (e *Ensemble) verifyNode(t *Tree, i int, seen []bool) error {
	n := &t.Nodes[i]
	if n.IsLeaf() {
		return e.verifyLeaf(t, n)
	}
	if n.Feature < 0 || int(n.Feature) >= e.NumColumns() {
		return fmt.Errorf("feature %d out of range [0, %d)", n.Feature, e.NumColumns())
	}
	if n.Set != NoSet && (n.Set < 0 || int(n.Set) >= len(e.Sets)) {
		return fmt.Errorf("set %d out of range [0, %d)", n.Set, len(e.Sets))
	}
	if n.Set == NoSet && !e.Input.Holds(n.Threshold) {
		return fmt.Errorf("threshold %v is not a %v number", n.Threshold, e.Input)
	}
	for _, c := range [2]int32{n.Left, n.Right} {
		if c <= int32(i) || int(c) >= len(t.Nodes) {
			return fmt.Errorf("child %d out of range (%d, %d)", c, i, len(t.Nodes))
		}
		if seen[c] {
			return fmt.Errorf("child %d has two parents", c)
		}
		seen[c] = true
	}
	return nil
}

func (e *Ensemble) verifyLeaf(t *Tree, n *Node) error {
	if t.Vectors == nil {
		if !e.Sum.Holds(n.Value) {
			return fmt.Errorf("leaf value %v is not a %v number", n.Value, e.Sum)
		}
		return nil
	}
	if rows := len(t.Vectors) / e.Outputs; n.Vector < 0 || int(n.Vector) >= rows {
		return fmt.Errorf("leaf vector %d out of range [0, %d)", n.Vector, rows)
	}
	return nil
}

func (e *Ensemble) verifyLinear() error {
	if e.Linear == nil {
		return nil
	}
	if len(e.Trees) > 0 {
		return errors.New("both trees and a linear model")
	}
	if len(e.Linear.Bias) != e.Outputs || len(e.Linear.Weights) != e.NumColumns()*e.Outputs {
		return fmt.Errorf("linear model of %d weights and %d biases for %d features and %d outputs",
			len(e.Linear.Weights), len(e.Linear.Bias), e.NumColumns(), e.Outputs)
	}
	for _, w := range [2][]float64{e.Linear.Weights, e.Linear.Bias} {
		for _, v := range w {
			if !e.Sum.Holds(v) {
				return fmt.Errorf("linear weight %v is not a %v number", v, e.Sum)
			}
		}
	}
	return nil
}
