package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"hew/bench"
	"hew/tune"
)

// A candidate is a measured record of a search, with the number by which plots and
// tables call it.
type candidate struct {
	tune.Record
	number int
}

// The marks of candidates.
var (
	onFront  = mark{Name: "on the Pareto front", ink: ink{class: "c1"}, glyph: draw.CircleGlyph{}}
	offFront = mark{Name: "not on it", ink: ink{class: "muted"}, glyph: draw.RingGlyph{}}
	unpruned = mark{Name: "the model as it was trained", ink: ink{class: "c3"}, glyph: draw.BoxGlyph{}}
	chosen   = mark{Name: "chosen", ink: ink{class: "c2"}, glyph: draw.PyramidGlyph{}, large: true}
)

func (c *candidate) mark() mark {
	switch {
	case c.Chosen:
		return chosen
	case c.Prune == "" && c.Quantize == "":
		return unpruned
	case c.Front:
		return onFront
	}
	return offFront
}

// candidates returns what was measured and judged: the unpruned model is number 0.
func (s *subject) candidates() []candidate {
	var all []candidate
	for _, t := range s.tunes {
		if t.Judge != nil && t.Speed != nil {
			all = append(all, candidate{t, len(all)})
		}
	}
	return all
}

// tradeoff shows accuracy against speed.
func (s *subject) tradeoff(id string) *section {
	all := s.candidates()
	if len(all) == 0 {
		return nil
	}
	judge, speed := all[0].Judge, all[0].Speed
	samples := 0
	for _, c := range all {
		samples = max(samples, c.Judge.Samples)
	}
	better := "larger values are better, and the loss is 1 minus it"
	if judge.Smaller {
		better = "it is the loss"
	}
	sec := &section{ID: "tradeoff", Title: "Accuracy against speed", Text: []string{
		fmt.Sprintf("The metric is %s (%s), on %s that nothing was fitted on or chosen by. The increase of the loss is relative to that of the model as it was trained; its interval holds the middle 95 %% of %s bootstrap samples. An interval with 0 in it shows no difference.",
			judge.Metric, better, rows(judge.Rows), bench.Group(samples)),
		fmt.Sprintf("Engine %s was measured in interleaved rounds, on one thread. A certified bound holds for the margins of every row there is; the measured change is the largest on the rows.", speed.Engine),
	}}
	sec.Figures = []figure{speedFigure(id+"-tradeoff-speed", all)}
	if f := boundFigure(id+"-tradeoff-bounds", all); f != nil {
		sec.Figures = append(sec.Figures, *f)
	}
	sec.Tables = []table{candidateTable(all)}
	if t := s.triedTable(); len(t.Rows) > 0 {
		sec.Tables = append(sec.Tables, t)
	}
	return sec
}

// speedFigure has the loss over the time of a single row and that of a row in a batch.
func speedFigure(id string, all []candidate) figure {
	f := figure{ID: id, Title: "Loss against time per row",
		Text: "Lower is more accurate, further left is faster; the time is logarithmic. Vertical lines are the intervals. Points of the front have the numbers of the table."}
	for _, m := range []mark{unpruned, onFront, chosen, offFront} {
		if slices.ContainsFunc(all, func(c candidate) bool { return c.mark().Name == m.Name }) {
			f.Key = append(f.Key, m)
		}
	}
	single := func(s *tune.Speed) float64 { return s.NsSingle }
	batch := func(s *tune.Speed) float64 { return s.NsBatch }
	f.Plots = []chart{
		speedChart(id+"-1", "single rows", all, single),
		speedChart(id+"-2", "batches of "+rows(all[0].Speed.Batch), all, batch),
	}
	return f
}

