package inspect

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// maxListed is the number of features that Print lists; a wide model has its
// most split features listed in JSON.
const maxListed = 40

// Print writes m for a person.
func (m *Model) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	m.printFacts(func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) })
	m.printFeatures(t)
	return t.Flush()
}

// printFacts calls row for each line about the model as a whole.
func (m *Model) printFacts(row func(name, format string, args ...any)) {
	row("model", "%s (%s)", cmp.Or(m.File, "standard input"), m.Format)
	row("sha256", "%s", m.SHA256)
	if len(m.Answers) == 0 {
		row("objective", "%s, %s, link %s", m.Objective, m.Task, m.Link)
	} else {
		row("objective", "%s, %s", m.Objective, m.Task)
	}
	if m.Input != "float32" || m.Output != "float32" {
		row("types", "features are compared in %s, sums are %s", m.Input, m.Output)
	}
	row("outputs", "%d, base margin %s", m.Outputs, shortList(m.BaseMargin))
	if len(m.Changes) > 0 {
		row("changed", "by %s: margins are within %.3g of the trainer's on every row", strings.Join(m.Changes, ", "), slices.Max(m.Bound))
	}
	if len(m.Classes) > 0 {
		row("classes", "%s", shortList(m.Classes))
	}
	m.printPipeline(row)
	if m.Trees > 0 || m.Booster != "gblinear" && len(m.Answers) == 0 {
		row("trees", "%d in %d rounds%s, depth <= %d", m.Trees, m.Rounds, m.bestText(), m.Depth)
		row("nodes", "%d, %d leaves%s", m.Nodes, m.Leaves, vectorText(m.VectorLeaves))
		row("splits", "%d, %d of them categorical", m.MissingLeft+m.MissingRight, m.Sets)
		row("missing", "left in %d splits, right in %d", m.MissingLeft, m.MissingRight)
	} else {
		row("booster", "%s", m.Booster)
	}
	row("features", "%d, %d used", m.NumFeatures, m.UsedFeatures)
	for _, p := range m.Plan {
		row("plan", "%s", p)
	}
	for _, s := range m.Warnings {
		row("warning", "%s", s)
	}
}

// printPipeline tells what happens before the trees and after them.
func (m *Model) printPipeline(row func(name, format string, args ...any)) {
	if p := m.Pipeline; p != nil {
		row("pipeline", "%d columns computed from features, %s", len(p.Columns), m.foldText())
		printSome(row, "column", p.Stay)
	}
	printSome(row, "stage", m.Stages)
	for _, a := range m.Answers {
		row("answer", "%s, %d per row%s", a.Name, a.Width, labelText(a.Labels))
	}
}

func printSome(row func(name, format string, args ...any), name string, lines []string) {
	const most = 12
	for _, s := range lines[:min(len(lines), most)] {
		row(name, "%s", shortLine(s))
	}
	if n := len(lines) - most; n > 0 {
		row(name, "… and %d more (--json lists all)", n)
	}
}

// shortLine cuts what does not fit on two lines of a terminal.
func shortLine(s string) string {
	const most = 150
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func (m *Model) foldText() string {
	p := m.Pipeline
	tests := fmt.Sprintf("%d thresholds of columns become %d of features, %d splits become sets", p.Before.Thresholds, p.After.Thresholds, p.After.Sets-p.Before.Sets)
	switch {
	case m.Trees == 0:
		return "for each row"
	case len(p.Stay) > 0:
		return fmt.Sprintf("%d of them for each row, the others folded: %s", len(p.Stay), tests)
	}
	return "all folded: " + tests
}

// labelText returns the classes of a label.
func labelText(labels []Labels) string {
	var b strings.Builder
	for i, l := range labels {
		if i > 0 {
			b.WriteByte(';')
		}
		fmt.Fprintf(&b, " of %s: %s", l.Type, shortList(l.Texts))
	}
	return b.String()
}

// printFeatures writes the table of features.
func (m *Model) printFeatures(w io.Writer) {
	choosy := slices.ContainsFunc(m.Features, func(f Feature) bool { return f.refusalText() != "" })
	last := ""
	if choosy {
		last = "\trefuses"
	}
	fmt.Fprintf(w, "\nfeature\ttype\tsplits\tthresholds\tcategories%s\n", last)
	for _, f := range m.Features[:min(len(m.Features), maxListed)] {
		if choosy {
			last = "\t" + f.refusalText()
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s%s\n", f.Name, f.Type, f.Splits, f.Thresholds, f.categoryText(), last)
	}
	if n := len(m.Features) - maxListed; n > 0 {
		fmt.Fprintf(w, "… and %d more (--json lists all)\n", n)
	}
}

func (f *Feature) categoryText() string {
	text := shortList(f.Categories)
	switch {
	case !f.Open:
		return text
	case text == "":
		return "anything: the pipeline drops it"
	}
	return text + ", or others"
}

func (f *Feature) refusalText() string {
	text := strings.Join(f.Refuses, ", ")
	if len(f.Accepts) == 0 {
		return text
	}
	if text != "" {
		text += ", "
	}
	return text + "all but " + shortList(f.Accepts)
}

func (m *Model) bestText() string {
	if m.BestRound == nil {
		return ""
	}
	return fmt.Sprintf(" (best: %d)", *m.BestRound)
}

func vectorText(vector bool) string {
	if vector {
		return " (vectors)"
	}
	return ""
}

// shortList returns the first items of s, separated by commas.
func shortList[T any](s []T) string {
	const most = 8
	var b strings.Builder
	for i, v := range s {
		if i == most {
			fmt.Fprintf(&b, ", … (%d)", len(s))
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprint(&b, v)
	}
	return b.String()
}
