package serve

import (
	"slices"

	"hew/predict"
)

// An inferReader reads a V2 inference request. Unknown keys and parameters are
// read and ignored, as the protocol asks.
type inferReader struct {
	jsonReader
	m      *Model
	id     []byte
	single bool // the model takes float32
	inputs []Tensor
	wanted []*Output       // in the order asked for
	values *predict.Values // the elements of all tensors
	shapes []int64         // the shapes of all tensors
}

// maxDims bounds the length of a shape; two is the most that makes sense.
const maxDims = 8

func (p *inferReader) request() {
	var keys keySet
	inputs := false
	p.enter('{')
	for n := 0; p.more('}', n); n++ {
		key := p.key()
		keys.add(&p.jsonReader, key)
		switch string(key) {
		case "id":
			p.id = p.text()
		case "inputs":
			inputs = true
			p.enter('[')
			for i := 0; p.more(']', i); i++ {
				p.input()
			}
		case "outputs":
			p.enter('[')
			for i := 0; p.more(']', i); i++ {
				p.output()
			}
		case "parameters":
			p.parameters()
		default:
			p.skip()
		}
	}
	p.end()
	if !inputs {
		p.fail("the request has no inputs")
	}
}

// parameters reads an object whose values do not matter.
func (p *inferReader) parameters() {
	if p.peek() != '{' {
		p.syntax("an object of parameters")
		return
	}
	p.skip()
}

func (p *inferReader) output() {
	var keys keySet
	named := false
	p.enter('{')
	for n := 0; p.more('}', n); n++ {
		key := p.key()
		keys.add(&p.jsonReader, key)
		switch string(key) {
		case "name":
			named = true
			p.want(p.text())
		case "parameters":
			p.parameters()
		default:
			p.skip()
		}
	}
	if !named {
		p.fail("an output has no name")
	}
}

func (p *inferReader) want(name []byte) {
	if p.err != nil {
		return
	}
	o, err := p.m.Wanted(string(name))
	p.refuse(err)
	if err == nil && slices.Contains(p.wanted, o) {
		p.fail("output %q is asked for twice", name)
	}
	p.wanted = append(p.wanted, o)
}

// An inputReader reads one tensor of a request.
type inputReader struct {
	*inferReader
	Tensor
	kind                       *datatype
	hasName, hasShape, hasData bool

	dims      [maxDims]int64 // lengths of the nested arrays, −1 while unknown
	leafLevel int            // how deep the elements are, −1 while unknown
}

func (p *inferReader) input() {
	t := inputReader{inferReader: p, leafLevel: -1}
	for i := range t.dims {
		t.dims[i] = -1
	}
	late := -1 // where the data is, if it comes before the datatype
	var keys keySet
	p.enter('{')
	for n := 0; p.more('}', n); n++ {
		key := p.key()
		keys.add(&p.jsonReader, key)
		switch string(key) {
		case "name":
			t.hasName, t.Name = true, p.m.intern(p.text())
		case "datatype":
			t.datatype()
		case "shape":
			t.shape()
		case "parameters":
			p.parameters()
		case "data":
			t.hasData = true
			if t.kind == nil {
				p.peek()
				late = p.i
				p.skip()
			} else {
				t.data()
			}
		default:
			p.skip()
		}
	}
	if late >= 0 && t.kind != nil && p.err == nil {
		end := p.i
		p.i = late
		t.data()
		p.i = end
	}
	t.finish()
}

// intern returns the name of a tensor, without new memory if it is a known one.
func (m *Model) intern(name []byte) string {
	if string(name) == InputName {
		return InputName
	}
	if column, ok := m.features[string(name)]; ok {
		return m.Features[column].Name
	}
	return string(name)
}

// finish checks that the parts of the tensor are there and agree.
func (t *inputReader) finish() {
	switch {
	case t.err != nil:
		return
	case !t.hasName:
		t.fail("an input has no name")
	case t.kind == nil:
		t.fail("input %q has no datatype", t.Name)
	case !t.hasShape:
		t.fail("input %q has no shape", t.Name)
	case !t.hasData:
		t.fail("input %q has no data", t.Name)
	case t.leafLevel > 0 && !slices.Equal(t.dims[:t.leafLevel+1], t.Shape):
		t.fail("input %q: the shape is %s, the data is nested as %s", t.Name, shapeText(t.Shape), shapeText(t.dims[:t.leafLevel+1]))
	}
	t.inputs = append(t.inputs, t.Tensor)
}

func (t *inputReader) datatype() {
	name := t.text()
	if t.err != nil {
		return
	}
	for i := range datatypes {
		if datatypes[i].name == string(name) {
			t.kind, t.Datatype = &datatypes[i], datatypes[i].name
			return
		}
	}
	t.fail("datatype %q is not supported in JSON", name)
}

type datatype struct {
	name        string
	least, most uint64 // absolute values of an integer's limits
}

