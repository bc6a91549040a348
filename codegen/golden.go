package codegen

import (
	"fmt"
	"strings"
)

// testFiles returns the generated test with its rows; none without rows.
func (p *printer) testFiles() ([]File, error) {
	g := &p.o.Golden
	rows := g.X.Len() / len(p.e.Features)
	if rows == 0 {
		return nil, nil
	}
	f := p.newFile()
	f.Anon("embed")
	leafTest, first := "", ""
	if len(p.o.Leaves.Trees) > 0 {
		leafTest = leafTestText
	}
	if p.strategy != "branch" {
		first = "	loaded() // the first call would make the engine\n"
	}
	fields, literal, parts := p.goldenAnswers()
	f.Add(p.code(fmt.Sprintf(testText, rows, leafTest, first, fields, literal, parts, p.answerTest()+p.columnsTest())))
	file, err := render(p.fileName("_test.go"), f)
	data := append(values(g.X), values(g.Margin)...)
	for _, a := range g.Answers {
		data = append(data, values(a)...)
	}
	data = append(data, words(g.Leaf)...)
	return []File{file, {"testdata/golden.bin", data}}, err
}

const testText = `// goldenRows is the number of rows in golden.bin. The results beside them come
// from hew's reference evaluator.
const goldenRows = %[1]d

//go:embed testdata/golden.bin
var goldenData []byte

type golden struct {
	x []$in
	margin, predict []$out
%[4]s	leaf []int32
}

func readGolden(tb @testing.TB) *golden {
	g := &golden{
		x: make([]$in, goldenRows*NumFeatures),
		margin: make([]$out, goldenRows*NumMargins),
		predict: make([]$out, goldenRows*NumOutputs),
%[5]s		leaf: make([]int32, goldenRows*NumTrees),
	}
	r := @bytes.NewReader(goldenData)
	for _, part := range []any{g.x, g.margin, g.predict, %[6]sg.leaf} {
		if err := @encoding/binary.Read(r, @encoding/binary.LittleEndian, part); err != nil {
			tb.Fatal(err)
		}
	}
	return g
}

// row returns the values of row i in a table of n values a row.
func row[T any](values []T, i, n int) []T { return values[i*n : (i+1)*n] }

// TestGolden compares by bits, all rows at once and one by one.
func TestGolden(t *testing.T) {
	g := readGolden(t)
	margin, predict := make([]$out, len(g.margin)), make([]$out, len(g.predict))
	Margin(margin, g.x)
	Predict(predict, g.x)
	same(t, "Margin", margin, g.margin, NumMargins)
	same(t, "Predict", predict, g.predict, NumOutputs)
	clear(margin)
	clear(predict)
	for i := range goldenRows {
		Margin(row(margin, i, NumMargins), row(g.x, i, NumFeatures))
		Predict(row(predict, i, NumOutputs), row(g.x, i, NumFeatures))
	}
	same(t, "Margin of a row", margin, g.margin, NumMargins)
	same(t, "Predict of a row", predict, g.predict, NumOutputs)
}

// same reports the first value with other bits; a NaN is like any other.
func same(t *testing.T, what string, got, want []$out, width int) {
	t.Helper()
	for i, w := range want {
		if v := got[i]; @math.$Foutbits(v) != @math.$Foutbits(w) && (v == v || w == w) {
			t.Fatalf("%%s, row %%d, value %%d: %%v, want %%v", what, i/width, i%%width, v, w)
		}
	}
}
%[2]s%[7]s
// The golden rows are few, which flatters code with branches: the processor
// learns them. hew bench measures with thousands of rows.

func BenchmarkRow(b *testing.B) {
	g := readGolden(b)
	dst := make([]$out, NumOutputs)
	i := 0
%[3]s	b.ReportAllocs()
	for b.Loop() {
		Predict(dst, row(g.x, i, NumFeatures))
		if i++; i == goldenRows {
			i = 0
		}
	}
}

func BenchmarkBatch(b *testing.B) {
	g := readGolden(b)
	dst := make([]$out, len(g.predict))
%[3]s	b.ReportAllocs()
	for b.Loop() {
		Predict(dst, g.x)
	}
	b.ReportMetric(float64(b.N)*goldenRows/b.Elapsed().Seconds(), "rows/s")
}
`

