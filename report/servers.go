package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"hew/bench"
)

// The percentiles of records, with their marks.
var percentiles = []struct {
	mark mark
	of   func(bench.Record) float64
}{
	{mark{Name: "50 %", ink: ink{class: "c1"}, glyph: draw.CircleGlyph{}, line: true}, func(r bench.Record) float64 { return r.P50 }},
	{mark{Name: "95 %", ink: ink{class: "c2"}, glyph: draw.BoxGlyph{}, line: true, dash: []vg.Length{6, 3}}, func(r bench.Record) float64 { return r.P95 }},
	{mark{Name: "99 %", ink: ink{class: "c3"}, glyph: draw.PyramidGlyph{}, line: true, dash: []vg.Length{2, 2}}, func(r bench.Record) float64 { return r.P99 }},
}

func percentileKey() []mark {
	var key []mark
	for _, p := range percentiles {
		key = append(key, p.mark)
	}
	return key
}

// A sweep is the records of a closed loop that differ in one number.
type sweep struct {
	fixed   int // the other number
	records []bench.Record
}

// sweepOf returns the largest sweep over a number, if it has more than one value.
func (s *subject) sweepOf(over, fixed func(bench.Record) int) *sweep {
	var best *sweep
	most := 1
	var tried []int
	for _, first := range s.answered() {
		if slices.Contains(tried, fixed(first)) {
			continue
		}
		tried = append(tried, fixed(first))
		w := &sweep{fixed: fixed(first)}
		var values []int
		for _, r := range s.answered() {
			if r.Rate == 0 && fixed(r) == w.fixed {
				w.records = append(w.records, r)
				if !slices.Contains(values, over(r)) {
					values = append(values, over(r))
				}
			}
		}
		if len(values) > most {
			best, most = w, len(values)
		}
	}
	if best != nil {
		slices.SortStableFunc(best.records, func(a, b bench.Record) int { return over(a) - over(b) })
	}
	return best
}

// answered returns the records of loads of which some requests were answered rightly.
func (s *subject) answered() []bench.Record {
	return slices.DeleteFunc(slices.Clone(s.loads), func(r bench.Record) bool { return r.P50 == 0 })
}

func connectionsOf(r bench.Record) int { return r.Connections }
func rowsOf(r bench.Record) int        { return r.BatchRows }

// protocols returns the protocols of records in order.
func protocols(records []bench.Record) []string {
	var names []string
	for _, r := range records {
		if !slices.Contains(names, r.Engine) {
			names = append(names, r.Engine)
		}
	}
	return names
}

// protocolName is what people call a protocol.
func protocolName(engine string) string {
	if name, ok := map[string]string{"rest": "REST", "rest-v2": "REST, protocol V2", "grpc": "gRPC, protocol V2"}[engine]; ok {
		return name
	}
	return engine
}

// latency shows the percentiles of the latency over the number of rows in a request.
func (s *subject) latency(id string) *section {
	w := s.sweepOf(rowsOf, connectionsOf)
	if w == nil {
		return nil
	}
	sec := &section{ID: "latency", Title: "Latency by batch size",
		Text: []string{fmt.Sprintf("A server was asked over %s, each of which asks again as soon as it has its answer. Latency counts from when a request is sent to its checked answer.", connections(w.fixed))}}
	f := percentileFigure(id+"-latency-rows", "Latency against rows per request", "rows in a request", w.records, rowsOf)
	f.Text = fmt.Sprintf("Over %s; both axes logarithmic.", connections(w.fixed))
	sec.Figures = []figure{f}
	sec.Tables = []table{loadTable("latency", "Latency by rows per request, over "+connections(w.fixed), w.records)}
	return sec
}

func connections(n int) string { return bench.Group(n) + " " + plural(n, "connection") }

// percentileFigure has a plot per protocol.
func percentileFigure(id, title, x string, records []bench.Record, over func(bench.Record) int) figure {
	f := figure{ID: id, Title: title, Key: percentileKey()}
	y := axis{title: "latency", unit: milliseconds, log: true}
	for _, r := range records {
		for _, p := range percentiles {
			y.all = append(y.all, p.of(r))
		}
	}
	for _, name := range protocols(records) {
		var all []line
		for _, p := range percentiles {
			l := line{mark: p.mark}
			for _, r := range records {
				if r.Engine == name {
					l.xys = append(l.xys, plotter.XY{X: float64(over(r)), Y: p.of(r)})
					l.tips = append(l.tips, fmt.Sprintf("%s of requests with %s over %s: at most %s", p.mark.Name, rows(r.BatchRows), connections(r.Connections), milliseconds(p.of(r))))
				}
			}
			all = append(all, l)
		}
		f.Plots = append(f.Plots, lines(fmt.Sprintf("%s-%d", id, len(f.Plots)+1), protocolName(name), said(all), x, y, all))
	}
	return f
}

