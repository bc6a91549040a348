package serve

import (
	"net/http"
	"slices"
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
	c.out = append(c.out, `,"prediction":`...)
	c.prediction(m, 0)
	if label, ok := m.Label(c.result.Predict); ok {
		c.out = appendText(append(c.out, `,"label":`...), label)
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
	c.out = append(c.out, `,"predictions":[`...)
	for row := range c.result.Rows {
		c.comma(row)
		c.prediction(m, row)
	}
	if _, ok := m.Label(make([]float32, m.NumOutputs)); ok {
		c.out = append(c.out, `],"labels":[`...)
		for row := range c.result.Rows {
			c.comma(row)
			label, _ := m.Label(c.result.Predict[row*m.NumOutputs:][:m.NumOutputs])
			c.out = appendText(c.out, label)
		}
	}
	c.out = append(c.out, "]}\n"...)
	return nil
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
	return m, &rowReader{jsonReader: jsonReader{b: c.body}, m: m, x: c.x}, nil
}

func (c *call) plainScore(p *rowReader) error {
	p.end()
	c.x = p.x
	if p.err != nil {
		return p.err
	}
	return p.m.Score(c.Context(), &c.result, c.x, Predict)
}

func (c *call) plainHead(m *Model) {
	c.out = appendText(append(c.out, `{"model":`...), m.Name)
	c.out = appendText(append(c.out, `,"version":`...), m.Version)
}

// prediction writes the prediction of a row: a number or an array of them.
func (c *call) prediction(m *Model, row int) {
	values := c.result.Predict[row*m.NumOutputs:][:m.NumOutputs]
	if len(values) == 1 {
		c.out = appendFloat(c.out, values[0])
		return
	}
	c.out = append(c.out, '[')
	for k, v := range values {
		c.comma(k)
		c.out = appendFloat(c.out, v)
	}
	c.out = append(c.out, ']')
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
	m    *Model
	x    []float32
	rows int
	seen []int // the last row, counted from 1, in which a feature was named
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
			p.x = append(p.x, p.value(n))
		} else {
			p.skip() // to tell how many there are
		}
	}
	if n != p.m.NumFeatures {
		p.fail("it has %d values, want %d", n, p.m.NumFeatures)
	}
}

func (p *rowReader) object() {
	if p.seen == nil {
		p.seen = make([]int, p.m.NumFeatures)
	}
	row := len(p.x)
	p.x = slices.Grow(p.x, p.m.NumFeatures)[:row+p.m.NumFeatures]
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
			p.x[row+column] = p.value(column)
		}
	}
	if p.err == nil && n < p.m.NumFeatures {
		column := slices.IndexFunc(p.seen, func(at int) bool { return at != p.rows+1 })
		p.fail("feature %q is not there (null means missing)", p.m.Features[column].Name)
	}
}

// value reads the value of a feature.
func (p *rowReader) value(column int) float32 {
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
		v, ok := n.float32()
		if !ok {
			p.fail("feature %q: %s does not fit float32", f.Name, n.text)
		}
		return v
	}
	if p.err == nil {
		p.syntax("a number for feature " + string(appendText(nil, f.Name)))
	}
	return 0
}

func (p *rowReader) textValue(column int) float32 {
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
