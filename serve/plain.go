package serve

import (
	"net/http"
	"slices"
	"strconv"

	"hew/predict"
)

// health answers GET /health.
func (h *rest) health(c *call) error {
	status := `{"status":"ok"`
	if !h.models.Ready() {
		c.status = http.StatusServiceUnavailable
		status = `{"status":"draining","error":"the server is shutting down"`
	}
	c.out = append(c.out, status...)
	c.out = append(c.out, `,"models":[`...)
	for i, m := range h.models.All() {
		if i > 0 {
			c.out = append(c.out, ',')
		}
		c.out = appendText(append(c.out, `{"name":`...), m.Name)
		c.out = appendText(append(c.out, `,"version":`...), m.Version)
		c.out = append(c.out, '}')
	}
	c.out = append(c.out, "]}\n"...)
	return nil
}

// predict answers POST /predict.
func (h *rest) predict(c *call) error {
	m, p, err := h.plain(c)
	if err != nil {
		return err
	}
	p.single()
	if err := c.plainScore(p); err != nil {
		return err
	}
	c.plainHead(m)
	for i, o := range m.Plain() {
		c.out = appendText(append(c.out, ','), plainName(o, i))
		c.out = append(c.out, ':')
		c.rowOf(o, 0)
	}
	if m.NumLabels() > 0 {
		c.labels(m, 0, `,"label":`)
	}
	c.out = append(c.out, "}\n"...)
	return nil
}

// batchPredict answers POST /batch_predict.
func (h *rest) batchPredict(c *call) error {
	m, p, err := h.plain(c)
	if err != nil {
		return err
	}
	p.batch()
	if err := c.plainScore(p); err != nil {
		return err
	}
	c.plainHead(m)
	for i, o := range m.Plain() {
		c.out = appendText(append(c.out, ','), plural(plainName(o, i)))
		c.out = append(c.out, ":["...)
		for row := range c.result.Rows {
			c.comma(row)
			c.rowOf(o, row)
		}
		c.out = append(c.out, ']')
	}
	if m.NumLabels() > 0 {
		c.out = append(c.out, `,"labels":[`...)
		for row := range c.result.Rows {
			c.comma(row)
			if !c.labels(m, row, "") {
				c.out = append(c.out, `""`...)
			}
		}
		c.out = append(c.out, ']')
	}
	c.out = append(c.out, "}\n"...)
	return nil
}

// plainName returns what output i of Plain is called in an answer.
func plainName(o *Output, i int) string {
	switch {
	case i == 0:
		return "prediction"
	case o.Name == "proba":
		return "probabilities"
	}
	return o.Name
}

// plural returns what a member is called that has one element per row.
func plural(name string) string {
	if name == "probabilities" {
		return name
	}
	return name + "s"
}

// labels writes the labels of a row after head: a text, or an array of them. It
// writes nothing and returns false if there are none.
func (c *call) labels(m *Model, row int, head string) bool {
	n := m.NumLabels()
	if n > 1 {
		c.out = append(append(c.out, head...), '[')
		head = ""
	}
	for i := range n {
		label, ok := m.Label(&c.result, row, i)
		if !ok {
			return false
		}
		c.comma(i)
		c.out = appendText(append(c.out, head...), label)
	}
	if n > 1 {
		c.out = append(c.out, ']')
	}
	return true
}

// plain reads the request of one of the plain routes.
func (h *rest) plain(c *call) (*Model, *rowReader, error) {
	if err := c.query(); err != nil {
		return nil, nil, err
	}
	m, err := h.models.Lookup(c.model, c.version)
	if err != nil {
		return nil, nil, err
	}
	if err := c.read(h.models.MaxBody); err != nil {
		return nil, nil, err
	}
	x := c.x.Resize(m.Input, 0)
	return m, &rowReader{jsonReader: jsonReader{b: c.body}, m: m, x: x, float32: m.Input != predict.Float64}, nil
}

func (c *call) plainScore(p *rowReader) error {
	p.end()
	if p.err != nil {
		return p.err
	}
	return p.m.Score(c.Context(), &c.result, *p.x, p.m.Plain())
}

func (c *call) plainHead(m *Model) {
	c.out = appendText(append(c.out, `{"model":`...), m.Name)
	c.out = appendText(append(c.out, `,"version":`...), m.Version)
}

// rowOf writes the values of a row: one value or an array of them.
func (c *call) rowOf(o *Output, row int) {
	w := o.Width()
	if w == 1 {
		c.values(o, row, row+1)
		return
	}
	c.out = append(c.out, '[')
	c.values(o, row*w, (row+1)*w)
	c.out = append(c.out, ']')
}

// values writes the values from i up to but without j of an output, and commas
// between them.
func (c *call) values(o *Output, i, j int) {
	v := c.result.Values(o)
	if o.Labels == nil {
		c.numbers(v, i, j)
		return
	}
	for k := i; k < j; k++ {
		c.comma(k - i)
		l, class := &o.Labels[k%len(o.Labels)], int(at(v, k))
		switch o.Datatype {
		case "INT64":
			c.out = strconv.AppendInt(c.out, l.Ints[class], 10)
		case "FP64":
			c.out = appendFloat(c.out, l.Floats[class], 64)
		case "BOOL":
			c.out = strconv.AppendBool(c.out, l.Bools[class])
		default:
			c.out = appendText(c.out, l.Texts[class])
		}
	}
}