// serving shows how servers bear load.
func (s *subject) serving(id string) *section {
	if len(s.loads) == 0 {
		return nil
	}
	sec := &section{ID: "serving", Title: "Servers", Text: []string{
		"Each answer was compared with the prediction that is known to be right; a wrong one is an error and does not count. Where requests were due at a rate, latency counts from when a request was due, not from when it was sent."}}
	if w := s.sweepOf(connectionsOf, rowsOf); w != nil {
		sec.Figures = append(sec.Figures, throughputFigure(id+"-serving-throughput", w))
		f := percentileFigure(id+"-serving-latency", "Latency against connections", "connections", w.records, connectionsOf)
		f.Text = fmt.Sprintf("%s in a request; both axes logarithmic.", rows(w.fixed))
		sec.Figures = append(sec.Figures, f)
	}
	if len(s.answered()) > 0 {
		sec.Figures = append(sec.Figures, s.protocolFigure(id+"-serving-protocols"))
	}
	sec.Tables = append(sec.Tables, loadTable("servers", "Servers under load", s.loads))
	if t := s.partTable(); len(t.Rows) > 0 {
		sec.Figures = append(sec.Figures, s.partFigure(id+"-serving-parts"))
		sec.Tables = append(sec.Tables, t)
	}
	return sec
}

func throughputFigure(id string, w *sweep) figure {
	f := figure{ID: id, Title: "Throughput against connections", Text: fmt.Sprintf("%s in a request; each connection asks again as soon as it has its answer.", rows(w.fixed))}
	y := axis{title: "requests per second", unit: groupOf}
	var all []line
	for i, name := range protocols(w.records) {
		l := line{mark: series(i, protocolName(name))}
		for _, r := range w.records {
			if r.Engine != name {
				continue
			}
			y.all = append(y.all, r.PerSecond)
			l.xys = append(l.xys, plotter.XY{X: float64(r.Connections), Y: r.PerSecond})
			l.tips = append(l.tips, fmt.Sprintf("%s over %s: %s requests per second", l.mark.Name, connections(r.Connections), groupOf(r.PerSecond+0.5)))
		}
		all = append(all, l)
		f.Key = append(f.Key, l.mark)
	}
	f.Plots = []chart{lines(id+"-1", f.Title, said(all), "connections", y, all)}
	return f
}

// protocolFigure compares protocols, with a plot for each way in which the server was
// driven.
func (s *subject) protocolFigure(id string) figure {
	f := figure{ID: id, Title: "REST against gRPC", Text: "A line goes from the median to the 99 % percentile of the latency, and the mark on it is the 95 % percentile; all plots have the same logarithmic axis. Behind it stands how many requests a second were answered."}
	loads := s.answered()
	var all []float64
	for _, r := range loads {
		all = append(all, r.P50, r.P99)
	}
	mark := mark{ink: ink{class: "c1"}, glyph: draw.CircleGlyph{}}
	done := make([]bool, len(loads))
	for i, first := range loads {
		var dotted []dot
		for j, r := range loads {
			if done[j] || way(r) != way(first) {
				continue
			}
			done[j] = true
			dotted = append(dotted, dot{name: protocolName(r.Engine), low: r.P50, mid: r.P95, high: r.P99, mark: mark,
				label: groupOf(r.PerSecond+0.5) + "/s",
				tip: fmt.Sprintf("%s: median %s, 95 %% %s, 99 %% %s, %s requests per second", protocolName(r.Engine),
					milliseconds(r.P50), milliseconds(r.P95), milliseconds(r.P99), groupOf(r.PerSecond+0.5))})
		}
		if len(dotted) > 0 {
			n := len(f.Plots) + 1
			f.Plots = append(f.Plots, dots(fmt.Sprintf("%s-%d", id, n), way(loads[i]), "Latency of each protocol: "+tips(dotted)+".", "latency", milliseconds, all, dotted))
		}
	}
	return f
}

// way says how a server was driven.
func way(r bench.Record) string {
	s := fmt.Sprintf("%s, %s in a request", connections(r.Connections), rows(r.BatchRows))
	if r.Rate > 0 {
		s += fmt.Sprintf(", %s a second due", groupOf(r.Rate+0.5))
	}
	return s
}

func loadTable(name, title string, records []bench.Record) table {
	t := table{Name: name, Title: title, Columns: []column{
		{"server", "Server", false}, {"connections", "Connections", true}, {"rows_per_request", "Rows", true}, {"rate", "Due per second", true},
		{"requests_per_s", "Requests per second", true}, {"rows_per_s", "Rows per second", true},
		{"p50_ms", "50 % (ms)", true}, {"p95_ms", "95 % (ms)", true}, {"p99_ms", "99 % (ms)", true}, {"errors", "Errors", false}}}
	for _, r := range records {
		due, failed := none, cell{Text: "none", Value: strconv.FormatInt(r.Errors, 10)}
		if r.Rate > 0 {
			due = measured(r.Rate, groupOf(r.Rate+0.5))
		}
		if r.Errors > 0 {
			failed.Text = fmt.Sprintf("%s of %s: %s", bench.Group(int(r.Errors)), bench.Group(int(r.Requests)), r.FirstError)
		}
		perSecond := r.PerSecond * float64(r.BatchRows)
		t.Rows = append(t.Rows, []cell{words(r.Engine), count(r.Connections), count(r.BatchRows), due,
			measured(r.PerSecond, groupOf(r.PerSecond+0.5)), measured(perSecond, groupOf(perSecond+0.5)),
			millis(r.P50), millis(r.P95), millis(r.P99), failed})
	}
	return t
}

