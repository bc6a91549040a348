package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"hew/bench"
)

// card shows what the model is.
func (s *subject) card(string) *section {
	if len(s.setups) == 0 {
		return nil
	}
	c := s.setups[len(s.setups)-1].Setup.Card
	t := table{Name: "model", Title: "The model, before any pass", Columns: []column{{"property", "Property", false}, {"value", "Value", false}}}
	add := func(name string, value cell) {
		if value.Text != "" {
			t.Rows = append(t.Rows, []cell{words(name), value})
		}
	}
	add("file", words(c.File))
	add("sha256", words(c.SHA256))
	add("trainer", words(c.Trainer))
	add("objective", words(c.Objective))
	add("task", words(c.Task))
	add("features", count(c.Features))
	add("outputs", count(c.Outputs))
	add("trees", count(c.Trees))
	add("nodes", count(c.Nodes))
	add("leaves", count(c.Leaves))
	add("depth", count(c.Depth))
	return &section{ID: "model", Title: "The model", Tables: []table{t}}
}

// passes shows what each pass did.
func (s *subject) passes(id string) *section {
	setup := s.setupWithPasses()
	if setup == nil {
		return nil
	}
	passes := setup.Passes
	t := table{Name: "passes", Title: "Passes in the order in which they ran", Columns: []column{
		{"pass", "Pass", false}, {"kind", "Kind", false},
		{"trees_after", "Trees", true}, {"nodes_before", "Nodes before", true}, {"nodes_after", "Nodes after", true}, {"leaves_after", "Leaves", true},
		{"bytes_after", "Memory", true}, {"certified_bound", "Certified bound", true}, {"measured_change", "Measured change", true},
		{"pass_seconds", "Time", true}, {"doc", "What it does", false},
	}}
	for _, p := range passes {
		kind := "lossy"
		if p.Exact {
			kind = "exact"
		}
		t.Rows = append(t.Rows, []cell{words(p.Name), words(kind),
			count(p.After.Trees), count(p.Before.Nodes), count(p.After.Nodes), count(p.After.Leaves), bytes(p.After.Bytes),
			largest(p.Certified), largest(p.Measured), measured(p.Seconds, seconds(p.Seconds*1e9)), words(p.Doc)})
	}
	sec := &section{ID: "passes", Title: "What the passes did", Tables: []table{t},
		Text: []string{"An exact pass leaves every margin and every prediction as it was, bit for bit. A lossy pass has a certified bound: no margin, on any row there is, moves by more."}}
	switch {
	case slices.ContainsFunc(passes, func(p bench.Pass) bool { return p.After.Nodes != p.Before.Nodes }):
		sec.Figures = []figure{passFigure(id+"-passes-nodes", passes)}
	case !isLossy(passes):
		sec.Text = append(sec.Text, "None of them found a node to remove.")
	}
	if isLossy(passes) {
		sec.Text = append(sec.Text, "These are the passes of "+setup.Command+".")
	}
	return sec
}

// setupWithPasses returns the newest setup with lossy passes, or with any, or nil.
func (s *subject) setupWithPasses() *bench.Setup {
	var best *bench.Setup
	for i := range s.setups {
		if u := s.setups[i].Setup; len(u.Passes) > 0 && (best == nil || isLossy(u.Passes) || !isLossy(best.Passes)) {
			best = u
		}
	}
	return best
}

func isLossy(passes []bench.Pass) bool {
	return slices.ContainsFunc(passes, func(p bench.Pass) bool { return !p.Exact })
}

