package report

import (
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// A line is a series of a plot of lines.
type line struct {
	mark mark
	xys  plotter.XYs
	tips []string
}

// axis is how the values of a plot are shown.
type axis struct {
	title string
	unit  func(float64) string
	log   bool
	all   []float64 // values that it has room for
}

const lineHeight = 300

// lines draws series over counts of something, which were chosen, so that each has a
// tick, on a log axis.
func lines(id, title, desc, x string, y axis, all []line) chart {
	p := newPlot(x, y.title)
	var xs []float64
	for _, l := range all {
		for _, at := range l.xys {
			xs = append(xs, at.X)
		}
	}
	slices.Sort(xs)
	xs = slices.Compact(xs)
	p.X.Min, p.X.Max = xs[0]/1.1, xs[len(xs)-1]*1.1
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, valueTicks(xs, p.X.Min, p.X.Max)
	if y.log {
		logAxis(&p.Y, y.all, spaceY, y.unit)
	} else {
		_, high := limits(y.all)
		p.Y.Min, p.Y.Max = 0, max(high*1.08, 1)
		p.Y.Tick.Marker = linearTicks{spaceY, y.unit}
	}
	grid(p, false, true)
	for _, l := range all {
		curve := must(plotter.NewLine(l.xys))
		curve.LineStyle = l.mark.lineStyle()
		points := must(plotter.NewScatter(l.xys))
		points.GlyphStyle = l.mark.style()
		points.GlyphStyleFunc = tipped(l)
		p.Add(curve, points)
	}
	return drawn(p, plotWidth, lineHeight, id, title, desc)
}

// tipped returns the style of each point of a series, with its words.
func tipped(l line) func(int) draw.GlyphStyle {
	return func(i int) draw.GlyphStyle {
		s := l.mark.style()
		s.Color = ink{l.mark.ink.class, l.tips[i]}
		return s
	}
}
