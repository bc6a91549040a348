// Package nodiff supports the differential test: same rows, every engine, same
// bits.
//
// Rows makes the rows at which engines go wrong, Ensemble the ensembles, and
// Compare runs a predictor beside the reference evaluator; Trials do so for many
// predictors. Nothing here imports testing, so that commands can verify as tests
// do.
package nodiff

import (
	"fmt"
	"math"
	"strings"

	"hew/interp"
	"hew/predict"
)

// A Diff is the outcome of a comparison.
type Diff struct {
	Rows    int
	Margin  Part
	Predict Part
	Answers Part // all that have names; zero if none have
	Leaf    Part // zero for a predictor without Leaf
}

// A Part tells how the results of one function of a predictor compare.
type Part struct {
	Compared int
	Equal    int    // by bits; any NaN equals any NaN
	MaxULP   uint64 // largest distance in steps of the type; MaxUint64 for NaN beside a number
	First    *Mismatch
}

// A Mismatch is one result that is not the reference's.
type Mismatch struct {
	Row, Column int     // Column is an output or, of leaves, a tree
	Got, Want   float64 // or int32 values
}

// OK reports whether all results are equal.
func (d Diff) OK() bool {
	return d.Margin.OK() && d.Predict.OK() && d.Answers.OK() && d.Leaf.OK()
}

// OK reports whether all results are equal.
func (p Part) OK() bool { return p.Equal == p.Compared }

// String returns the counts and, if results differ, a line about the first one.
func (p Part) String() string {
	return fmt.Sprintf("equal by bits: %d of %d", p.Equal, p.Compared) + p.differs("it", "column")
}

// differs returns a line about the first difference, or nothing.
func (p Part) differs(name, column string) string {
	if p.First == nil {
		return ""
	}
	s := fmt.Sprintf("\n%s differs first in row %d, %s %d: %v, want %v",
		name, p.First.Row, column, p.First.Column, p.First.Got, p.First.Want)
	if p.MaxULP > 0 {
		s += fmt.Sprintf("; largest distance %d ulp", p.MaxULP)
	}
	return s
}

// String returns a line of counts and, for each function that differs, a line
// about the first difference.
func (d Diff) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d rows, equal by bits: margin %d of %d, predict %d of %d", d.Rows,
		d.Margin.Equal, d.Margin.Compared, d.Predict.Equal, d.Predict.Compared)
	if d.Answers.Compared > 0 {
		fmt.Fprintf(&b, ", answers %d of %d", d.Answers.Equal, d.Answers.Compared)
	}
	if d.Leaf.Compared > 0 {
		fmt.Fprintf(&b, ", leaf %d of %d", d.Leaf.Equal, d.Leaf.Compared)
	}
	b.WriteString(d.Margin.differs("margin", "output"))
	b.WriteString(d.Predict.differs("predict", "output"))
	b.WriteString(d.Answers.differs("an answer", "value"))
	b.WriteString(d.Leaf.differs("leaf", "tree"))
	return b.String()
}

// blocks are the numbers of rows of successive calls of Compare: one and few,
// around powers of two where blocked engines change their path, and many.
var blocks = []int{1, 2, 3, 64, 63, 65, 1, 1000, 256, 17}

// Compare scores the rows of x, in calls of different size, with the predictor
// and with the reference evaluator, which must have the same shape.
func Compare(ref *interp.Engine, p predict.Predictor, x predict.Values) Diff {
	var d Diff
	info := p.Info
	if p.Leaf == nil {
		info.NumTrees = 0
	}
	want := ask(ref, info, x)
	want.compare(&d, p, blocks)
	return d
}

// CompareValues compares results that are known, row-major, with what they
// should be; both are of one type.
func CompareValues(got, want predict.Values, rows int) (Part, error) {
	var p Part
	if got.Len() != want.Len() || rows < 1 || got.Len()%rows != 0 {
		return p, fmt.Errorf("%d values for %d rows, want %d", want.Len(), rows, got.Len())
	}
	p.compare(func(i int) int { return i }, got.Len()/rows, got, want)
	return p, nil
}

// results calls f with a destination that is full of a value that no row gives,
// so that a result that f forgets does not pass for one.
func results(t predict.Type, n int, f func(dst predict.Values)) predict.Values {
	dst := predict.MakeValues(t, n)
	for i := range n {
		dst.Set(i, -1.2345678e-33)
	}
	f(dst)
	return dst
}

// compare counts the results of rows that have width each; number tells the
// number of a row.
func (p *Part) compare(number func(i int) int, width int, got, want predict.Values) {
	if got.F64 != nil {
		compare(p, number, width, got.F64, want.F64)
	} else {
		compare(p, number, width, got.F32, want.F32)
	}
}

func compare[F float](p *Part, number func(i int) int, width int, got, want []F) {
	p.Compared += len(got)
	for i := range got {
		distance := ulps(got[i], want[i])
		if distance == 0 {
			p.Equal++
			continue
		}
		p.MaxULP = max(p.MaxULP, distance)
		p.differ(Mismatch{number(i / width), i % width, float64(got[i]), float64(want[i])})
	}
}

func (p *Part) compareLeaves(number func(i int) int, width int, got, want []int32) {
	p.Compared += len(got)
	for i := range got {
		if got[i] == want[i] {
			p.Equal++
			continue
		}
		p.differ(Mismatch{number(i / width), i % width, float64(got[i]), float64(want[i])})
	}
}

// differ keeps the first mismatch.
func (p *Part) differ(m Mismatch) {
	if p.First == nil {
		p.First = &m
	}
}

// ulps returns the number of values of the type between a and b, one of them
// counted; -0 and +0 are one apart.
func ulps[F float](a, b F) uint64 {
	switch {
	case a != a && b != b:
		return 0
	case a != a || b != b:
		return math.MaxUint64
	}
	i, j := ordinal(a), ordinal(b)
	return uint64(max(i, j)) - uint64(min(i, j))
}
