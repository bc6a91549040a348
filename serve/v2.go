package serve

import (
	"net/http"
	"strconv"

	"hew/predict"
)

func (h *rest) serverMetadata(c *call) error {
	c.out = append(c.out, `{"name":"hew","version":`...)
	c.out = appendText(c.out, h.models.All()[0].Source.Hew)
	c.out = append(c.out, `,"extensions":["model_repository"]}`+"\n"...)
	return nil
}

func (h *rest) live(c *call) error {
	c.out = append(c.out, `{"live":true}`+"\n"...)
	return nil
}

func (h *rest) ready(c *call) error {
	c.out = append(c.out, '{')
	h.readiness(c)
	return nil
}

// readiness writes the last members of an answer to a readiness probe.
func (h *rest) readiness(c *call) {
	if h.models.Ready() {
		c.out = append(c.out, `"ready":true}`+"\n"...)
		return
	}
	c.status = http.StatusServiceUnavailable
	c.out = append(c.out, `"ready":false,"error":"the server is shutting down"}`+"\n"...)
}

func (h *rest) modelNames(c *call) error {
	c.out = append(c.out, `{"models":[`...)
	n := 0
	for i, m := range h.models.All() {
		if h.firstOfName(i) {
			c.comma(n)
			c.out = appendText(c.out, m.Name)
			n++
		}
	}
	c.out = append(c.out, "]}\n"...)
	return nil
}

func (h *rest) firstOfName(i int) bool {
	all := h.models.All()
	for _, m := range all[:i] {
		if m.Name == all[i].Name {
			return false
		}
	}
	return true
}

func (h *rest) modelReady(c *call) error {
	m, err := h.models.Lookup(c.model, c.version)
	if err != nil {
		return err
	}
	c.out = appendText(append(c.out, `{"name":`...), m.Name)
	c.out = append(c.out, ',')
	h.readiness(c)
	return nil
}

func (h *rest) modelMetadata(c *call) error {
	m, err := h.models.Lookup(c.model, c.version)
	if err != nil {
		return err
	}
	c.out = appendText(append(c.out, `{"name":`...), m.Name)
	c.out = append(c.out, `,"versions":[`...)
	for i, v := range h.models.Versions(m.Name) {
		c.comma(i)
		c.out = appendText(c.out, v)
	}
	c.out = appendText(append(c.out, `],"platform":`...), m.Platform())
	c.out = append(c.out, `,"inputs":[`...)
	for i, t := range m.Inputs() {
		c.tensorInfo(i, &t)
	}
	c.out = append(c.out, `],"outputs":[`...)
	for i, o := range m.Outputs() {
		c.tensorInfo(i, &o.TensorInfo)
	}
	c.out = append(c.out, "]}\n"...)
	return nil
}

func (c *call) tensorInfo(i int, t *TensorInfo) {
	c.comma(i)
	c.tensorHead(t.Name, t.Datatype, t.Shape...)
	c.out = append(c.out, '}')
}

// tensorHead writes a tensor without its data and closing bracket.
func (c *call) tensorHead(name, datatype string, shape ...int64) {
	c.out = appendText(append(c.out, `{"name":`...), name)
	c.out = appendText(append(c.out, `,"datatype":`...), datatype)
	c.out = append(c.out, `,"shape":[`...)
	for i, d := range shape {
		c.comma(i)
		c.out = strconv.AppendInt(c.out, d, 10)
	}
	c.out = append(c.out, ']')
}

// repositoryIndex answers with all models; the body may ask for the ready ones.
func (h *rest) repositoryIndex(c *call) error {
	if err := c.read(h.models.MaxBody); err != nil {
		return err
	}
	ready, err := readIndexRequest(c.body)
	if err != nil {
		return err
	}
	state := `,"state":"READY","reason":""}`
	if !h.models.Ready() {
		state = `,"state":"UNAVAILABLE","reason":"the server is shutting down"}`
	}
	c.out = append(c.out, '[')
	for i, m := range h.models.All() {
		if ready && !h.models.Ready() {
			break
		}
		c.comma(i)
		c.out = appendText(append(c.out, `{"name":`...), m.Name)
		c.out = appendText(append(c.out, `,"version":`...), m.Version)
		c.out = append(c.out, state...)
	}
	c.out = append(c.out, "]\n"...)
	return nil
}

func readIndexRequest(body []byte) (ready bool, err error) {
	r := jsonReader{b: body}
	if r.peek() == 0 && r.i == len(body) {
		return false, nil
	}
	var keys keySet
	r.enter('{')
	for n := 0; r.more('}', n); n++ {
		key := r.key()
		keys.add(&r, key)
		if string(key) == "ready" {
			ready = r.bool()
		} else {
			r.skip()
		}
	}
	r.end()
	if r.err != nil {
		return false, r.err
	}
	return ready, nil
}

// infer answers POST …/infer.
func (h *rest) infer(c *call) error {
	m, err := h.models.Lookup(c.model, c.version)
	if err != nil {
		return err
	}
	if c.Header.Get("Inference-Header-Content-Length") != "" {
		return Errorf(http.StatusNotImplemented, "binary tensors are not supported; send JSON data (tritonclient: binary_data=False)")
	}
	if err := c.read(h.models.MaxBody); err != nil {
		return err
	}
	p := inferReader{
		jsonReader: jsonReader{b: c.body}, m: m, single: m.Input != predict.Float64,
		inputs: c.inputs, shapes: c.shapes, wanted: c.wanted, values: c.tensor.Resize(m.Input, 0),
	}
	p.request()
	c.inputs, c.shapes, c.wanted = p.inputs, p.shapes, p.wanted
	if p.err != nil {
		return p.err
	}
	x, err := m.Rows(&c.x, p.inputs)
	if err != nil {
		return err
	}
	if len(p.wanted) == 0 {
		p.wanted = m.Default()
	}
	if err := m.Score(c.Context(), &c.result, x, p.wanted); err != nil {
		return err
	}
	c.inferAnswer(m, &p)
	return nil
}

func (c *call) inferAnswer(m *Model, p *inferReader) {
	c.out = appendText(append(c.out, `{"model_name":`...), m.Name)
	c.out = appendText(append(c.out, `,"model_version":`...), m.Version)
	if p.id != nil {
		c.out = appendText(append(c.out, `,"id":`...), p.id)
	}
	c.out = append(c.out, `,"outputs":[`...)
	for i, o := range p.wanted {
		c.comma(i)
		c.output(o)
	}
	c.out = append(c.out, "]}\n"...)
}

func (c *call) output(o *Output) {
	rows := c.result.Rows
	c.tensorHead(o.Name, o.Datatype, int64(rows), o.Shape[1])
	c.out = append(c.out, `,"data":[`...)
	if o.IsLeaf() {
		for i, v := range c.result.Leaf {
			c.comma(i)
			c.out = strconv.AppendInt(c.out, int64(v), 10)
		}
	} else {
		c.values(o, 0, rows*o.Width())
	}
	c.out = append(c.out, "]}"...)
}
