package report

import (
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// A dot is a line of a plot of dots: a value between two others.
type dot struct {
	name           string
	low, mid, high float64
	label          string // behind it
	tip            string // what it says in words
	mark           mark
}

const (
	plotWidth = 460
	rowHeight = 22
	marginY   = 60 // an axis with its label
)

// dots draws a line per dot, in order from the top, over a common log axis.
func dots(id, title, desc, axis string, unit func(float64) string, all []float64, lines []dot) chart {
	p := newPlot(axis, "")
	n := len(lines)
	names, texts := make([]string, n), make([]string, n)
	for i, l := range lines {
		names[n-1-i], texts[i] = shortened(l.name), l.label
	}
	logAxis(&p.X, all, spaceX.without(names, texts), unit)
	nominal(p, names)
	var at plotter.XYs
	for i, l := range lines {
		xys := plotter.XYs{{X: l.mid, Y: float64(n - 1 - i)}}
		at = append(at, plotter.XY{X: l.high, Y: xys[0].Y})
		bars := must(plotter.NewXErrorBars(newWhiskers(xys, []float64{l.low}, []float64{l.high})))
		bars.LineStyle = draw.LineStyle{Color: l.mark.ink, Width: 1.5}
		bars.CapWidth = 8
		point := must(plotter.NewScatter(xys))
		point.GlyphStyle = l.mark.style()
		point.GlyphStyle.Color = ink{l.mark.ink.class, l.tip}
		p.Add(bars, point)
	}
	p.Add(behind(at, texts))
	return drawn(p, plotWidth, float64(marginY+rowHeight*n), id, title, desc)
}
