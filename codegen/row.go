package codegen

import (
	"fmt"
	"slices"
	"strings"

	"hew/ir"
)

// rowFields is the number of fields that one function copies to a vector.
const rowFields = 500

// maxFields is the number of features up to which there is a Row. Compiling its
// methods takes time that grows with the square of it, because the compiler looks
// a field up by going through all: 0.6 seconds for 5,000 fields, 1.9 for 10,000,
// and 300 for 100,000. Nobody types that many.
const maxFields = 5_000

// packageNames are the names that a package exports whatever the model, and those
// of its tests.
var packageNames = []string{
	"Predict", "Margin", "Leaf", "AnswerFrom", "Meta", "Metadata", "Feature", "Answer", "Labels", "Row", "Input", "Output",
	"NumFeatures", "NumOutputs", "NumMargins", "NumTrees",
	"TestGolden", "TestLeaf", "TestAnswers", "TestAnswerFrom", "TestEngines", "BenchmarkRow", "BenchmarkBatch",
}

// A field is a feature as a field of Row.
type field struct {
	name, kind string
	feature    *ir.Feature
	index      int
}

// rowFiles returns row.go: a row with named fields, and a type for each
// categorical feature whose categories the model names; none if there are too
// many features.
func (p *printer) rowFiles() ([]File, error) {
	if len(p.e.Features) > maxFields {
		return nil, nil
	}
	f := p.newFile()
	types := namer{}
	types.reserve(packageNames...)
	types.reserve(p.answerNames()...)
	names := namer{}
	names.reserve("Predict", "Vector")
	var fields []field
	var enums []string
	for j := range p.e.Features {
		ft := &p.e.Features[j]
		fd := field{name: names.exported(ft.Name, fmt.Sprintf("F%d", j)), kind: "Input", feature: ft, index: j}
		if ft.Type == ir.Categorical && len(ft.Categories) > 0 {
			fd.kind = types.exported(ft.Name, fmt.Sprintf("F%d", j))
			enums = append(enums, enumText(fd, types))
		}
		fields = append(fields, fd)
	}
	f.Add(code(p.rowText(fields)))
	if len(enums) > 0 {
		f.Line().Add(code(codesText))
	}
	if slices.ContainsFunc(fields, func(f field) bool { return f.kind != "Input" && f.feature.Open }) {
		f.Line().Add(code(openInputText))
	}
	for _, e := range enums {
		f.Line().Add(code(e))
	}
	file, err := render("row.go", f)
	return []File{file}, err
}

// rowText prints Row and its methods.
func (p *printer) rowText(fields []field) string {
	var b strings.Builder
	b.WriteString("// A Row is a row with a name for each feature. A missing number is NaN; a zero\n// Row has zeros, none missing.\ntype Row struct {\n")
	for _, f := range fields {
		fmt.Fprintf(&b, "%s %s // %s\n", f.name, f.kind, fieldNote(f))
	}
	b.WriteString("}\n\n" + p.rowPredictText())
	b.WriteString(vectorText(fields))
	return b.String()
}

func fieldNote(f field) string {
	note := fmt.Sprintf("%d: %s", f.index, atSign(comment(f.feature.Name)))
	if f.feature.Type == ir.Float || f.kind != "Input" {
		return note
	}
	return note + ", " + f.feature.Type.String()
}

// atSign keeps a name's @ from being read as an import; see code.
func atSign(text string) string { return strings.ReplaceAll(text, "@", "(at)") }

func (p *printer) rowPredictText() string {
	if p.e.Width() == 1 {
		return `// Predict returns the prediction for r.
func (r *Row) Predict() Output {
	var x [NumFeatures]Input
	var y [NumOutputs]Output
	r.Vector(&x)
	Predict(y[:], x[:])
	return y[0]
}
`
	}
	return `// Predict returns the predictions for r.
func (r *Row) Predict() (y [NumOutputs]Output) {
	var x [NumFeatures]Input
	r.Vector(&x)
	Predict(y[:], x[:])
	return y
}
`
}

// vectorText prints Vector, in several functions if there are many fields.
func vectorText(fields []field) string {
	var b strings.Builder
	b.WriteString("\n// Vector writes r to dst as Predict takes it.\nfunc (r *Row) Vector(dst *[NumFeatures]Input) {\n")
	if len(fields) <= rowFields {
		vectorLines(&b, fields)
		b.WriteString("}\n")
		return b.String()
	}
	for i := 0; i < len(fields); i += rowFields {
		fmt.Fprintf(&b, "r.vector%d(dst)\n", i/rowFields)
	}
	b.WriteString("}\n")
	for i := 0; i < len(fields); i += rowFields {
		fmt.Fprintf(&b, "\nfunc (r *Row) vector%d(dst *[NumFeatures]Input) {\n", i/rowFields)
		vectorLines(&b, fields[i:min(i+rowFields, len(fields))])
		b.WriteString("}\n")
	}
	return b.String()
}