const leafTestText = `
func TestLeaf(t *testing.T) {
	g := readGolden(t)
	leaf := make([]int32, len(g.leaf))
	Leaf(leaf, g.x)
	for i, w := range g.leaf {
		if leaf[i] != w {
			t.Fatalf("row %d, tree %d: leaf %d, want %d", i/NumTrees, i%NumTrees, leaf[i], w)
		}
	}
}
`

// goldenAnswers returns what the golden rows hold of the answers after the first one:
// fields, their making and their place in the file, as Go text.
func (p *printer) goldenAnswers() (fields, literal, parts string) {
	widths := answerWidths(p.e)
	if len(widths) == 1 {
		return "", "", ""
	}
	var made, read strings.Builder
	for i, w := range widths[1:] {
		fmt.Fprintf(&made, "make([]$out, goldenRows*%d), ", w)
		fmt.Fprintf(&read, "g.answers[%d], ", i)
	}
	return "	answers [][]$out // those after the first\n",
		"		answers: [][]$out{" + strings.TrimSuffix(made.String(), ", ") + "},\n", read.String()
}

// answerTest prints the tests of answers.
func (p *printer) answerTest() string {
	if len(p.e.Answers) == 0 {
		return ""
	}
	if len(p.e.Answers) == 1 {
		return firstAnswerTestText
	}
	var functions strings.Builder
	labels := ""
	for i, name := range p.answerNames()[1:] {
		if p.e.Answers[i+1].Labels != nil {
			name, labels = "labels("+name+")", labelsTestText
		}
		functions.WriteString(name + ", ")
	}
	return firstAnswerTestText + fmt.Sprintf(answersTestText, strings.TrimSuffix(functions.String(), ", ")) + labels
}

const firstAnswerTestText = `
// TestAnswerFrom compares the first answer from known margins.
func TestAnswerFrom(t *testing.T) {
	g := readGolden(t)
	got := make([]$out, len(g.predict))
	AnswerFrom(0, got, g.margin, g.x)
	same(t, "the first answer", got, g.predict, NumOutputs)
}
`

const answersTestText = `
// TestAnswers compares the further answers, from known margins, of all rows at once
// and one by one.
func TestAnswers(t *testing.T) {
	g := readGolden(t)
	for i, f := range []func(dst []Output, x []Input){%s} {
		name, want := Meta.Answers[i+1].Name, g.answers[i]
		width, got := len(want)/goldenRows, make([]$out, len(want))
		AnswerFrom(i+1, got, g.margin, g.x)
		same(t, name+" from margins", got, want, width)
		clear(got)
		f(got, g.x)
		same(t, name, got, want, width)
		clear(got)
		for j := range goldenRows {
			f(row(got, j, width), row(g.x, j, NumFeatures))
		}
		same(t, name+" of a row", got, want, width)
	}
}
`

const labelsTestText = `
// labels returns f with numbers of type Output as its result.
func labels(f func(dst []int32, x []Input)) func(dst []Output, x []Input) {
	return func(dst []Output, x []Input) {
		classes := make([]int32, len(dst))
		f(classes, x)
		for i, c := range classes {
			dst[i] = Output(c)
		}
	}
}
`

// columnsTest prints what gives the columns of the golden rows to engines.
func (p *printer) columnsTest() string {
	if p.e.Columns == nil || p.strategy == "branch" {
		return ""
	}
	return `
// columnsOf returns what engines see of rows.
func columnsOf(x []Input) []Input {
	c := make([]Input, len(x)/NumFeatures*numColumns)
	for i := range len(x) / NumFeatures {
		columns((*[numColumns]Input)(c[i*numColumns:]), (*[NumFeatures]Input)(x[i*NumFeatures:]))
	}
	return c
}
`
}
