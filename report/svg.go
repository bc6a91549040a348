package report

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"strings"
)

// FigureNames returns the names by which SVG knows the figures.
func (r *Report) FigureNames() []string {
	var names []string
	r.eachFigure(func(f *figure) { names = append(names, f.ID) })
	return names
}

func (r *Report) eachFigure(do func(*figure)) {
	for _, p := range r.Parts {
		for _, s := range p.Sections {
			for i := range s.Figures {
				do(&s.Figures[i])
			}
		}
	}
}

// SVG writes one figure, with its key and the titles of its plots, as a picture that
// needs nothing else. A name without a model, as tradeoff-speed, is that of the first
// model that has it; the others are in FigureNames.
func (r *Report) SVG(w io.Writer, name string) error {
	var found *figure
	r.eachFigure(func(f *figure) {
		if _, plain, _ := strings.Cut(f.ID, "-"); found == nil && (f.ID == name || plain == name) {
			found = f
		}
	})
	if found == nil {
		return fmt.Errorf("there is no figure %q; there are: %s", name, strings.Join(r.FigureNames(), ", "))
	}
	return found.write(w)
}

// Lengths of a picture.
const (
	margin   = 16
	titleGap = 26 // a line of text, with room
)

// write lays the plots out in two columns, below the key.
func (f *figure) write(w io.Writer) error {
	columns := min(2, len(f.Plots))
	width := margin + columns*(plotWidth+margin)
	var body strings.Builder
	y := float64(margin)
	if len(f.Key) > 0 {
		y = f.writeKey(&body, float64(width), y) + 6
	}
	for i := 0; i < len(f.Plots); i += columns {
		row := f.Plots[i:min(i+columns, len(f.Plots))]
		y += titleGap
		height := 0.0
		for k, c := range row {
			x := float64(margin + k*(plotWidth+margin))
			writeText(&body, x, y-10, "600", c.Title)
			c.canvas.place(&body, x, y)
			height = max(height, c.canvas.height)
		}
		y += height
	}
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%s" viewBox="0 0 %[1]d %[2]s" role="img"><title>%s</title><style>%s</style><rect width="100%%" height="100%%" style="fill: var(--panel)"/>%s</svg>`+"\n",
		width, number(y+margin), html.EscapeString(f.Title), plotStyle, body.String())
	return b.Flush()
}

// writeKey writes the key from y down, in as many lines as it needs, and returns where it ends.
func (f *figure) writeKey(b *strings.Builder, width, y float64) float64 {
	x := float64(margin)
	for _, m := range f.Key {
		need := markWidth + 6 + float64(style("text", fontSize+1).Width(m.Name)) + 2*margin
		if x > margin && x+need > width {
			x, y = margin, y+titleGap-6
		}
		m.canvas().place(b, x, y)
		writeText(b, x+markWidth+6, y+11, "400", m.Name)
		x += need
	}
	return y + markHeight
}

func writeText(b *strings.Builder, x, y float64, weight, text string) {
	fmt.Fprintf(b, `<text class="text" x="%s" y="%s" font-size="%d" font-weight="%s">%s</text>`, number(x), number(y), fontSize+1, weight, html.EscapeString(text))
}
