package codegen

import (
	"fmt"
	"math"
	"strings"

	"hew/ir"
)

// A split is a node's test in terms of keys: the key is in a set.
type split struct {
	below  bool   // which key of the feature
	member bool   // of set; otherwise less than the threshold
	set    ir.Set // nil if empty
	left   bool   // whether a key that passes goes left
}

// splitOf returns the test of n.
//
// A key for a missing value may not be in the set, as NaN is in none. A set with
// an end does not reach the largest key; any other begins with a number, which is
// above the smallest.
func splitOf(e *ir.Ensemble, n *ir.Node) split {
	if n.Set == ir.NoSet {
		return split{below: n.DefaultLeft, left: true}
	}
	s := split{member: true, set: e.Sets[n.Set], left: true}
	if n.DefaultLeft {
		s.set, s.left = s.set.Complement(), false
	}
	s.below = len(s.set)%2 == 1
	return s
}

// maxIntervals is the number of intervals up to which a set is spelled out; more
// are hard to read in one line.
const maxIntervals = 4

// test returns the condition of n as Go text, true for the rows that take the
// first of the two children returned, and the comment that belongs to it.
func (p *treePrinter) test(n *ir.Node, hotFirst bool) (condition, note string, first, second int32) {
	s := splitOf(p.e, n)
	x := fmt.Sprintf("x[%d]", p.columns.index[bit(s.below)][n.Feature])
	first, second = n.Left, n.Right
	if !s.left {
		first, second = n.Right, n.Left
	}
	swap := hotFirst && p.tree.Nodes[second].Cover > p.tree.Nodes[first].Cover
	note = comment(p.columnName(n.Feature))
	switch {
	case s.member:
		condition = p.membership(n, s, x, swap)
	case swap:
		condition = x + " >= " + p.key(n.Threshold)
	default:
		condition = x + " < " + p.key(n.Threshold)
	}
	if !s.member && !p.form.named {
		note += " < " + digits(n.Threshold, p.e.Input)
	}
	if swap {
		first, second = second, first
	}
	side := "right"
	if n.DefaultLeft {
		side = "left"
	}
	return condition, note + "; missing: " + side, first, second
}

// membership returns the condition that x is in a set, or with not that it is
// not in it.
func (p *treePrinter) membership(n *ir.Node, s split, x string, not bool) string {
	if len(s.set) > 2*maxIntervals {
		name := p.useSet(s.set)
		if not {
			return fmt.Sprintf("!in(%s[:], %s)", name, x)
		}
		return fmt.Sprintf("in(%s[:], %s)", name, x)
	}
	var terms []string
	for i := 0; i < len(s.set); i += 2 {
		var bounds []string
		if lo := s.set[i]; !math.IsInf(lo, -1) || s.below {
			bounds = append(bounds, x+" >= "+p.key(lo))
		}
		if i+1 < len(s.set) {
			bounds = append(bounds, x+" < "+p.key(s.set[i+1]))
		}
		terms = append(terms, strings.Join(bounds, " && "))
	}
	if len(terms) > 1 {
		for i, t := range terms {
			if strings.Contains(t, "&&") {
				terms[i] = "(" + t + ")"
			}
		}
	}
	if len(terms) == 0 { // no number is in the empty set
		terms = []string{x + " < " + p.key(math.Inf(-1))}
	}
	condition := strings.Join(terms, " || ")
	if not {
		return "!(" + condition + ")"
	}
	return condition
}

// key returns the key of v as Go text.
func (p *treePrinter) key(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "keyInf"
	case math.IsInf(v, -1):
		return "keyNegInf"
	case p.form.named:
		return "key(" + number(v+0, p.e.Input) + ")"
	}
	return fmt.Sprintf("%#x", keyOf(v, p.e.Input))
}
