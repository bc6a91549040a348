package report

import (
	"fmt"
	"html"
	"image"
	"image/color"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// A canvas is where gonum/plot draws. It writes SVG whose colours are classes of the
// page's style sheet, so that a plot is light or dark as the page is; vgsvg, gonum's
// own, writes the colours themselves. A unit of length is a pixel.
type canvas struct {
	width, height float64
	svg           strings.Builder
	state         pen
	saved         []pen
}

// A pen is how a canvas draws.
type pen struct {
	at    transform
	ink   ink
	width vg.Length
	dash  []vg.Length
}

// A transform turns by an angle, then moves.
type transform struct{ sin, cos, x, y float64 }

// An ink is a colour by the name of its class. What is drawn with it has the tip as its
// title, which browsers show under the pointer and screen readers read.
type ink struct{ class, tip string }

// RGBA implements color.Color, for what knows no classes.
func (ink) RGBA() (r, g, b, a uint32) { return 0, 0, 0, math.MaxUint16 }

func newCanvas(width, height float64) *canvas {
	return &canvas{width: width, height: height, state: pen{at: transform{cos: 1}, ink: ink{class: "text"}, width: 1}}
}

// element returns the SVG element with what was drawn. The identifier, the title and
// the description are for those who do not see it.
func (c *canvas) element(id, title, desc string) string {
	return fmt.Sprintf(`<svg viewBox="0 0 %s %s" role="img" aria-labelledby="%[3]s-title %[3]s-desc"><title id="%[3]s-title">%[4]s</title><desc id="%[3]s-desc">%[5]s</desc>%[6]s</svg>`,
		number(c.width), number(c.height), id, html.EscapeString(title), html.EscapeString(desc), c.svg.String())
}

// place writes what was drawn into a picture, with its upper left corner at a point.
func (c *canvas) place(b *strings.Builder, x, y float64) {
	fmt.Fprintf(b, `<g transform="translate(%s %s)">%s</g>`, number(x), number(y), c.svg.String())
}

// bare returns the SVG element of a drawing that only decorates.
func (c *canvas) bare() string {
	return fmt.Sprintf(`<svg viewBox="0 0 %s %s" aria-hidden="true">%s</svg>`, number(c.width), number(c.height), c.svg.String())
}

// Size implements vg.CanvasSizer.
func (c *canvas) Size() (x, y vg.Length) { return vg.Length(c.width), vg.Length(c.height) }

// SetLineWidth implements vg.Canvas. The marks of gonum/plot that are hollow or crosses
// have lines of half a pixel, which nobody sees.
func (c *canvas) SetLineWidth(w vg.Length) {
	if w > 0 {
		w = max(w, 1)
	}
	c.state.width = w
}
func (c *canvas) SetLineDash(d []vg.Length, _ vg.Length) { c.state.dash = d }

func (c *canvas) SetColor(clr color.Color) {
	if i, ok := clr.(ink); ok {
		c.state.ink = i
	} else {
		c.state.ink = ink{class: "text"}
	}
}

func (c *canvas) Rotate(angle float64) {
	sin, cos := math.Sincos(angle)
	t := &c.state.at
	t.sin, t.cos = t.sin*cos+t.cos*sin, t.cos*cos-t.sin*sin
}

func (c *canvas) Translate(p vg.Point) { c.state.at.x, c.state.at.y = c.state.at.apply(p) }

// Scale panics: no plot scales, and lengths need not be transformed.
func (c *canvas) Scale(x, y float64) { panic("a canvas of a report does not scale") }

func (t *transform) apply(p vg.Point) (x, y float64) {
	return t.x + t.cos*float64(p.X) - t.sin*float64(p.Y), t.y + t.sin*float64(p.X) + t.cos*float64(p.Y)
}

func (c *canvas) Push() { c.saved = append(c.saved, c.state) }

func (c *canvas) Pop() {
	c.state = c.saved[len(c.saved)-1]
	c.saved = c.saved[:len(c.saved)-1]
}

func (c *canvas) Stroke(p vg.Path) {
	if c.state.width <= 0 {
		return
	}
	attrs := ` stroke-width="` + number(float64(c.state.width)) + `"`
	if len(c.state.dash) > 0 {
		var dashes []string
		for _, d := range c.state.dash {
			dashes = append(dashes, number(float64(d)))
		}
		attrs += ` stroke-dasharray="` + strings.Join(dashes, " ") + `"`
	}
	c.path("line", attrs, p)
}

func (c *canvas) Fill(p vg.Path) { c.path("area", "", p) }

// path writes a path of a kind, which is a class, too.
func (c *canvas) path(kind, attrs string, p vg.Path) {
	fmt.Fprintf(&c.svg, `<path class="%s %s"%s d="%s"`, kind, c.state.ink.class, attrs, c.data(p))
	if tip := c.state.ink.tip; tip != "" {
		fmt.Fprintf(&c.svg, "><title>%s</title></path>", html.EscapeString(tip))
	} else {
		c.svg.WriteString("/>")
	}
}

// data returns the commands of a path.
func (c *canvas) data(p vg.Path) string {
	var b strings.Builder
	drawn := false // whether there is a current point
	for _, comp := range p {
		switch comp.Type {
		case vg.MoveComp:
			b.WriteString("M" + c.point(comp.Pos))
			drawn = true
		case vg.LineComp:
			b.WriteString("L" + c.point(comp.Pos))
		case vg.ArcComp:
			command := "M"
			if drawn {
				command = "L"
			}
			b.WriteString(command + c.point(onCircle(comp, 0)) + c.arc(comp))
			drawn = true
		case vg.CloseComp:
			b.WriteString("Z")
		default:
			panic(fmt.Sprintf("no plot of a report has path components of type %d", comp.Type))
		}
	}
	return b.String()
}

// arc returns an arc in two halves: SVG has none that ends where it begins.
func (c *canvas) arc(comp vg.PathComp) string {
	sweep := "0" // y grows upwards here and downwards there
	if comp.Angle < 0 {
		sweep = "1"
	}
	head := "A" + number(float64(comp.Radius)) + " " + number(float64(comp.Radius)) + " 0 0 " + sweep + " "
	return head + c.point(onCircle(comp, 0.5)) + head + c.point(onCircle(comp, 1))
}

// onCircle returns the point at a part of an arc.
func onCircle(comp vg.PathComp, part float64) vg.Point {
	sin, cos := math.Sincos(comp.Start + part*comp.Angle)
	return comp.Pos.Add(vg.Point{X: comp.Radius * vg.Length(cos), Y: comp.Radius * vg.Length(sin)})
}

// point returns a point as SVG has it, with y from the top.
func (c *canvas) point(p vg.Point) string {
	x, y := c.state.at.apply(p)
	return number(x) + " " + number(c.height-y)
}

// FillString writes text. A browser that has another font than the plot was laid out
// with makes it as long as that.
func (c *canvas) FillString(f font.Face, p vg.Point, text string) {
	x, y := c.state.at.apply(p)
	y = c.height - y
	turn := ""
	if c.state.at.sin != 0 {
		degrees := -math.Atan2(c.state.at.sin, c.state.at.cos) * 180 / math.Pi
		turn = fmt.Sprintf(` transform="rotate(%s %s %s)"`, number(degrees), number(x), number(y))
	}
	fmt.Fprintf(&c.svg, `<text class="%s" x="%s" y="%s" font-size="%s" textLength="%s" lengthAdjust="spacingAndGlyphs"%s>%s</text>`,
		c.state.ink.class, number(x), number(y), number(float64(f.Font.Size)), number(float64(f.Width(text))), turn, html.EscapeString(text))
}

// DrawImage panics: no plot has images.
func (c *canvas) DrawImage(vg.Rectangle, image.Image) { panic("a canvas of a report has no images") }

// number returns v with a digit behind the point, which is a tenth of a pixel.
func number(v float64) string {
	s := strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
	if s == "-0" {
		return "0"
	}
	return s
}