// partNames are what parts of a request's time are called, in the order in which they
// come; bench.Part says what they hold.
var partNames = []struct{ name, title string }{
	{"parse", "parsing"}, {"rank", "ranking features"}, {"score", "scoring"}, {"encode", "encoding"}, {"network", "network and client"},
}

func partName(name string) string {
	if i := placeOf(name); i < len(partNames) {
		return partNames[i].title
	}
	return name
}

// placeOf returns where a part comes; others come last.
func placeOf(name string) int {
	for i, p := range partNames {
		if p.name == name {
			return i
		}
	}
	return len(partNames)
}

// partsOf returns the names of all parts.
func (s *subject) partsOf() []string {
	var names []string
	for _, r := range s.loads {
		for _, p := range r.Parts {
			if !slices.Contains(names, p.Name) {
				names = append(names, p.Name)
			}
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return placeOf(a) - placeOf(b) })
	return names
}

func (s *subject) partTable() table {
	t := table{Name: "parts", Title: "Where the time of a request goes, on average", Columns: []column{
		{"server", "Server", false}, {"connections", "Connections", true}, {"rows_per_request", "Rows", true}, {"rate", "Due per second", true}}}
	names := s.partsOf()
	for _, n := range names {
		t.Columns = append(t.Columns, column{n + "_ms", strings.ToUpper(partName(n)[:1]) + partName(n)[1:], true})
	}
	for _, r := range s.loads {
		if len(r.Parts) == 0 {
			continue
		}
		due := none
		if r.Rate > 0 {
			due = measured(r.Rate, groupOf(r.Rate+0.5))
		}
		row := []cell{words(r.Engine), count(r.Connections), count(r.BatchRows), due}
		for _, n := range names {
			c := none
			for _, p := range r.Parts {
				if p.Name == n {
					c = measured(p.Mean, milliseconds(p.Mean))
				}
			}
			row = append(row, c)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// partFigure stacks the parts of each way in which the server was driven. Rows of a
// request differ in size, so that each plot has an axis of its own.
func (s *subject) partFigure(id string) figure {
	f := figure{ID: id, Title: "Where the time of a request goes",
		Text: "Means over all requests, from sending a request to its checked answer: the server's own counts, and what remains. Ranking is told from scoring by its share as measured without a server. Client and server share the machine, so that waiting for a processor is in each part."}
	names := s.partsOf()
	for i, n := range names {
		f.Key = append(f.Key, mark{Name: partName(n), ink: colour(i), glyph: draw.BoxGlyph{}})
	}
	done := make([]bool, len(s.loads))
	for i, first := range s.loads {
		var together []bench.Record
		for j, r := range s.loads {
			if !done[j] && len(r.Parts) > 0 && way(r) == way(first) {
				done[j] = true
				together = append(together, r)
			}
		}
		if len(together) > 0 {
			f.Plots = append(f.Plots, stacked(fmt.Sprintf("%s-%d", id, len(f.Plots)+1), way(s.loads[i]), names, together))
		}
	}
	return f
}

func stacked(id, title string, names []string, records []bench.Record) chart {
	p := newPlot("mean time of a request", "")
	n := len(records)
	engines := make([]string, n)
	for i, r := range records {
		engines[n-1-i] = shortened(protocolName(r.Engine))
	}
	nominal(p, engines)
	var below *plotter.BarChart
	var tips []string
	for k, name := range names {
		values := make(plotter.Values, n)
		for i, r := range records {
			for _, part := range r.Parts {
				if part.Name == name {
					values[n-1-i] = part.Mean
					tips = append(tips, fmt.Sprintf("%s, %s: %s", protocolName(r.Engine), partName(name), milliseconds(part.Mean)))
				}
			}
		}
		bars := must(plotter.NewBarChart(values, 14))
		bars.Horizontal, bars.Color, bars.LineStyle.Width = true, colour(k), 0
		if below != nil {
			bars.StackOn(below)
		}
		below = bars
		p.Add(bars)
	}
	p.X.Min, p.X.Max, p.X.Tick.Marker = 0, max(p.X.Max, 1e-6), linearTicks{spaceX.without(engines, nil), milliseconds}
	return drawn(p, plotWidth, float64(marginY+rowHeight*n), id, title, "Mean times: "+strings.Join(tips, "; ")+".")
}