func (c *call) numbers(v *predict.Values, i, j int) {
	if v.F64 != nil {
		for k, f := range v.F64[i:j] {
			c.comma(k)
			c.out = appendFloat(c.out, f, 64)
		}
		return
	}
	for k, f := range v.F32[i:j] {
		c.comma(k)
		c.out = appendFloat(c.out, float64(f), 32)
	}
}

// comma separates element n from the one before.
func (c *call) comma(n int) {
	if n > 0 {
		c.out = append(c.out, ',')
	}
}

// A rowReader reads rows for a model straight into x.
type rowReader struct {
	jsonReader
	m       *Model
	x       *predict.Values
	float32 bool // the type of x
	rows    int
	seen    []int // the last row, counted from 1, in which a feature was named
}

// single reads a row, or an object that holds one as features.
func (p *rowReader) single() {
	if p.peek() != '{' {
		p.row()
		return
	}
	start := p.jsonReader
	p.enter('{')
	if p.more('}', 0) && string(p.key()) == "features" && !p.hasFeature("features") {
		p.row()
		if p.more('}', 1) {
			p.fail("unknown key %q beside features", p.key())
		}
		return
	}
	if p.err == nil { // the row itself
		p.jsonReader = start
		p.row()
	}
}

func (p *rowReader) hasFeature(name string) bool {
	_, ok := p.m.features[name]
	return ok
}

// batch reads an array of rows, or an object that holds one.
func (p *rowReader) batch() {
	if p.peek() != '{' {
		p.all()
		return
	}
	p.enter('{')
	n := 0
	for ; p.more('}', n); n++ {
		key := p.key()
		switch string(key) {
		case "rows", "instances":
			if n > 0 {
				p.fail("the body has %q and another key; want rows or instances alone", key)
			}
			p.all()
		default:
			p.fail("unknown key %q; want rows or instances", key)
		}
	}
	if n == 0 {
		p.fail("the body has no rows")
	}
}

func (p *rowReader) all() {
	p.enter('[')
	for n := 0; p.more(']', n); n++ {
		p.refuse(p.m.CheckRows(n + 1))
		if p.err != nil {
			return
		}
		if p.row(); p.err != nil {
			p.err = invalid("row %d: %s", n, p.err.Text)
		}
	}
}

// row reads one row of either form.
func (p *rowReader) row() {
	if p.err != nil {
		return
	}
	switch p.peek() {
	case '[':
		p.array()
	case '{':
		p.object()
	default:
		p.syntax("a row: an array or an object")
	}
	p.rows++
}

func (p *rowReader) array() {
	p.enter('[')
	n := 0
	for ; p.more(']', n); n++ {
		if n < p.m.NumFeatures {
			p.add(p.value(n))
		} else {
			p.skip() // to tell how many there are
		}
	}
	if n != p.m.NumFeatures {
		p.fail("it has %d values, want %d", n, p.m.NumFeatures)
	}
}

func (p *rowReader) add(v float64) {
	if p.float32 {
		p.x.F32 = append(p.x.F32, float32(v))
	} else {
		p.x.F64 = append(p.x.F64, v)
	}
}

// grow makes room for one more row and returns where it begins.
func (p *rowReader) grow() int {
	at, n := p.x.Len(), p.m.NumFeatures
	if p.float32 {
		p.x.F32 = slices.Grow(p.x.F32, n)[:at+n]
	} else {
		p.x.F64 = slices.Grow(p.x.F64, n)[:at+n]
	}
	return at
}

func (p *rowReader) object() {
	if p.seen == nil {
		p.seen = make([]int, p.m.NumFeatures)
	}
	row := p.grow()
	p.enter('{')
	n := 0
	for ; p.more('}', n); n++ {
		key := p.key()
		column, ok := p.m.features[string(key)] // does not allocate, as Column would
		switch {
		case p.err != nil:
		case !ok:
			_, err := p.m.Column(string(key))
			p.refuse(err)
		case p.seen[column] == p.rows+1:
			p.fail("feature %q is there twice", key)
		default:
			p.seen[column] = p.rows + 1
			set(p.x, row+column, p.value(column))
		}
	}
	if p.err == nil && n < p.m.NumFeatures {
		column := slices.IndexFunc(p.seen, func(at int) bool { return at != p.rows+1 })
		p.fail("feature %q is not there (null means missing)", p.m.Features[column].Name)
	}
}

// value reads the value of a feature.
func (p *rowReader) value(column int) float64 {
	f := &p.m.Features[column]
	c := p.peek()
	switch {
	case c == '"':
		return p.textValue(column)
	case c == 'n' || isSpecial(p.b, p.i):
		return p.special()
	case (c == 't' || c == 'f') && f.Type == "bool":
		if p.bool() {
			return 1
		}
		return 0
	case c == '-' || c-'0' <= 9:
		n := p.number()
		v, ok := 0.0, false
		if p.float32 {
			var single float32
			single, ok = n.float32()
			v = float64(single)
		} else {
			v, ok = n.float64()
		}
		if !ok {
			p.fail("feature %q: %s does not fit %s", f.Name, n.text, p.m.Input)
		}
		return v
	}
	if p.err == nil {
		p.syntax("a number for feature " + string(appendText(nil, f.Name)))
	}
	return 0
}

func (p *rowReader) textValue(column int) float64 {
	text := p.text()
	if p.err != nil {
		return 0
	}
	if p.m.codes[column] == nil {
		if v, ok := specialText(text); ok {
			return v
		}
	}
	v, err := p.m.Code(column, string(text))
	p.refuse(err)
	return v
}
