package tune

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"text/tabwriter"

	"hew/bench"
	"hew/compile"
)

// Table writes the front as text: the unpruned model, and what is on the front by
// ascending loss. The chosen candidate has a star. Of a search that was interrupted,
// its own front is shown.
func Table(w io.Writer, records []Record) error {
	if len(records) == 0 {
		return nil
	}
	base := &records[0]
	shown := []*Record{base}
	for i := range records[1:] {
		if r := &records[i+1]; r.Front || r.Chosen {
			shown = append(shown, r)
		}
	}
	slices.SortStableFunc(shown[1:], func(a, b *Record) int { return cmp.Compare(a.judged().Increase, b.judged().Increase) })
	j := base.judged()
	if _, err := fmt.Fprintf(w, "%s, %s on %s rows; loss against the unpruned model, with its 95%% interval\n", base.Model, j.Metric, bench.Group(j.Rows)); err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, " \t%s\tloss\t\ttrees\tnodes\tbytes", j.Metric)
	if base.Speed != nil {
		fmt.Fprintf(t, "\tns/row\tns/row by %s", bench.Group(base.Speed.Batch))
	}
	if base.Binary > 0 {
		fmt.Fprint(t, "\tbinary")
	}
	fmt.Fprintln(t, "\tmargins\tcertified\tsettings")
	for _, r := range shown {
		fmt.Fprintln(t, tableLine(r, base))
	}
	return t.Flush()
}

// tableLine shows a record: what has a fixed width first, the settings last.
func tableLine(r, base *Record) string {
	star, loss, interval := " ", "–", "–"
	if r.Chosen {
		star = "*"
	}
	if r != base {
		loss, interval = percent(r.judged().Increase), r.judged().interval()
	}
	line := fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%s", star, strconv.FormatFloat(r.judged().Value, 'g', 6, 64),
		loss, interval, bench.Group(r.Trees), bench.Group(r.Nodes), compile.FormatBytes(r.Bytes))
	if base.Speed != nil {
		line += "\t" + r.Speed.text(base.Speed)
	}
	if base.Binary > 0 {
		line += "\t" + compile.FormatBytes(r.Binary)
	}
	return line + fmt.Sprintf("\t%s\t%s\t%s", largest(r.MarginChange), largest(r.Certified), r.Settings())
}

// interval shows the interval of the increase, and says if it shows nothing else.
func (j *Judgement) interval() string {
	text := percent(j.Low) + " to " + percent(j.High)
	if j.Noise() {
		text += ", noise"
	}
	return text
}

// largest shows the largest of several distances.
func largest(distances []float64) string {
	if len(distances) == 0 {
		return "–"
	}
	if d := slices.Max(distances); d < math.MaxFloat64 {
		return strconv.FormatFloat(d, 'g', 3, 64)
	}
	return "∞"
}

// text shows both times and how much shorter than the unpruned model's they are.
func (s *Speed) text(base *Speed) string {
	switch s {
	case nil:
		return "–\t–"
	case base:
		return bench.Nanos(s.NsSingle) + "\t" + bench.Nanos(s.NsBatch)
	}
	return faster(base.single(), s.single()) + "\t" + faster(base.batch(), s.batch())
}

// faster shows a time and its ratio to another, unless they count as one.
func faster(before, after span) string {
	if !after.below(before) && !before.below(after) {
		return bench.Nanos(after.median) + " (same)"
	}
	return fmt.Sprintf("%s (%s)", bench.Nanos(after.median), bench.Times(before.median/after.median))
}
