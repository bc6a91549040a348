package bench

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
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
	baselines := baselines(records)
	head := []string{"engine", "batch", "threads", "ns/row", "min–max"}
	for _, b := range baselines {
		head = append(head, "vs "+b.name)
	}
	g := grid{append(head, "bits")}
	for i, r := range records {
		if i > 0 && (r.Batch != records[i-1].Batch || r.Threads != records[i-1].Threads) {
			g = append(g, nil)
		}
		line := []string{r.Engine, group(r.Batch), group(r.Threads), nanos(r.NsPerRow), nanos(r.NsMin) + "–" + nanos(r.NsMax)}
		for _, b := range baselines {
			line = append(line, speedup(records, b, r))
		}
		g = append(g, append(line, verdict(r)))
	}
	fmt.Fprintln(b)
	g.write(b)
}

// A baseline is what engines are compared with: the fastest of some engines that
// are called alike.
type baseline struct {
	name    string
	engines []string
}

// baselines returns the first foreign engine, the fastest of them if there are
// several, and the reference.
func baselines(records []Record) []baseline {
	var foreign, reference []string
	for _, r := range records {
		switch {
		case r.Foreign && !slices.Contains(foreign, r.Engine):
			foreign = append(foreign, r.Engine)
		case r.Engine == r.Reference && !slices.Contains(reference, r.Engine):
			reference = append(reference, r.Engine)
		}
	}
	var b []baseline
	if len(foreign) > 0 {
		b = append(b, baseline{foreign[0], foreign[:1]})
	}
	if len(foreign) > 1 {
		b = append(b, baseline{"best peer", foreign})
	}
	for _, name := range reference {
		b = append(b, baseline{name, []string{name}})
	}
	return b
}

// speedup returns how much faster r is than a baseline.
func speedup(records []Record, b baseline, r Record) string {
	if !r.Foreign && !r.BitEqual {
		return "–"
	}
	fastest := math.Inf(1)
	for _, o := range records {
		if slices.Contains(b.engines, o.Engine) && o.Batch == r.Batch && o.Threads == r.Threads {
			fastest = min(fastest, o.NsPerRow)
		}
	}
	if math.IsInf(fastest, 1) {
		return "–"
	}
	ratio := fastest / r.NsPerRow
	switch {
	case ratio >= 100:
		return fmt.Sprintf("%.0f×", ratio)
	case ratio >= 10:
		return fmt.Sprintf("%.1f×", ratio)
	case ratio >= 0.1:
		return fmt.Sprintf("%.2f×", ratio)
	default:
		return fmt.Sprintf("%.2g×", ratio)
	}
}

// verdict says how the outputs of r compare with the reference's.
func verdict(r Record) string {
	switch {
	case r.Engine == r.Reference:
		return "reference"
	case r.BitEqual:
		return "equal"
	case r.Foreign:
		return fmt.Sprintf("foreign, max diff %.2g", r.MaxDiff)
	default:
		return fmt.Sprintf("DIFFERS in %s of %s rows, max diff %.2g", group(r.DifferRows), group(r.Rows), r.MaxDiff)
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
			r.Engine, r.Seconds, megabytes(r.PeakBytes), megabytes(r.ArtifactBytes))
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
			due = group(int(r.Rate + 0.5))
		}
		errors := "none"
		if r.Errors > 0 {
			errors = fmt.Sprintf("%s of %s: %s", group(int(r.Errors)), group(int(r.Requests)), r.FirstError)
		}
		g = append(g, []string{r.Engine, group(r.Connections), group(r.BatchRows), due, group(int(r.PerSecond + 0.5)),
			millis(r.P50), millis(r.P95), millis(r.P99), errors})
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

func nanos(ns float64) string {
	if ns < 100 {
		return strconv.FormatFloat(ns, 'f', 1, 64)
	}
	return group(int(ns + 0.5))
}

func millis(ms float64) string {
	if ms < 10 {
		return strconv.FormatFloat(ms, 'f', 2, 64)
	}
	return strconv.FormatFloat(ms, 'f', 1, 64)
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// group returns n with commas between groups of three digits.
func group(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
