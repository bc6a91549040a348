package compile

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unsafe"

	"hew/ir"
	"hew/predict"
	"hew/quantize"
)

// A Report tells what passes did to an ensemble and what came out.
type Report struct {
	Steps         []Step // one per pass, in order
	Before, After Size
	Exact         bool      // whether all passes are exact
	Bound         []float64 // of each output: how far a margin may be from that before lossy passes; nil without
	Moved         []float64 // of each output: how far some margin is on Settings.Rows; nil without
	Strategy      string    // that printed the package; empty if none was made
	BranchRows    int       // up to how many rows a call of the package runs branch code, MaxInt if all do
	Source        Source    // the package; zero if none was made

	rows    []float64      // of Settings
	margins predict.Values // on these rows, of the ensemble as it is by now
	merged  bool           // whether a pass merged leaves, so that their numbers are those of the ensemble before
	before  *ir.Ensemble   // what that pass was given; nil for an ensemble without columns
}

// unmerged returns an ensemble that knows the leaf numbers of e, to which the passes
// were applied: one whose columns are folded, too, if it had some.
func (r *Report) unmerged(e *ir.Ensemble) *ir.Ensemble {
	if r.before != nil {
		return r.before
	}
	return e
}

// A Step is what one pass did.
type Step struct {
	Pass          string
	Doc           string          // what the pass does
	Exact         bool            // margins and predictions kept their bits
	Bound         []float64       // as in Report, of a lossy pass
	Moved         []float64       // as in Report, of a lossy pass
	Flips         *quantize.Flips // what moved thresholds do to Settings.Rows; nil without
	Before, After Size
	Time          time.Duration // of the pass alone
}

// A Size counts what an ensemble holds; what trees share counts once.
type Size struct {
	Trees, Nodes, Leaves int
	Bytes                int64 // of nodes, leaf vectors and sets in memory
}

// A Source is the size of a generated package and what it costs to compile.
type Source struct {
	Files         int
	Bytes         int64
	CompileMemory int64 // estimated peak of the Go compiler, in bytes
}

// Passes returns the names of the passes that ran, in order.
func (r *Report) Passes() []string {
	names := make([]string, len(r.Steps))
	for i, s := range r.Steps {
		names[i] = s.Pass
	}
	return names
}

// SizeOf counts what e holds.
func SizeOf(e *ir.Ensemble) Size {
	s, floats := Size{Trees: len(e.Trees)}, 0
	seen := make(map[*ir.Node]bool, len(e.Trees)) // by their first nodes
	for i := range e.Trees {
		t := &e.Trees[i]
		first := unsafe.SliceData(t.Nodes)
		if seen[first] {
			continue
		}
		seen[first] = true
		s.Nodes += len(t.Nodes)
		s.Leaves += t.NumLeaves()
		floats += len(t.Vectors)
	}
	for _, set := range e.Sets {
		floats += len(set)
	}
	s.Bytes = int64(s.Nodes)*int64(unsafe.Sizeof(ir.Node{})) + 8*int64(floats)
	return s
}

// Print writes r as a few aligned lines.
func (r *Report) Print(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "pass\ttrees\tnodes\tleaves\tbytes\tbits\ttime")
	var total time.Duration
	for _, s := range r.Steps {
		printStep(tw, s)
		total += s.Time
	}
	printStep(tw, Step{Pass: "total", Exact: r.Exact, Bound: r.Bound, Moved: r.Moved, Before: r.Before, After: r.After, Time: total})
	if err := tw.Flush(); err != nil {
		return err
	}
	if len(r.Bound) > 1 {
		fmt.Fprintf(w, "certified: the margins of outputs 0 to %d move by at most %s\n", len(r.Bound)-1, shortly(r.Bound))
	}
	for _, s := range r.Steps {
		if f := s.Flips; f != nil {
			fmt.Fprintf(w, "%s: of the rows, %d of %d decisions flip and %d of %d leaves become others, in %d of %d rows\n",
				s.Pass, f.Flipped, f.Decisions, f.Moved, f.Leaves, f.Touched, f.Rows)
		}
	}
	if r.Source.Files == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "%s: %d files, %s; compiling them takes about %s of memory\n",
		r.Strategy, r.Source.Files, FormatBytes(r.Source.Bytes), FormatBytes(r.Source.CompileMemory))
	return err
}

// shortly lists numbers with two digits each.
func shortly(values []float64) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = fmt.Sprintf("%.2g", v)
	}
	return strings.Join(texts, ", ")
}

// String returns what Print writes.
func (r *Report) String() string {
	var b strings.Builder
	r.Print(&b) // a Builder does not fail
	return b.String()
}

func printStep(w io.Writer, s Step) {
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%v\n", s.Pass,
		change(s.Before.Trees, s.After.Trees), change(s.Before.Nodes, s.After.Nodes),
		change(s.Before.Leaves, s.After.Leaves),
		changeText(FormatBytes(s.Before.Bytes), FormatBytes(s.After.Bytes)), bitsText(s),
		s.Time.Round(time.Microsecond))
}

// bitsText says what a step does to margins.
func bitsText(s Step) string {
	if s.Bound == nil {
		return kind(s.Exact)
	}
	text := fmt.Sprintf("margin ±%.2g", slices.Max(s.Bound))
	if s.Moved != nil {
		text += fmt.Sprintf(", on rows %.2g", slices.Max(s.Moved))
	}
	return text
}

func change(before, after int) string {
	return changeText(fmt.Sprint(before), fmt.Sprint(after))
}

func changeText(before, after string) string {
	if before == after {
		return before
	}
	return before + " → " + after
}

// FormatBytes returns n in a unit of powers of ten, with three digits.
func FormatBytes(n int64) string {
	units := []string{"kB", "MB", "GB"}
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	v := float64(n) / 1000
	for v >= 999.5 && len(units) > 1 {
		v /= 1000
		units = units[1:]
	}
	return fmt.Sprintf("%.3g %s", v, units[0])
}