func vectorLines(b *strings.Builder, fields []field) {
	for _, f := range fields {
		value := "r." + f.name
		if f.kind != "Input" {
			value += ".input()"
		}
		fmt.Fprintf(b, "dst[%d] = %s\n", f.index, value)
	}
}

// codesText serves the types of categorical features.
const codesText = `// codes returns a function from the categories of a feature to their codes. The
// map is made when it is first needed.
func codes[T ~int32](feature int) func() map[string]T {
	return @sync.OnceValue(func() map[string]T {
		categories := Meta.Features[feature].Categories
		m := make(map[string]T, len(categories))
		for i, c := range categories {
			if _, ok := m[c]; !ok {
				m[c] = T(i)
			}
		}
		return m
	})
}

// categoryText returns the text of a category.
func categoryText(feature int, code int32) string {
	if c := Meta.Features[feature].Categories; code >= 0 && int(code) < len(c) {
		return c[code]
	}
	return @fmt.Sprintf("category %d", code)
}

// codeInput returns a code as Predict takes it.
func codeInput(code int32) Input {
	if code == -1 {
		return Input(@math.NaN())
	}
	return Input(code)
}
`

// openInputText serves the features that take other texts than their categories.
const openInputText = `// openInput is codeInput for a feature that takes any text: code -1 stands for those
// that are no category, -2 for a missing value.
func openInput(code int32) Input {
	if code == -2 {
		return Input(@math.NaN())
	}
	return Input(code)
}
`

// enumText prints the type of a categorical feature. Codes below zero are no
// categories: -1 is a missing value; or, if the feature is open, any other text, and
// -2 a missing value.
func enumText(f field, types namer) string {
	parse := types.exported("Parse"+f.kind, "")
	missing := types.exported(f.kind+"Missing", "")
	var b strings.Builder
	feature := atSign(comment(f.feature.Name))
	fmt.Fprintf(&b, "// %s is a category of feature %d, %s.\ntype %[1]s int32\n\n", f.kind, f.index, feature)
	fmt.Fprintf(&b, "// The categories of %s.\nconst (\n", feature)
	other := ""
	if f.feature.Open {
		other = types.exported(f.kind+"Other", "")
		fmt.Fprintf(&b, "%s %s = -2\n%s %[2]s = -1 // any other text\n", missing, f.kind, other)
	} else {
		fmt.Fprintf(&b, "%s %s = -1\n", missing, f.kind)
	}
	for i, c := range f.feature.Categories {
		word := camel(c)
		if word == "" {
			word = fmt.Sprint(i)
		}
		name := types.exported(f.kind+word, "")
		fmt.Fprintf(&b, "%s %s = %d // %s\n", name, f.kind, i, atSign(comment(quote(c))))
	}
	b.WriteString(")\n")
	if f.feature.Open {
		fmt.Fprintf(&b, parseOpenText, f.kind, parse, "codesOf"+f.kind, other)
		fmt.Fprintf(&b, enumMethods, f.kind, "codesOf"+f.kind, f.index, "openInput")
	} else {
		fmt.Fprintf(&b, parseText, f.kind, parse, "codesOf"+f.kind, f.index, missing)
		fmt.Fprintf(&b, enumMethods, f.kind, "codesOf"+f.kind, f.index, "codeInput")
	}
	return b.String()
}

const parseText = `
// %[2]s returns the category with the given text.
func %[2]s(text string) (%[1]s, error) {
	if c, ok := %[3]s()[text]; ok {
		return c, nil
	}
	return %[5]s, @fmt.Errorf("unknown category %%q of %%s", text, Meta.Features[%[4]d].Name)
}
`

const parseOpenText = `
// %[2]s returns the category with the given text, or %[4]s; the error is nil.
func %[2]s(text string) (%[1]s, error) {
	if c, ok := %[3]s()[text]; ok {
		return c, nil
	}
	return %[4]s, nil
}
`

const enumMethods = `
var %[2]s = codes[%[1]s](%[3]d)

func (c %[1]s) String() string { return categoryText(%[3]d, int32(c)) }

func (c %[1]s) input() Input { return %[4]s(int32(c)) }
`