func passFigure(id string, passes []bench.Pass) figure {
	names, nodes := []string{"as trained"}, []int{passes[0].Before.Nodes}
	for _, p := range passes {
		names, nodes = append(names, shortened("after "+p.Name)), append(nodes, p.After.Nodes)
	}
	slices.Reverse(names)
	slices.Reverse(nodes)
	values, texts := make(plotter.Values, len(nodes)), make([]string, len(nodes))
	at := make(plotter.XYs, len(nodes))
	for i, n := range nodes {
		values[i], texts[i], at[i] = float64(n), bench.Group(n), plotter.XY{X: float64(n), Y: float64(i)}
	}
	p := newPlot("nodes", "")
	nominal(p, names)
	bars := must(plotter.NewBarChart(values, 14))
	bars.Horizontal, bars.Color, bars.LineStyle.Width = true, ink{class: "c1"}, 0
	p.Add(bars)
	p.X.Min, p.X.Max, p.X.Tick.Marker = 0, max(1, p.X.Max), linearTicks{spaceX.without(names, texts), groupOf}
	p.Add(behind(at, texts))
	desc := "Bars of the number of nodes: " + pairs(names, texts) + "."
	return figure{ID: id, Title: "Nodes that remain",
		Plots: []chart{drawn(p, plotWidth, float64(marginY+rowHeight*len(nodes)), id+"-1", "Nodes that remain after each pass", desc)}}
}

func groupOf(v float64) string { return bench.Group(int(v)) }

// pairs says values with their names, from the last to the first.
func pairs(names, values []string) string {
	var all []string
	for i := range names {
		all = append(all, names[i]+" "+values[i])
	}
	slices.Reverse(all)
	return strings.Join(all, ", ")
}

// longName is how many letters of a name a plot has room for.
const longName = 24

// shortened returns a name that a plot has room for.
func shortened(name string) string {
	if utf8.RuneCountInString(name) > longName {
		return string([]rune(name)[:longName-1]) + "…"
	}
	return name
}

// nominal makes lines of the vertical axis, from the bottom.
func nominal(p *plot.Plot, names []string) {
	p.NominalY(names...)
	p.Y.Min, p.Y.Max = -0.6, float64(len(names))-0.4
	p.Y.Width, p.Y.Padding = 0, 6
	grid(p, true, false)
}

// without returns what is left of the space beside the longest of some names and behind
// the longest of some texts.
func (s space) without(names, texts []string) space {
	for _, of := range [][]string{names, texts} {
		widest := 0.0
		for _, text := range of {
			widest = max(widest, float64(style("text", fontSize).Width(text)))
		}
		s.length -= widest
	}
	s.length = max(s.length+60, 20) // the names stand where the labels of others do
	return s
}

// behind writes texts to the right of points.
func behind(at plotter.XYs, texts []string) *plotter.Labels {
	l := must(plotter.NewLabels(plotter.XYLabels{XYs: at, Labels: texts}))
	for i := range l.TextStyle {
		l.TextStyle[i] = style("text", fontSize)
		l.TextStyle[i].YAlign = draw.YCenter
	}
	l.Offset.X, l.Offset.Y = 8, l.TextStyle[0].FontExtents().Descent // as the axis has its labels
	return l
}

// machine shows where and by which commands the records were made.
func (s *subject) machine(string) *section {
	sec := &section{ID: "machine", Title: "The machine and the commands"}
	sec.Text = []string{fmt.Sprintf("Processor: %s. Measured %s.", s.cpu, span(s.first, s.last))}
	if len(s.setups) == 0 {
		return sec
	}
	t := table{Name: "commands", Title: "Commands, in the order in which they ran", Columns: []column{
		{"time", "Time (UTC)", false}, {"command", "Command", false}, {"hew", "hew", false}, {"go", "Go", false}, {"system", "System", false}, {"cores", "Cores", true}}}
	for _, b := range s.setups {
		u := b.Setup
		t.Rows = append(t.Rows, []cell{{Text: stamp(b.Time), Value: b.Time.UTC().Format(time.RFC3339)}, settings(u.Command), words(u.Hew), words(u.Go), words(u.System), count(u.Cores)})
	}
	sec.Tables = []table{t}
	return sec
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// span says when something was.
func span(first, last time.Time) string {
	if first.Equal(last) {
		return stamp(first) + " UTC"
	}
	return "from " + stamp(first) + " to " + stamp(last) + " UTC"
}
