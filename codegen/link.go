package codegen

import (
	"bytes"
	"errors"
	"go/format"
	"regexp"
	"slices"

	"hew/internal/libm"
	"hew/ir"
)

// A linkText is a link as Go text, with the functions of the C library that it
// needs. SEMANTICS.md gives the source of each.
type linkText struct {
	text string
	libm []string
}

var linkTexts = map[ir.Link]linkText{
	ir.Sigmoid: {`// link is the logistic function.
func link(x float32) float32 { return 1 / (1 + expf(-x)) }
`, []string{"expf"}},

	ir.SigmoidClamped: {`// link is the logistic function, bounded below as the trainer does.
func link(x float32) float32 {
	z := -x
	if z > 88.7 {
		z = 88.7
	}
	return 1 / (expf(z) + 1)
}
`, []string{"expf"}},

	ir.Exp: {`// link is the exponential function.
func link(x float32) float32 { return expf(x) }
`, []string{"expf"}},

	ir.Step: {`// link tells positive margins from others.
func link(x float32) float32 {
	if x > 0 {
		return 1
	}
	return 0
}
`, nil},

	ir.Softmax: {`// link replaces the margins of a row by probabilities. The sum is float64, all
// else float32.
func link(m *[NumMargins]float32) {
	largest := m[0]
	for _, x := range m[1:] {
		if x > largest || largest != largest { // a number wins over NaN
			largest = x
		}
	}
	sum := 0.0
	for k, x := range m {
		m[k] = expf(x - largest)
		sum += float64(m[k])
	}
	for k := range m {
		m[k] /= float32(sum)
	}
}
`, []string{"expf"}},

	ir.Argmax: {`// link returns the index of the first of the largest margins of a row.
func link(m *[NumMargins]float32) float32 {
	best := 0
	for k, x := range m {
		if x > m[best] {
			best = k
		}
	}
	return float32(best)
}
`, nil},

	ir.Sort: {`// link sorts the margins of a row; equal ones keep their order.
func link(m *[NumMargins]float32) {
	for i, x := range m {
		for i > 0 && x < m[i-1] {
			m[i] = m[i-1]
			i--
		}
		m[i] = x
	}
}
`, nil},

	ir.Gaps: {`// link takes the margins of a row after the first for the distances of outputs.
func link(m *[NumMargins]float32) {
	sum := m[0]
	for k, x := range m[1:] {
		sum += 1e-6 + softplus(x)
		m[k+1] = sum
	}
}

// softplus returns log(1+exp(x)).
func softplus(x float32) float32 {
	if x > 0 {
		return x + log1pf(expf(-x))
	}
	return log1pf(expf(x))
}
`, []string{"expf", "log1pf"}},
}

// linkFiles returns link.go and the functions of the C library that it calls,
// each in its file; none for the identity.
func (p *printer) linkFiles() ([]File, error) {
	if len(p.e.Answers) > 0 {
		return p.answerFiles()
	}
	l, ok := linkTexts[p.e.Link]
	if !ok {
		return nil, nil
	}
	f := p.newFile()
	f.Add(code(l.text))
	file, err := render("link.go", f)
	files, lerr := p.libmFiles(l.libm)
	return append([]File{file}, files...), errors.Join(err, lerr)
}

// libmFiles returns functions of package libm, each in its file.
func (p *printer) libmFiles(names []string) ([]File, error) {
	var files []File
	for _, name := range names {
		f, err := p.libmFile(name)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

var libmPackage = regexp.MustCompile(`(?m)^package libm$`)

// libmFile returns a function of package libm, and the others that it calls, under
// unexported names.
func (p *printer) libmFile(name string) (File, error) {
	text := libmPackage.ReplaceAllLiteral(libm.Source(name), []byte("package "+p.o.Package))
	text = libmName.ReplaceAllFunc(text, func(b []byte) []byte {
		i := len(b) - len(bytes.TrimLeft(b, " \t\n(-*/"))
		return append(b[:i:i], bytes.ToLower(b[i:])...)
	})
	text, err := format.Source(slices.Concat([]byte(p.generatedBy()+"\n\n"), text))
	return File{name + ".go", text}, err
}

// libmName finds the exported functions of package libm, but not those of package
// math that have the same names.
var libmName = regexp.MustCompile(`[ \t\n(\-*/](Cbrt|Expf|Expm1f|Expm1|Exp|Logf|Log1pf|Log10|Log1p|Log2|Log|Ndtri|Pow|Tanh)\b`)
