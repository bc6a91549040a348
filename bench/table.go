package bench

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Table writes records as text: for each model a table of engines with their
// speedups, the cost of compiling, and a table of servers.
//
// An engine of ours whose bits differ from the reference has no speedup.
func Table(w io.Writer, records []Record) error {
	b := bufio.NewWriter(w)
	var models []string
	for _, r := range records {
		if !slices.Contains(models, r.Model) {
			models = append(models, r.Model)
		}
	}
	for i, model := range models {
		if i > 0 {
			fmt.Fprintln(b)
		}
		ofModel := slices.DeleteFunc(slices.Clone(records), func(r Record) bool { return r.Model != model })
		fmt.Fprintf(b, "%s, %s\n", model, ofModel[0].CPU)
		engineTable(b, ofModel)
		buildLines(b, ofModel)
		loadTable(b, ofModel)
	}
	return b.Flush()
}

func engineTable(b *bufio.Writer, records []Record) {
	records = slices.DeleteFunc(slices.Clone(records), func(r Record) bool { return r.Timing == nil })
	if len(records) == 0 {
		return
	}
	baselines := Baselines(records)
	head := []string{"engine", "batch", "threads", "ns/row", "min–max"}
	for _, b := range baselines {
		head = append(head, "vs "+b.Name)
	}
	g := grid{append(head, "bits")}
	for i, r := range records {
		if i > 0 && (r.Batch != records[i-1].Batch || r.Threads != records[i-1].Threads) {
			g = append(g, nil)
		}
		line := []string{r.Engine, Group(r.Batch), Group(r.Threads), Nanos(r.NsPerRow), Nanos(r.NsMin) + "–" + Nanos(r.NsMax)}
		for _, b := range baselines {
			line = append(line, Times(b.Speedup(records, r)))
		}
		g = append(g, append(line, Verdict(r)))
	}
	fmt.Fprintln(b)
	g.write(b)
}

// A Baseline is what engines are compared with: the fastest of some engines that
// are called alike.
type Baseline struct {
	Name    string
	engines []string
}

// Baselines returns the first foreign engine, the fastest of them if there are
// several, and the reference.
func Baselines(records []Record) []Baseline {
	var foreign, reference []string
	for _, r := range records {
		switch {
		case r.Foreign && !slices.Contains(foreign, r.Engine):
			foreign = append(foreign, r.Engine)
		case r.Engine == r.Reference && !slices.Contains(reference, r.Engine):
			reference = append(reference, r.Engine)
		}
	}
	var b []Baseline
	if len(foreign) > 0 {
		b = append(b, Baseline{foreign[0], foreign[:1]})
	}
	if len(foreign) > 1 {
		b = append(b, Baseline{"best peer", foreign})
	}
	for _, name := range reference {
		b = append(b, Baseline{name, []string{name}})
	}
	return b
}

// Speedup returns how much faster r is than the baseline with the same batch and
// threads among the records: NaN if there is none, or if r is an engine of ours
// whose bits differ from the reference.
func (b *Baseline) Speedup(records []Record, r Record) float64 {
	if !r.Foreign && !r.BitEqual {
		return math.NaN()
	}
	fastest := math.NaN()
	for _, o := range records {
		if slices.Contains(b.engines, o.Engine) && o.Batch == r.Batch && o.Threads == r.Threads && !(o.NsPerRow > fastest) {
			fastest = o.NsPerRow
		}
	}
	return fastest / r.NsPerRow
}

// Verdict says how the outputs of r compare with the reference's.
func Verdict(r Record) string {
	switch {
	case r.Engine == r.Reference:
		return "reference"
	case r.BitEqual:
		return "equal"
	case r.Foreign:
		return fmt.Sprintf("foreign, max diff %.2g", r.MaxDiff)
	default:
		return fmt.Sprintf("DIFFERS in %s of %s rows, max diff %.2g", Group(r.DifferRows), Group(r.Rows), r.MaxDiff)
	}
}

func buildLines(b *bufio.Writer, records []Record) {
	var seen []string
	for _, r := range records {
		if r.Build == nil || slices.Contains(seen, r.Engine) {
			continue
		}
		seen = append(seen, r.Engine)
		fmt.Fprintf(b, "\n%s: compiled in %.1f s with at most %s of memory, program of %s\n",
			r.Engine, r.Seconds, Megabytes(r.PeakBytes), Megabytes(r.ArtifactBytes))
	}
}

func loadTable(b *bufio.Writer, records []Record) {
	g := grid{{"server", "connections", "rows/request", "due/s", "requests/s", "p50 ms", "p95 ms", "p99 ms", "errors"}}
	for _, r := range records {
		if r.Load == nil {
			continue
		}
		due := "–"
		if r.Rate > 0 {
			due = Group(int(r.Rate + 0.5))
		}
		errors := "none"
		if r.Errors > 0 {
			errors = fmt.Sprintf("%s of %s: %s", Group(int(r.Errors)), Group(int(r.Requests)), r.FirstError)
		}
		g = append(g, []string{r.Engine, Group(r.Connections), Group(r.BatchRows), due, Group(int(r.PerSecond + 0.5)),
			Millis(r.P50), Millis(r.P95), Millis(r.P99), errors})
	}
	if len(g) > 1 {
		fmt.Fprintln(b)
		g.write(b)
	}
}

// A grid is lines of cells, the first of which is the head; some may be empty.
type grid [][]string

// write aligns the first and the last column left, the numbers between right.
func (g grid) write(b *bufio.Writer) {
	width := make([]int, len(g[0]))
	for _, line := range g {
		for i, cell := range line {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for _, line := range g {
		if line == nil {
			fmt.Fprintln(b)
		}
		for i, cell := range line {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			switch i {
			case 0:
				fmt.Fprintf(b, "%s%s", cell, pad)
			case len(line) - 1:
				fmt.Fprintf(b, "  %s\n", cell)
			default:
				fmt.Fprintf(b, "  %s%s", pad, cell)
			}
		}
	}
}
