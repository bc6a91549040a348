package report

import (
	_ "embed"
	"html/template"
	"io"
	"unicode/utf8"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

//go:embed plot.css
var plotStyle string

// Style returns the colours, and how plots look, which are trusted text.
func (*Report) Style() template.CSS { return template.CSS(plotStyle) }

// longText is how many letters a cell has that may be broken anywhere.
const longText = 40

// Class returns the class of a cell in a column; "" is none.
func (t table) Class(column int, c cell) string {
	switch {
	case t.Columns[column].Number:
		return "number"
	case c.Pieces != nil:
		return "settings"
	case utf8.RuneCountInString(c.Text) > longText:
		return "long"
	}
	return ""
}

// HTML writes the report as one page that needs nothing else.
func (r *Report) HTML(w io.Writer) error { return page.Execute(w, r) }
