package ir

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// printPipeline writes the columns, stages and answers of e, a line each.
func (e *Ensemble) printPipeline(w io.Writer) {
	for j := range e.Columns {
		fmt.Fprintf(w, "column %d: %v\n", j, &e.Columns[j])
	}
	for i := range e.Post {
		fmt.Fprintf(w, "vector %d: %v\n", i+1, &e.Post[i])
	}
	for _, a := range e.Answers {
		fmt.Fprintf(w, "answer %s: vector %d\n", a.Name, a.Vector)
	}
}

// String returns the feature and what is done to it, as in "f3, sub 2.5, div 0.5".
func (c *Column) String() string {
	parts := []string{fmt.Sprintf("f%d", c.Feature)}
	for i := range c.Ops {
		parts = append(parts, c.Ops[i].String())
	}
	return strings.Join(parts, ", ")
}

// String returns the operation with its constants; long tables are cut.
func (o *Op) String() string {
	text := o.Code.String()
	switch o.Code {
	case OpRound, OpIsMissing, OpIn, OpBin, OpInterp, OpQuantile:
	case OpClip, OpReplace, OpLookup:
		text += " " + short(o.A) + " " + short(o.B)
	case OpCall:
		text = Func(o.A).String()
	default:
		text += " " + short(o.A)
	}
	if o.Keys != nil {
		text += " of " + shortList(o.Keys)
	}
	if o.Values != nil {
		text += " to " + shortList(o.Values)
	}
	return text
}

// String returns the stage with its arguments.
func (s *Stage) String() string {
	var b strings.Builder
	b.WriteString(s.Code.String())
	for _, a := range s.Args {
		fmt.Fprintf(&b, " v%d", a)
	}
	if s.A != 0 {
		b.WriteString(" by " + short(s.A))
	}
	if len(s.Weights) > 0 {
		b.WriteString(" with " + shortList(s.Weights))
	}
	for j := range s.Columns {
		fmt.Fprintf(&b, "; %v", &s.Columns[j])
	}
	fmt.Fprintf(&b, ": %d", s.Width)
	return b.String()
}

func short(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func shortList(values []float64) string {
	const most = 8
	var b strings.Builder
	for i, v := range values {
		if i == most {
			fmt.Fprintf(&b, " … %d more", len(values)-most)
			break
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(short(v))
	}
	return "[" + b.String() + "]"
}
