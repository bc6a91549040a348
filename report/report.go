// Package report shows what was measured: one page, or a Markdown or CSV file, of the
// records of benchmarks and searches. It measures nothing, and what no record says is
// not in it.
//
// Records become subjects (records.go), subjects become sections of tables and figures,
// and these are written in each format, so that all have the same numbers. The figures
// are drawn by gonum/plot on a canvas of our own.
package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hew/bench"
)

// A Report is records, made ready to be written.
type Report struct {
	Title string
	Text  string // where its numbers come from
	Parts []part
	Older string // what was left out; "" if nothing was
}

// A part is about one subject.
type part struct {
	ID, Title string
	Sections  []section
}

// A section has tables, and figures that show some of their numbers.
type section struct {
	ID, Title string
	Text      []string
	Figures   []figure
	Tables    []table
}

// A table has a name by which its lines are known in a CSV file.
type table struct {
	Name, Title string
	Columns     []column
	Rows        [][]cell
	Aside       bool // of many rows few look at: a page hides them until they are asked for
}

// A column has a title for people and a key, with the unit, for machines.
type column struct {
	Key, Title string
	Number     bool // aligned right
}

// A cell is a value as people read it and as machines do.
type cell struct {
	Text, Value string
	Pieces      []string // of the text, between which alone a line may end; nil: it may as usual
}

// New returns the report of records.
func New(r *Records) *Report {
	subjects := r.subjects()
	rep := &Report{Title: "hew report", Text: origin(r)}
	older := 0
	for i, s := range subjects {
		rep.Parts = append(rep.Parts, s.part(fmt.Sprintf("m%d", i+1), len(subjects) > 1))
		older += s.older
	}
	if older > 0 {
		rep.Older = fmt.Sprintf("%s older %s, which newer ones of the same measurement replace, %s left out.",
			bench.Group(older), plural(older, "record"), map[bool]string{true: "is", false: "are"}[older == 1])
	}
	return rep
}

// origin says where the numbers come from.
func origin(r *Records) string {
	n := len(r.bench) + len(r.tune)
	return fmt.Sprintf("Made by hew report from %s %s of hew bench and hew tune. Nothing was measured for it.", bench.Group(n), plural(n, "record"))
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// part returns the sections that there are records for.
func (s *subject) part(id string, several bool) part {
	p := part{ID: id, Title: s.model}
	if several {
		p.Title += ", " + s.cpu
		if s.sha256 != "" {
			p.Title += fmt.Sprintf(", sha256 %.8s", s.sha256)
		}
	}
	for _, make := range []func(string) *section{s.card, s.passes, s.tradeoff, s.engines, s.latency, s.serving, s.machine} {
		if sec := make(id); sec != nil {
			sec.ID = id + "-" + sec.ID
			for i := range sec.Tables {
				sec.Tables[i].dropEmpty()
			}
			p.Sections = append(p.Sections, *sec)
		}
	}
	return p
}

// dropEmpty removes the columns in which there is no value.
func (t *table) dropEmpty() {
	for i := len(t.Columns) - 1; i >= 0; i-- {
		if slices.ContainsFunc(t.Rows, func(row []cell) bool { return row[i].Text != none.Text }) {
			continue
		}
		t.Columns = slices.Delete(t.Columns, i, i+1)
		for k := range t.Rows {
			t.Rows[k] = slices.Delete(t.Rows[k], i, i+1)
		}
	}
}

// Cells of tables.

func words(s string) cell { return cell{Text: s, Value: s} }

// settings is a cell whose lines end behind commas and spaces alone, and not at hyphens.
func settings(s string) cell {
	c := words(s)
	for at := 0; at < len(s); {
		end := strings.IndexAny(s[at:], ", ") + 1
		if end == 0 {
			end = len(s) - at
		}
		c.Pieces = append(c.Pieces, s[at:at+end])
		at += end
	}
	return c
}

func count[N int | int64](n N) cell {
	return cell{Text: bench.Group(int(n)), Value: strconv.FormatInt(int64(n), 10)}
}

// measured is a number that is shown as text.
func measured(v float64, text string) cell {
	return cell{Text: text, Value: strconv.FormatFloat(v, 'g', -1, 64)}
}

// none is a value that there is not.
var none = cell{Text: "–"}

func nanos(ns float64) cell  { return measured(ns, bench.Nanos(ns)) }
func millis(ms float64) cell { return measured(ms, bench.Millis(ms)) }

// bytes is a size.
func bytes(n int64) cell {
	text := fmt.Sprintf("%d B", n)
	switch {
	case n >= 1e6:
		text = fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		text = fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return cell{Text: text, Value: strconv.FormatInt(n, 10)}
}

// largest is the largest of some numbers, one per output, each of which bounds another
// margin.
func largest(v []float64) cell {
	if len(v) == 0 {
		return none
	}
	_, high := limits(v)
	return measured(high, digits(high, 3))
}

// id makes a text fit for an identifier.
func slug(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, s)
}

func joined(s []string) string { return strings.Join(s, "; ") }
