package serve

import (
	"net/http"
	"strconv"
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
	c.tensors(`,"inputs":[`, m.Inputs())
	c.tensors(`,"outputs":[`, m.Outputs())
	c.out = append(c.out, "}\n"...)
	return nil
}

func (c *call) tensors(key string, infos []TensorInfo) {
	c.out = append(c.out, key...)
	for i, t := range infos {
		c.comma(i)
		c.tensorHead(t.Name, t.Datatype, t.Shape...)
		c.out = append(c.out, '}')
	}
	c.out = append(c.out, ']')
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
	p := inferReader{jsonReader: jsonReader{b: c.body}, m: m, inputs: c.inputs, shapes: c.shapes, wanted: c.wanted, values: c.values}
	p.request()
	c.inputs, c.shapes, c.wanted, c.values = p.inputs, p.shapes, p.wanted, p.values
	if p.err != nil {
		return p.err
	}
	x, err := m.Rows(c.x, p.inputs)
	if err != nil {
		return err
	}
	if len(p.inputs) > 1 || p.inputs[0].Datatype == "BYTES" {
		c.x = x // in the other case x is c.values
	}
	if len(p.wanted) == 0 {
		p.wanted = append(p.wanted, Predict)
	}
	var want Outputs
	for _, o := range p.wanted {
		want |= o
	}
	if err := m.Score(c.Context(), &c.result, x, want); err != nil {
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
		c.output(m, o)
	}
	c.out = append(c.out, "]}\n"...)
}

func (c *call) output(m *Model, o Outputs) {
	rows := int64(c.result.Rows)
	switch o {
	case Predict:
		c.tensorHead("predict", "FP32", rows, int64(m.NumOutputs))
		c.floats(c.result.Predict)
	case Margin:
		c.tensorHead("margin", "FP32", rows, int64(m.NumMargins))
		c.floats(c.result.Margin)
	case Leaf:
		c.tensorHead("leaf", "INT32", rows, int64(m.NumTrees))
		c.out = append(c.out, `,"data":[`...)
		for i, v := range c.result.Leaf {
			c.comma(i)
			c.out = strconv.AppendInt(c.out, int64(v), 10)
		}
	}
	c.out = append(c.out, "]}"...)
}

func (c *call) floats(values []float32) {
	c.out = append(c.out, `,"data":[`...)
	for i, v := range values {
		c.comma(i)
		c.out = appendFloat(c.out, v)
	}
}