func speedChart(id, title string, all []candidate, time func(*tune.Speed) float64) chart {
	p := newPlot("time per row", "increase of the loss")
	var times, losses []float64
	var points plotter.XYs
	l := &labels{style: style("text halo", fontSize), radius: 5}
	desc := "Increase of the loss and time per row: "
	for i := range all {
		c := &all[i]
		t := time(c.Speed)
		times = append(times, t)
		for _, v := range []float64{c.Judge.Low, c.Judge.Increase, c.Judge.High} {
			if math.Abs(v) != infinite {
				losses = append(losses, v)
			}
		}
		points = append(points, plotter.XY{X: t, Y: c.Judge.Increase})
		name := ""
		if c.mark().Name != offFront.Name {
			name = groupOf(float64(c.number))
		}
		l.texts = append(l.texts, name)
		desc += fmt.Sprintf("%d: %s, %s; ", c.number, percent(c.Judge.Increase), seconds(t))
	}
	logAxis(&p.X, times, spaceX, seconds)
	lossAxis(&p.Y, losses)
	within := func(v float64) float64 { return min(max(v, p.Y.Min), p.Y.Max) } // what is infinite ends with the plot
	for i := range points {
		points[i].Y = within(points[i].Y)
	}
	l.at = points
	grid(p, true, true)
	p.Add(staircase(points, p.X.Max, p.Y.Max))
	for _, m := range []mark{offFront, unpruned, onFront, chosen} { // what matters is drawn last
		for i := range all {
			c := &all[i]
			if c.mark().Name != m.Name {
				continue
			}
			bars := must(plotter.NewYErrorBars(interval{plotter.XYs{points[i]}, within(c.Judge.Low), within(c.Judge.High)}))
			bars.LineStyle, bars.CapWidth = draw.LineStyle{Color: ink{class: m.ink.class + " soft"}, Width: 1}, 5
			point := must(plotter.NewScatter(plotter.XYs{points[i]}))
			point.GlyphStyle = m.style()
			point.GlyphStyle.Color = ink{m.ink.class, fmt.Sprintf("%d, %s: loss %s, %s to %s; %s per row",
				c.number, c.Settings(), percent(c.Judge.Increase), percent(c.Judge.Low), percent(c.Judge.High), seconds(points[i].X))}
			p.Add(bars, point)
		}
	}
	p.Add(l)
	return drawn(p, plotWidth, 360, id, title, desc[:len(desc)-2]+".")
}

// lossAxis is linear if the values are near each other, and bent if not.
func lossAxis(a *plot.Axis, values []float64) {
	low, high := limits(append(values, 0))
	if max(high, -low) <= 0.02 {
		room := 0.06 * max(high-low, 1e-6)
		a.Min, a.Max, a.Tick.Marker = low-room, high+room, linearTicks{spaceY, percent}
		return
	}
	const linear = 0.001
	a.Min, a.Max = low*1.3-linear/4, high*1.3+linear/4
	a.Scale, a.Tick.Marker = bentScale{linear}, bentTicks{spaceY, bentScale{linear}, percent}
}

// interval is a point with the interval of its judgement.
type interval struct {
	plotter.XYs
	low, high float64
}

func (i interval) YError(int) (low, high float64) {
	return i.XYs[0].Y - i.low, i.high - i.XYs[0].Y
}

// staircase bounds what some point is as good as: the Pareto front of the plot.
func staircase(points plotter.XYs, right, top float64) *plotter.Line {
	sorted := slices.Clone(points)
	slices.SortFunc(sorted, func(a, b plotter.XY) int {
		switch {
		case a.X < b.X || a.X == b.X && a.Y < b.Y:
			return -1
		case a == b:
			return 0
		}
		return 1
	})
	steps := plotter.XYs{{X: sorted[0].X, Y: top}}
	least := math.Inf(1)
	for _, at := range sorted {
		if at.Y >= least {
			continue
		}
		if len(steps) > 1 {
			steps = append(steps, plotter.XY{X: at.X, Y: least})
		}
		steps, least = append(steps, at), at.Y
	}
	steps = append(steps, plotter.XY{X: right, Y: least})
	line := must(plotter.NewLine(steps))
	line.LineStyle = draw.LineStyle{Color: ink{class: "c1"}, Width: 1, Dashes: []vg.Length{3, 3}}
	return line
}

// boundFigure compares certified bounds with what was measured.
func boundFigure(id string, all []candidate) *figure {
	bound := mark{Name: "certified bound, for every row there is", ink: ink{class: "c1"}, glyph: draw.BoxGlyph{}}
	change := mark{Name: "largest change on the rows", ink: ink{class: "c2"}, glyph: draw.CircleGlyph{}}
	var bounds, changes plotter.XYs
	var names, said []string
	for i := len(all) - 1; i >= 0; i-- {
		c := &all[i]
		if c.mark().Name == offFront.Name || len(c.Certified) == 0 {
			continue
		}
		_, b := limits(c.Certified)
		if b == 0 || !amounts(b) {
			continue
		}
		y := float64(len(names))
		names = append(names, fmt.Sprint(c.number))
		bounds = append(bounds, plotter.XY{X: b, Y: y})
		words := fmt.Sprintf("%d: at most %s", c.number, short(b))
		if len(c.MarginChange) > 0 {
			if _, m := limits(c.MarginChange); m > 0 && amounts(m) {
				changes = append(changes, plotter.XY{X: m, Y: y})
				words += ", measured " + short(m)
			}
		}
		said = append(said, words)
	}
	if len(names) == 0 {
		return nil
	}
	p := newPlot("change of a margin", "candidate")
	var values []float64
	for _, at := range append(slices.Clone(bounds), changes...) {
		values = append(values, at.X)
	}
	logAxis(&p.X, values, spaceX, short)
	nominal(p, names)
	f := &figure{ID: id, Title: "Certified bounds and measured changes of margins", Key: []mark{bound},
		Text: "Of the candidates on the front, by their numbers in the table; logarithmic. A change of 0 is left out, and so is an infinite bound."}
	tip := func(of string) func(plotter.XY) string {
		return func(at plotter.XY) string { return names[int(at.Y)] + ": " + of + " " + short(at.X) }
	}
	for _, m := range changes {
		for _, b := range bounds {
			if b.Y == m.Y {
				gap := must(plotter.NewLine(plotter.XYs{m, b}))
				gap.LineStyle = draw.LineStyle{Color: ink{class: "muted"}, Width: 1}
				p.Add(gap)
			}
		}
	}
	p.Add(scatter(bounds, bound, tip("certified")))
	if len(changes) > 0 {
		f.Key = append(f.Key, change)
		p.Add(scatter(changes, change, tip("measured")))
	}
	slices.Reverse(said)
	f.Plots = []chart{drawn(p, plotWidth, float64(marginY+rowHeight*len(names)), id+"-1", f.Title, "Change of a margin: "+joined(said)+".")}
	return f
}

