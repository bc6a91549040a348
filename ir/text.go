package ir

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The text form of a tree is an s-expression: a leaf is its value, or its
// values in brackets; a split is its test, "?" if a missing value goes left, and
// the two subtrees.
//
//	(f0<0.5?
//	  -0.25
//	  (f3{2:4,7:}
//	    1
//	    0.5))
//
// f3{2:4,7:} tests whether feature 3 is in [2, 4) or at least 7. A number after
// "#" is the trainer's number of a node; without one, it is the node's index.
// Numbers are the shortest text that their type reads back.

// Print writes e to w: a line of facts, then each tree in the text form.
func (e *Ensemble) Print(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "ensemble: %d features, %d outputs, %d trees, base %v, link %v%s\n",
		len(e.Features), e.Outputs, len(e.Trees), e.BaseMargin, e.Link, e.precisions())
	e.printPipeline(b)
	for i := range e.Trees {
		fmt.Fprintf(b, "tree %d, output %d\n%s\n", i, e.Trees[i].Output, e.Format(&e.Trees[i]))
	}
	return b.Flush()
}

// precisions names the types that are not float32.
func (e *Ensemble) precisions() string {
	text := ""
	if e.Input != Single {
		text += ", input " + e.Input.String()
	}
	if e.Sum != Single {
		text += ", sums " + e.Sum.String()
	}
	return text
}

// Format returns the text form of t, a tree of e.
func (e *Ensemble) Format(t *Tree) string {
	var b strings.Builder
	open := []int{} // depths of the splits whose right subtree is not printed yet
	t.Walk(func(i, depth int) {
		n := &t.Nodes[i]
		if i > 0 || depth > 0 {
			b.WriteString("\n" + strings.Repeat("  ", depth))
		}
		if !n.IsLeaf() {
			b.WriteByte('(')
			e.formatTest(&b, n)
			formatID(&b, n, i)
			open = append(open, 2)
			return
		}
		e.formatLeaf(&b, t, n)
		formatID(&b, n, i)
		for len(open) > 0 {
			open[len(open)-1]--
			if open[len(open)-1] > 0 {
				break
			}
			open = open[:len(open)-1]
			b.WriteByte(')')
		}
	})
	return b.String()
}

func formatID(b *strings.Builder, n *Node, i int) {
	if int(n.ID) != i {
		fmt.Fprintf(b, "#%d", n.ID)
	}
}

func (e *Ensemble) formatTest(b *strings.Builder, n *Node) {
	fmt.Fprintf(b, "f%d", n.Feature)
	if n.Set == NoSet {
		b.WriteString("<" + e.Input.format(n.Threshold))
	} else {
		b.WriteString("{" + e.Sets[n.Set].format(e.Input) + "}")
	}
	if n.DefaultLeft {
		b.WriteByte('?')
	}
}

// String returns the intervals of s as "lo:hi,lo:hi"; the last may lack hi. Bounds
// are the shortest text that float32 reads back or, if one is not a float32 number,
// float64.
func (s Set) String() string {
	for _, b := range s {
		if !Single.Holds(b) {
			return s.format(Double)
		}
	}
	return s.format(Single)
}

func (s Set) format(p Precision) string {
	var b strings.Builder
	for i, v := range s {
		if i > 0 && i%2 == 0 {
			b.WriteByte(',')
		}
		b.WriteString(p.format(v))
		if i%2 == 0 {
			b.WriteByte(':')
		}
	}
	return b.String()
}

func (e *Ensemble) formatLeaf(b *strings.Builder, t *Tree, n *Node) {
	if t.Vectors == nil {
		b.WriteString(e.Sum.format(n.Value))
		return
	}
	b.WriteByte('[')
	for k := range e.Outputs {
		if k > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(e.Sum.format(t.Vectors[int(n.Vector)*e.Outputs+k]))
	}
	b.WriteByte(']')
}

func (p Precision) format(v float64) string { return strconv.FormatFloat(v, 'g', -1, p.bits()) }
