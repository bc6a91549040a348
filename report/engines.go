package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"hew/bench"
)

// The marks of engines.
var (
	ours      = mark{Name: "hew, bits equal to the reference", ink: ink{class: "c1"}, glyph: draw.CircleGlyph{}}
	foreign   = mark{Name: "predictors of others", ink: ink{class: "c2"}, glyph: draw.BoxGlyph{}}
	reference = mark{Name: "the reference", ink: ink{class: "c3"}, glyph: draw.PyramidGlyph{}}
	differing = mark{Name: "hew, but bits differ", ink: ink{class: "bad"}, glyph: draw.CrossGlyph{}}
)

func markOf(r bench.Record) mark {
	switch {
	case r.Foreign:
		return foreign
	case r.Engine == r.Reference:
		return reference
	case r.BitEqual:
		return ours
	}
	return differing
}

// engines shows engines side by side.
func (s *subject) engines(id string) *section {
	if len(s.timings) == 0 {
		return nil
	}
	sec := &section{ID: "engines", Title: "Engines side by side", Text: []string{
		"Engines took turns in short slices of time on the same rows. A time is the median over the rounds, with the fastest and the slowest; the ratio says how much faster an engine is, and an engine of hew's whose bits differ has none."}}
	sec.Figures = append(sec.Figures, s.engineFigure(id+"-engines-time"))
	if f := s.batchFigure(id + "-engines-batch"); f != nil {
		sec.Figures = append(sec.Figures, *f)
	}
	sec.Tables = append(sec.Tables, s.engineTable())
	if t := s.buildTable(); len(t.Rows) > 0 {
		sec.Tables = append(sec.Tables, t)
	}
	return sec
}

func (s *subject) engineTable() table {
	baselines := bench.Baselines(s.timings)
	t := table{Name: "engines", Title: "Time per row", Columns: []column{
		{"engine", "Engine", false}, {"batch", "Batch", true}, {"threads", "Threads", true},
		{"ns_per_row", "ns per row", true}, {"ns_per_row_min", "min", true}, {"ns_per_row_max", "max", true}}}
	for _, b := range baselines {
		t.Columns = append(t.Columns, column{"times_" + strings.ReplaceAll(slug(b.Name), "-", "_"), "vs " + b.Name, true})
	}
	t.Columns = append(t.Columns, column{"bits", "Bits", false})
	for _, r := range s.timings {
		row := []cell{words(r.Engine), count(r.Batch), count(r.Threads), nanos(r.NsPerRow), nanos(r.NsMin), nanos(r.NsMax)}
		for _, b := range baselines {
			row = append(row, ratio(b.Speedup(s.timings, r)))
		}
		t.Rows = append(t.Rows, append(row, words(bench.Verdict(r))))
	}
	return t
}

func ratio(v float64) cell {
	if math.IsNaN(v) {
		return none
	}
	return measured(v, bench.Times(v))
}

// engineFigure has a plot per batch and number of threads.
func (s *subject) engineFigure(id string) figure {
	f := figure{ID: id, Title: "Time per row",
		Text: "A mark is the median, the line goes from the fastest to the slowest round; all plots have the same logarithmic axis."}
	var all []float64
	for _, r := range s.timings {
		all = append(all, r.NsMin, r.NsMax)
	}
	baselines := bench.Baselines(s.timings)
	if len(baselines) > 0 {
		f.Text += " Behind the median stands how much faster than " + baselines[0].Name + " that is."
	}
	for i := 0; i < len(s.timings); {
		first, end := s.timings[i], i
		var dotted []dot
		for ; end < len(s.timings) && s.timings[end].Batch == first.Batch && s.timings[end].Threads == first.Threads; end++ {
			r := s.timings[end]
			d := dot{name: r.Engine, low: r.NsMin, mid: r.NsPerRow, high: r.NsMax, mark: markOf(r), label: seconds(r.NsPerRow)}
			if len(baselines) > 0 {
				d.label += " · " + bench.Times(baselines[0].Speedup(s.timings, r))
			}
			d.tip = fmt.Sprintf("%s: %s per row, %s to %s", r.Engine, seconds(r.NsPerRow), seconds(r.NsMin), seconds(r.NsMax))
			dotted = append(dotted, d)
			if !slices.ContainsFunc(f.Key, func(m mark) bool { return m.Name == d.mark.Name }) {
				f.Key = append(f.Key, d.mark)
			}
		}
		i = end
		title := fmt.Sprintf("batches of %s, %s", rows(first.Batch), threads(first.Threads))
		if first.Batch == 1 {
			title = "single rows, " + threads(first.Threads)
		}
		f.Plots = append(f.Plots, dots(fmt.Sprintf("%s-%d", id, len(f.Plots)+1), title, "Time per row of each engine: "+tips(dotted)+".", "time per row", seconds, all, dotted))
	}
	return f
}

func rows(n int) string    { return bench.Group(n) + " " + plural(n, "row") }
func threads(n int) string { return bench.Group(n) + " " + plural(n, "thread") }

// tips says dots in words.
func tips(all []dot) string {
	var said []string
	for _, d := range all {
		said = append(said, d.tip)
	}
	return strings.Join(said, "; ")
}

// batchFigure shows how time depends on the number of rows in a call, if more than two
// numbers were measured.
func (s *subject) batchFigure(id string) *figure {
	var batches []int
	var engines []string
	least := math.MaxInt // threads
	for _, r := range s.timings {
		least = min(least, r.Threads)
		if !slices.Contains(batches, r.Batch) {
			batches = append(batches, r.Batch)
		}
		if !slices.Contains(engines, r.Engine) {
			engines = append(engines, r.Engine)
		}
	}
	if len(batches) < 3 {
		return nil
	}
	f := &figure{ID: id, Title: "Time per row against the size of a batch", Text: "On " + threads(least) + ", both axes logarithmic."}
	y := axis{title: "time per row", unit: seconds, log: true}
	var all []line
	for i, e := range engines {
		l := line{mark: series(i, e)}
		for _, r := range s.timings {
			if r.Engine == e && r.Threads == least {
				l.xys = append(l.xys, plotter.XY{X: float64(r.Batch), Y: r.NsPerRow})
				l.tips = append(l.tips, fmt.Sprintf("%s, %s: %s per row", e, rows(r.Batch), seconds(r.NsPerRow)))
				y.all = append(y.all, r.NsPerRow)
			}
		}
		if len(l.xys) > 0 {
			all = append(all, l)
			f.Key = append(f.Key, l.mark)
		}
	}
	f.Plots = []chart{lines(id+"-1", f.Title, said(all), "rows in a call", y, all)}
	return f
}

// said says lines in words.
func said(all []line) string {
	var s []string
	for _, l := range all {
		s = append(s, l.tips...)
	}
	return strings.Join(s, "; ") + "."
}

// buildTable shows what compiling cost.
func (s *subject) buildTable() table {
	t := table{Name: "builds", Title: "What compiling the code cost", Columns: []column{
		{"engine", "Engine", false}, {"build_seconds", "Time", true}, {"build_peak_bytes", "Memory at most", true}, {"artifact_bytes", "Program", true}}}
	var seen []string
	for _, r := range s.timings {
		if r.Build == nil || slices.Contains(seen, r.Engine) {
			continue
		}
		seen = append(seen, r.Engine)
		t.Rows = append(t.Rows, []cell{words(r.Engine), measured(r.Build.Seconds, fmt.Sprintf("%.1f s", r.Build.Seconds)), bytes(r.PeakBytes), bytes(r.ArtifactBytes)})
	}
	return t
}