// scatter draws a mark at each point.
func scatter(at plotter.XYs, m mark, tip func(plotter.XY) string) *plotter.Scatter {
	s := must(plotter.NewScatter(at))
	s.GlyphStyleFunc = func(i int) draw.GlyphStyle {
		g := m.style()
		g.Color = ink{m.ink.class, tip(at[i])}
		return g
	}
	return s
}

func candidateTable(all []candidate) table {
	t := table{Name: "candidates", Title: "Candidates that were measured", Columns: []column{
		{"candidate", "Nº", true}, {"settings", "Settings", false}, {"status", "Status", false},
		{"metric", all[0].Judge.Metric, true}, {"loss_increase", "Loss", true}, {"loss_increase_low", "from", true}, {"loss_increase_high", "to", true},
		{"ns_single", "ns, single row", true}, {"ns_batch", "ns, in a batch", true}, {"nodes", "Nodes", true}, {"bytes", "Tables", true}, {"binary_bytes", "Binary", true},
		{"certified_bound", "Certified bound", true}, {"margin_change", "Measured change", true}, {"class_change", "Classes changed", true},
	}}
	for i := range all {
		c := &all[i]
		class, binary := none, none
		if c.ClassChange != nil {
			class = measured(*c.ClassChange, percents(strconv.FormatFloat(*c.ClassChange*100, 'f', 2, 64)))
		}
		if c.Binary > 0 {
			binary = bytes(c.Binary)
		}
		t.Rows = append(t.Rows, []cell{count(c.number), settings(c.Settings()), words(c.status()),
			measured(c.Judge.Value, digits(c.Judge.Value, 4)), share(c.Judge.Increase), share(c.Judge.Low), share(c.Judge.High),
			nanos(c.Speed.NsSingle), nanos(c.Speed.NsBatch), count(c.Nodes), bytes(c.Bytes), binary,
			largest(c.Certified), largest(c.MarginChange), class})
	}
	return t
}

func share(v float64) cell { return measured(v, thousandths(v)) }

// status says how a candidate came out.
func (c *candidate) status() string {
	var said []string
	if !c.Speed.BitEqual {
		said = append(said, "WRONG: the engine's bits differ")
	}
	if c.Chosen {
		said = append(said, "chosen")
	}
	if c.Prune == "" && c.Quantize == "" {
		said = append(said, "as trained")
	} else if c.Judge.Samples > 0 && c.Judge.Noise() {
		said = append(said, "no difference shown")
	}
	switch {
	case c.Front:
		said = append(said, "front")
	case c.Rejected != "":
		said = append(said, c.Rejected)
	default:
		said = append(said, "not on the front")
	}
	return strings.Join(said, ", ")
}

// triedTable shows what the search tried and did not measure.
func (s *subject) triedTable() table {
	t := table{Name: "tried", Title: "Candidates that the search tried and did not measure", Columns: []column{
		{"settings", "Settings", false}, {"search_loss_increase", "Loss in the search", true}, {"nodes", "Nodes", true}, {"bytes", "Tables", true}, {"why", "Why not", false}}}
	for i := range s.tunes {
		r := &s.tunes[i]
		if r.Judge != nil && r.Speed != nil {
			continue
		}
		loss, nodes, size := none, none, none
		if r.Search != nil {
			loss = share(r.Search.Increase)
		}
		if r.Nodes > 0 {
			nodes, size = count(r.Nodes), bytes(r.Bytes)
		}
		t.Rows = append(t.Rows, []cell{settings(r.Settings()), loss, nodes, size, words(r.Rejected)})
	}
	const many = 20
	t.Aside = len(t.Rows) > many
	return t
}