// datatypes are the ones that have a JSON form; FP16 and BF16 have none.
var datatypes = [...]datatype{
	{name: "FP32"}, {name: "FP64"}, {name: "BOOL"}, {name: "BYTES"},
	{"INT8", 1 << 7, 1<<7 - 1}, {"INT16", 1 << 15, 1<<15 - 1},
	{"INT32", 1 << 31, 1<<31 - 1}, {"INT64", 1 << 63, 1<<63 - 1},
	{"UINT8", 0, 1<<8 - 1}, {"UINT16", 0, 1<<16 - 1},
	{"UINT32", 0, 1<<32 - 1}, {"UINT64", 0, 1<<64 - 1},
}

func (t *inputReader) shape() {
	t.hasShape = true
	start := len(t.shapes)
	t.enter('[')
	for n := 0; t.more(']', n); n++ {
		if n == maxDims {
			t.fail("a shape has more than %d dimensions", maxDims)
			return
		}
		d := t.number()
		v, ok := d.integer(1<<62, 1<<62)
		if !ok {
			t.fail("dimension %s in a shape is not an integer that fits", d.text)
			return
		}
		if d.neg && v > 0 {
			t.fail("dimension %s in a shape is negative", d.text)
		}
		t.shapes = append(t.shapes, int64(v))
	}
	t.Shape = t.shapes[start:len(t.shapes):len(t.shapes)]
}

// data reads the elements, flat or nested.
func (t *inputReader) data() {
	start := t.values.Len()
	t.level(0)
	t.Values = t.values.Slice(start, t.values.Len())
	if t.err != nil && t.Name != "" {
		t.err = invalid("input %q: %s", t.Name, t.err.Text)
	}
}

// level reads an array that is nested in that many others.
func (t *inputReader) level(level int) {
	t.enter('[')
	if t.err == nil && level == maxDims {
		t.fail("the data is nested more than %d deep", maxDims)
	}
	n := 0
	if t.peek() == '[' {
		for ; t.more(']', n); n++ {
			t.level(level + 1)
		}
	} else {
		if t.leafLevel < 0 {
			t.leafLevel = level
		}
		if t.leafLevel != level {
			t.fail("the data is nested unevenly before byte %d", t.i)
		}
		n = t.elements()
	}
	if t.err != nil {
		return
	}
	if t.dims[level] < 0 {
		t.dims[level] = int64(n)
	}
	if t.dims[level] != int64(n) {
		t.fail("the data is nested unevenly before byte %d", t.i)
	}
}

// elements reads the rest of an array of elements and returns their number.
func (t *inputReader) elements() int {
	n := 0
	switch t.Datatype {
	case "FP32":
		for ; t.more(']', n); n++ {
			t.add(t.fp32())
		}
	case "FP64":
		for ; t.more(']', n); n++ {
			t.add(t.fp64())
		}
	case "BOOL":
		for ; t.more(']', n); n++ {
			v := 0.0
			if t.bool() {
				v = 1
			}
			t.add(v)
		}
	case "BYTES":
		for ; t.more(']', n); n++ {
			t.addText()
		}
	default:
		for ; t.more(']', n); n++ {
			t.add(t.integer())
		}
	}
	return n
}

// add appends an element, a number of the type that the model takes.
func (t *inputReader) add(v float64) {
	if t.single {
		t.values.F32 = append(t.values.F32, float32(v))
	} else {
		t.values.F64 = append(t.values.F64, v)
	}
}

// addText reads an element of a BYTES tensor.
func (t *inputReader) addText() {
	if t.peek() != 'n' {
		t.Text = append(t.Text, string(t.text()))
		return
	}
	t.special()
	t.Missing = append(t.Missing, len(t.Text))
	t.Text = append(t.Text, "")
}

// word reads an element of a float tensor that is not a number, if there is one.
func (t *inputReader) word() (float64, bool) {
	c := t.peek()
	if c == '"' {
		text := t.text()
		v, ok := specialText(text)
		if !ok {
			t.fail("%q is not a number", text)
		}
		return v, true
	}
	if c == 'n' || isSpecial(t.b, t.i) {
		return t.special(), true
	}
	return 0, false
}

func (t *inputReader) fp32() float64 {
	if v, ok := t.word(); ok {
		return v
	}
	n := t.number()
	v, ok := n.float32()
	if !ok {
		t.fail("%s does not fit FP32", n.text)
	}
	return float64(v)
}

// fp64 rounds twice for a model of float32, as a trainer does that is given
// float64.
func (t *inputReader) fp64() float64 {
	if v, ok := t.word(); ok {
		return v
	}
	n := t.number()
	v, ok := n.float64()
	switch {
	case t.single && (!ok || float32(v)-float32(v) != 0):
		t.fail("%s does not fit float32, in which rows are scored", n.text)
	case !ok:
		t.fail("%s does not fit FP64", n.text)
	}
	return v
}

func (t *inputReader) integer() float64 {
	n := t.number()
	u, ok := n.integer(t.kind.least, t.kind.most)
	if !ok {
		t.fail("%s is not an %s", n.text, t.Datatype)
	}
	v := float64(u)
	if t.single {
		v = float64(float32(u)) // rounded once
	}
	if n.neg {
		return -v
	}
	return v
}
