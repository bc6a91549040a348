package report

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"hew/bench"
)

// Markdown writes the tables of the report, with the numbers as people read them.
func (r *Report) Markdown(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# %s\n\n%s\n", r.Title, plainText(r.Text))
	if r.Older != "" {
		fmt.Fprintf(b, "\n%s\n", r.Older)
	}
	for _, p := range r.Parts {
		fmt.Fprintf(b, "\n## %s\n", plainText(p.Title))
		for _, s := range p.Sections {
			fmt.Fprintf(b, "\n### %s\n", s.Title)
			for _, t := range s.Text {
				fmt.Fprintf(b, "\n%s\n", plainText(t))
			}
			for _, t := range s.Tables {
				t.markdown(b)
			}
		}
	}
	return b.Flush()
}

// markdown writes a table whose columns are aligned, so that it is readable as it is. Of
// one that the page folds away it says where it is.
func (t *table) markdown(b *bufio.Writer) {
	if t.Aside {
		fmt.Fprintf(b, "\n%s: %s. The page and the CSV file list them.\n", t.Title, bench.Group(len(t.Rows)))
		return
	}
	lines := [][]string{nil}
	for _, c := range t.Columns {
		lines[0] = append(lines[0], plainText(c.Title))
	}
	for _, row := range t.Rows {
		var line []string
		for _, c := range row {
			line = append(line, plainText(c.Text))
		}
		lines = append(lines, line)
	}
	width := make([]int, len(t.Columns))
	for _, line := range lines {
		for i, s := range line {
			width[i] = max(width[i], utf8.RuneCountInString(s))
		}
	}
	fmt.Fprintf(b, "\n%s:\n\n", t.Title)
	for n, line := range lines {
		for i, s := range line {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(s))
			if t.Columns[i].Number {
				s, pad = pad+s, ""
			}
			fmt.Fprintf(b, "| %s%s ", s, pad)
		}
		b.WriteString("|\n")
		if n > 0 {
			continue
		}
		for i, c := range t.Columns {
			rule := strings.Repeat("-", width[i]+2)
			if c.Number {
				rule = rule[1:] + ":"
			}
			b.WriteString("|" + rule)
		}
		b.WriteString("|\n")
	}
}

// plainText keeps text from being markup.
var plainTextOf = strings.NewReplacer("\\", "\\\\", "|", "\\|", "<", "&lt;", "*", "\\*", "`", "\\`", "[", "\\[", "\n", " ", "\r", " ")

func plainText(s string) string { return plainTextOf.Replace(s) }

// CSV writes the tables of the report as one: a line of each has the model and the
// name of its table, and the columns that other tables have are empty in it. Numbers
// are as exact as the records.
func (r *Report) CSV(w io.Writer) error {
	head := []string{"model", "table"}
	r.eachTable(func(_ part, t table) {
		for _, c := range t.Columns {
			if !slices.Contains(head, c.Key) {
				head = append(head, c.Key)
			}
		}
	})
	out := csv.NewWriter(w)
	out.Write(head) // Flush keeps the first error
	r.eachTable(func(p part, t table) {
		for _, row := range t.Rows {
			line := make([]string, len(head))
			line[0], line[1] = p.Title, t.Name
			for i, c := range t.Columns {
				line[slices.Index(head, c.Key)] = row[i].Value
			}
			out.Write(line)
		}
	})
	out.Flush()
	return out.Error()
}

func (r *Report) eachTable(f func(part, table)) {
	for _, p := range r.Parts {
		for _, s := range p.Sections {
			for _, t := range s.Tables {
				f(p, t)
			}
		}
	}
}
