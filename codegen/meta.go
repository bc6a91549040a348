package codegen

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dave/jennifer/jen"

	"hew/ir"
)

// metaFiles returns meta.go: what is known about the model, as plain data.
func (p *printer) metaFiles() ([]File, error) {
	f := p.newFile()
	f.Add(code(p.metaText())).Line()
	f.Comment("// Meta describes the model.")
	// var Meta = Metadata{
	// 	File: "churn.ubj",
	// 	…
	// }
	f.Var().Id("Meta").Op("=").Id("Metadata").CustomFunc(jen.Options{Open: "{", Close: "}", Separator: ",", Multi: true}, p.metaFields)
	file, err := render("meta.go", f)
	return []File{file}, err
}

const metaText = `// A Metadata describes a model and where it comes from.
type Metadata struct {
	File string // base name of the model file
	SHA256 string // of the model file, in hex
	Format string // as in "xgboost 3.2.0 ubjson"
	Objective string // the trainer's name for it
	Task string // regression, classification or ranking
	Strategy string // how the code evaluates the model
	Exact bool // whether only exact passes ran
	Passes []string
	Hew string // version of hew that made the package
	Features []Feature // NumFeatures, in column order
	Classes []string // labels, if the model names them
%s}

// A Feature is a column of a row.
type Feature struct {
	Name string
	Type string // float, int, bool or categorical
	Categories []string // texts by code, if the model has them
%s}
`

const answerMetaText = `
// An Answer is an output of the model by its name.
type Answer struct {
	Name string // proba, decision, label and so on
	Width int // values for a row
	Labels []Labels // of classes, which the values are indices into
}

// Labels are the names of classes.
type Labels struct {
	Texts []string
	Type string // text, int, float or bool
}
`

const refusesText = `	Refuses string // values for which the trainer reports an error: missing, infinite, too large
	Accepts []float64 // the only numbers that the trainer takes, if there are such
	Open bool // whether a text that is none of Categories is allowed, as code -1
`

// metaText prints the types of Meta; only models with answers, or that take only some
// values, have the parts about these.
func (p *printer) metaText() string {
	answers, types, refuses := "", "", ""
	if len(p.e.Answers) > 0 {
		answers, types = "	Answers []Answer // the first one is what Predict gives\n", answerMetaText
	}
	if p.restricted() {
		refuses = refusesText
	}
	return fmt.Sprintf(metaText, answers, refuses) + types
}

// restricted reports whether there is something to say about the values that
// features may have.
func (p *printer) restricted() bool {
	return slices.ContainsFunc(p.e.Features, func(f ir.Feature) bool {
		return f.Refuses&^ir.NoCode != 0 || len(f.Accepts) > 0 || f.Open
	})
}

// refusalNote says in the package's documentation which values the trainer refuses.
func (p *printer) refusalNote() string {
	var all ir.Refusal
	accepts := false
	for i := range p.e.Features {
		all |= p.e.Features[i].Refuses
		accepts = accepts || len(p.e.Features[i].Accepts) > 0
	}
	what := refused(all)
	if accepts {
		what = append(what, "unknown")
	}
	if len(what) == 0 {
		return ""
	}
	list := what[0]
	if n := len(what) - 1; n > 0 {
		list = strings.Join(what[:n], ", ") + " and " + what[n]
	}
	return fmt.Sprintf("// For %s values the trainer reports an error;\n// Meta tells of which features. What these functions say about them means nothing.", list)
}

// refused returns the words for what r holds. That a feature of categories has their
// codes only goes without saying.
func refused(r ir.Refusal) []string {
	var words []string
	for _, kind := range []struct {
		flag ir.Refusal
		word string
	}{{ir.Missing, "missing"}, {ir.Infinite, "infinite"}, {ir.TooLarge, "too large"}} {
		if r&kind.flag != 0 {
			words = append(words, kind.word)
		}
	}
	return words
}

// metaAnswers prints Meta.Answers.
func (p *printer) metaAnswers() string {
	var b strings.Builder
	b.WriteString("[]Answer{\n")
	for _, a := range p.e.Answers {
		fmt.Fprintf(&b, "{Name: %s, Width: %d", quote(a.Name), p.e.VectorWidth(a.Vector))
		if a.Labels != nil {
			b.WriteString(", Labels: []Labels{")
			for _, l := range a.Labels {
				fmt.Fprintf(&b, "{%s, %s}, ", quoteAll(l.Texts), quote(l.Type.String()))
			}
			b.WriteString("}")
		}
		b.WriteString("},\n")
	}
	return b.String() + "}"
}

// metaRefusals prints the fields of a feature that tell what the trainer refuses.
func metaRefusals(f *ir.Feature) string {
	words := refused(f.Refuses)
	text := ""
	if len(words) > 0 {
		text += ", Refuses: " + quote(strings.Join(words, ", "))
	}
	if len(f.Accepts) > 0 {
		var numbers []string
		for _, v := range f.Accepts {
			numbers = append(numbers, number64(v))
		}
		text += ", Accepts: []float64{" + strings.Join(numbers, ", ") + "}"
	}
	if f.Open {
		text += ", Open: true"
	}
	return text
}

func (p *printer) metaFields(g *jen.Group) {
	s := &p.e.Source
	field := func(name, value string) { g.Id(name).Op(": " + value) }
	field("File", quote(s.File))
	field("SHA256", quote(s.SHA256))
	field("Format", quote(strings.Join(strings.Fields(s.Trainer+" "+s.Version+" "+s.Container), " ")))
	field("Objective", quote(s.Objective))
	field("Task", quote(p.e.Task.String()))
	field("Strategy", quote(p.strategy))
	field("Exact", strconv.FormatBool(p.o.Exact))
	field("Passes", quoteAll(p.o.Passes))
	field("Hew", quote(p.o.Version))
	field("Features", p.metaFeatures())
	field("Classes", quoteAll(p.e.Classes))
	if len(p.e.Answers) > 0 {
		field("Answers", p.metaAnswers())
	}
}

func (p *printer) metaFeatures() string {
	var b strings.Builder
	b.WriteString("[]Feature{\n")
	for _, f := range p.e.Features {
		b.WriteString("{Name: " + quote(f.Name) + ", Type: " + quote(f.Type.String()))
		if f.Type == ir.Categorical && f.Categories != nil {
			b.WriteString(", Categories: " + quoteAll(f.Categories))
		}
		b.WriteString(metaRefusals(&f))
		b.WriteString("},\n")
	}
	b.WriteString("}")
	return b.String()
}

// quote returns text as a Go literal; jennifer's would be the same but for one
// value of ours inside another.
func quote(text string) string { return strconv.Quote(text) }

func quoteAll(texts []string) string {
	if texts == nil {
		return "nil"
	}
	var b strings.Builder
	b.WriteString("[]string{")
	for i, t := range texts {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(t))
	}
	b.WriteString("}")
	return b.String()
}
