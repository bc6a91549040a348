package report

import (
	"fmt"
	"html/template"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A figure is plots that belong together, with what their marks mean.
type figure struct {
	ID, Title string
	Text      string // how to read it
	Key       []mark
	Plots     []chart
}

// A chart is one plot.
type chart struct {
	Title, Desc string
	id          string
	canvas      *canvas
}

// SVG returns the element, which holds no text but what the canvas has escaped.
func (c chart) SVG() template.HTML { return template.HTML(c.canvas.element(c.id, c.Title, c.Desc)) }

// The size of the picture of a mark.
const (
	markWidth  = 28
	markHeight = 14
)

// A mark stands for a series in a plot.
type mark struct {
	Name  string
	ink   ink
	glyph draw.GlyphDrawer // nil: a line alone
	dash  []vg.Length
	line  bool
	large bool
}

// SVG returns a picture of the mark.
func (m mark) SVG() template.HTML { return template.HTML(m.canvas().bare()) }

func (m mark) canvas() *canvas {
	c := newCanvas(markWidth, markHeight)
	d := draw.New(c)
	if m.line {
		d.StrokeLine2(m.lineStyle(), 1, 7, 27, 7)
	}
	if m.glyph != nil {
		d.DrawGlyph(m.style(), vg.Point{X: 14, Y: 7})
	}
	return c
}

func (m mark) style() draw.GlyphStyle {
	radius := vg.Length(4)
	if m.large {
		radius = 6.5
	}
	return draw.GlyphStyle{Color: m.ink, Radius: radius, Shape: m.glyph}
}

func (m mark) lineStyle() draw.LineStyle {
	return draw.LineStyle{Color: m.ink, Width: 1.5, Dashes: m.dash}
}

// colours are how many there are, "c1" and so on.
const colours = 6

// Shapes of marks and dashes of lines: their numbers and that of the colours have no
// common factor, so that series differ in more than colour, and many do.
var (
	shapes = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.CrossGlyph{}}
	dashes = [][]vg.Length{nil, {6, 3}, {2, 2}, {8, 3, 2, 3}, {12, 3}}
)

// colour returns the ink of series i.
func colour(i int) ink { return ink{class: fmt.Sprintf("c%d", i%colours+1)} }

// series returns the mark of series i with a name.
func series(i int, name string) mark {
	return mark{Name: name, ink: colour(i), glyph: shapes[i%len(shapes)], dash: dashes[i%len(dashes)], line: true}
}

const fontSize = 12

// style returns a style of text in a colour.
func style(class string, size vg.Length) text.Style {
	return text.Style{
		Color: ink{class: class}, Handler: plot.DefaultTextHandler,
		Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
	}
}

// newPlot returns an empty plot that looks as all of them do.
func newPlot(x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.LineStyle = draw.LineStyle{Color: ink{class: "axis"}, Width: 1}
		a.Tick.LineStyle, a.Tick.Length = a.LineStyle, 4
		tick, label := &a.Tick.Label, &a.Label.TextStyle
		tick.Color, tick.Font = ink{class: "text"}, style("", fontSize).Font
		label.Color, label.Font = ink{class: "text"}, style("", fontSize).Font
		a.Label.Padding, a.Padding = 4, 4
	}
	p.X.Label.Text, p.Y.Label.Text = x, y
	return p
}

// grid draws lines at the labelled ticks of the axes that are asked for.
func grid(p *plot.Plot, vertical, horizontal bool) {
	g := plotter.NewGrid()
	g.Vertical = draw.LineStyle{Color: ink{class: "grid"}, Width: 1}
	g.Horizontal = g.Vertical
	if !vertical {
		g.Vertical.Color = nil
	}
	if !horizontal {
		g.Horizontal.Color = nil
	}
	p.Add(g)
}

// logAxis makes an axis logarithmic, with room for the values.
func logAxis(a *plot.Axis, values []float64, room space, label func(float64) string) {
	a.Min, a.Max = around(values)
	a.Scale, a.Tick.Marker = plot.LogScale{}, logTicks{room, label}
}

// edge is room around a plot, for fonts with longer letters than those it is laid out with.
const edge = 4

// drawn returns the plot as a chart.
func drawn(p *plot.Plot, width, height float64, id, title, desc string) chart {
	c := newCanvas(width, height)
	p.Draw(draw.Crop(draw.New(c), edge, -edge, edge, -edge))
	return chart{title, desc, id, c}
}

// must returns a plotter of values that have been checked.
func must[P any](p P, err error) P {
	if err != nil {
		panic(err)
	}
	return p
}

// whiskers are horizontal lines from the least to the largest value.
type whiskers struct {
	plotter.XYs
	plotter.XErrors
}

func newWhiskers(xys plotter.XYs, low, high []float64) whiskers {
	w := whiskers{XYs: xys}
	for i, p := range xys {
		w.XErrors = append(w.XErrors, struct{ Low, High float64 }{p.X - low[i], high[i] - p.X})
	}
	return w
}

// labels writes a text beside each point: at the first of some places where it covers
// neither another text nor a point. A text for which there is no such place stays away.
type labels struct {
	at     plotter.XYs
	texts  []string // "" for a point that others must not cover
	style  text.Style
	radius vg.Length // of the points
}

// places are where a text may stand: a direction from its point, and how it is aligned.
var places = []struct {
	x, y   vg.Length
	xAlign text.XAlignment
	yAlign text.YAlignment
}{
	{1, 1, draw.XLeft, draw.YBottom}, {-1, 1, draw.XRight, draw.YBottom}, {1, -1, draw.XLeft, draw.YTop}, {-1, -1, draw.XRight, draw.YTop},
	{1.6, 0, draw.XLeft, draw.YCenter}, {-1.6, 0, draw.XRight, draw.YCenter}, {0, 1.6, draw.XCenter, draw.YBottom}, {0, -1.6, draw.XCenter, draw.YTop},
}

func (l *labels) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var taken []vg.Rectangle
	points := make([]vg.Point, len(l.at))
	for i, at := range l.at {
		points[i] = vg.Point{X: x(at.X), Y: y(at.Y)}
		r := vg.Point{X: l.radius, Y: l.radius}
		taken = append(taken, vg.Rectangle{Min: points[i].Sub(r), Max: points[i].Add(r)})
	}
	for i, s := range l.texts {
		for _, place := range places {
			sty := l.style
			sty.XAlign, sty.YAlign = place.xAlign, place.yAlign
			at := points[i].Add(vg.Point{X: place.x * l.radius, Y: place.y * l.radius})
			box := sty.Rectangle(s).Add(at)
			if s == "" || !within(c.Rectangle, box) || overlaps(taken, i, box) {
				continue
			}
			c.FillText(sty, at, s)
			taken = append(taken, box)
			break
		}
	}
}

func within(outer, r vg.Rectangle) bool {
	return r.Min.X >= outer.Min.X && r.Max.X <= outer.Max.X && r.Min.Y >= outer.Min.Y && r.Max.Y <= outer.Max.Y
}

// overlaps reports whether r covers some of what is taken, but for its own point.
func overlaps(taken []vg.Rectangle, own int, r vg.Rectangle) bool {
	for i, o := range taken {
		if i != own && r.Min.X < o.Max.X && o.Min.X < r.Max.X && r.Min.Y < o.Max.Y && o.Min.Y < r.Max.Y {
			return true
		}
	}
	return false
}

// limits returns the least and the largest of some values.
func limits(values []float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	return low, high
}
