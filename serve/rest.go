package serve

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"hew/internal/nearest"
)

// Handler returns the REST front end of the models.
func Handler(m *Models) http.Handler {
	h := &rest{models: m, lost: m.Metrics.Route("http", "other")}
	get, post := http.MethodGet, http.MethodPost
	h.handle(get, "/health", h.health)
	h.handle(post, "/predict", h.predict)
	h.handle(post, "/batch_predict", h.batchPredict)
	h.handle(get, "/metrics", h.metrics)
	h.handle(get, "/v2", h.serverMetadata)
	h.handle(get, "/v2/health/live", h.live)
	h.handle(get, "/v2/health/ready", h.ready)
	h.handle(get, "/v2/models", h.modelNames)
	h.handle(post, "/v2/repository/index", h.repositoryIndex)
	for _, model := range []string{"/v2/models/{model}", "/v2/models/{model}/versions/{version}"} {
		h.handle(get, model, h.modelMetadata)
		h.handle(get, model+"/ready", h.modelReady)
		h.handle(post, model+"/infer", h.infer)
	}
	return h
}

type rest struct {
	models *Models
	routes []restRoute
	lost   *Route // counts the requests to unknown routes
}

type restRoute struct {
	method   string
	segments []string // of the path; {model} and {version} stand for any
	handle   func(*call) error
	counters *Route
}

func (h *rest) handle(method, path string, handle func(*call) error) {
	h.routes = append(h.routes, restRoute{method, strings.Split(path[1:], "/"), handle, h.models.Metrics.Route("http", path)})
}

// A call is a request that is being answered. It is pooled with the memory that
// parsing and scoring need.
type call struct {
	*http.Request
	header         http.Header // of the answer
	model, version string      // from the path or the query
	status         int
	out            []byte // the answer

	body   []byte
	tensor Buffer // the elements of tensors
	x      Buffer // rows
	inputs []Tensor
	shapes []int64
	wanted []*Output
	result Result
}

var calls = sync.Pool{New: func() any { return new(call) }}

// maxPooled bounds the memory that a pooled call keeps, so that a few large
// requests do not stay in memory for good.
const maxPooled = 1 << 20

func (c *call) free() {
	clear(c.inputs) // they refer to the values and hold texts
	c.Request, c.header, c.model, c.version, c.status = nil, nil, "", "", 0
	c.out, c.body = reuse(c.out), reuse(c.body)
	c.inputs, c.shapes, c.wanted = reuse(c.inputs), reuse(c.shapes), reuse(c.wanted)
	if c.tensor.Cap() > maxPooled {
		c.tensor = Buffer{}
	}
	if c.x.Cap() > maxPooled {
		c.x = Buffer{}
	}
	if c.result.Cap() > maxPooled {
		c.result = Result{}
	}
	calls.Put(c)
}

func reuse[E any](s []E) []E {
	if cap(s) > maxPooled {
		return nil
	}
	return s[:0]
}

func (h *rest) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := calls.Get().(*call)
	c.Request, c.header, c.status = r, w.Header(), http.StatusOK
	route, err := h.find(c)
	began := route.counters.Begin()
	c.result.began = began
	if err == nil {
		err = h.run(c, route)
	}
	if err != nil {
		c.refuse(err)
	}
	h.answer(w, c)
	route.counters.End(began, statusText(c.status))
	level := LevelDebug
	if c.status >= 500 && h.models.Ready() {
		level = LevelWarn
	}
	if log := h.models.Log; log.Enabled(level) {
		log.Log(level, "request", "method", r.Method, "path", r.URL.Path, "status", c.status,
			"seconds", time.Since(began), "remote", r.RemoteAddr)
	}
	c.free()
}

// statusText is strconv.Itoa without memory for the usual case.
func statusText(status int) string {
	if status == http.StatusOK {
		return "200"
	}
	return strconv.Itoa(status)
}

// run calls the handler and turns a panic into an answer.
func (h *rest) run(c *call, route *restRoute) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = h.models.Panicked(c.Method+" "+c.URL.Path, v)
		}
	}()
	return route.handle(c)
}

// answer writes the answer. A server that drains asks the client to connect
// again elsewhere.
func (h *rest) answer(w http.ResponseWriter, c *call) {
	if c.header.Get("Content-Type") == "" {
		c.header["Content-Type"] = jsonType
	}
	if !h.models.Ready() {
		c.header.Set("Connection", "close")
	}
	c.header.Set("Content-Length", strconv.Itoa(len(c.out)))
	w.WriteHeader(c.status)
	w.Write(c.out) // an error means that the client went away
}

// jsonType has no charset parameter: the KServe SDK reads an error's text only
// if the type is exactly this.
var jsonType = []string{"application/json"}

// refuse makes the answer an error.
func (c *call) refuse(err error) {
	e, ok := err.(*Error)
	if !ok {
		e = &Error{http.StatusInternalServerError, err.Error()}
	}
	c.status = e.Status
	c.header["Content-Type"] = jsonType
	c.out = append(appendText(append(c.out[:0], `{"error":`...), e.Text), "}\n"...)
}

// find returns the route of a request and sets the model in c.
func (h *rest) find(c *call) (*restRoute, error) {
	segments, n, ok := split(c.URL)
	if !ok {
		return &restRoute{counters: h.lost}, h.notFound(c)
	}
	var allow []string
	for i := range h.routes {
		route := &h.routes[i]
		if !route.match(segments[:n]) {
			continue
		}
		if c.Method == route.method || c.Method == http.MethodHead && route.method == http.MethodGet {
			return route, c.bind(route, segments[:n])
		}
		if allow = append(allow, route.method); route.method == http.MethodGet {
			allow = append(allow, http.MethodHead)
		}
	}
	if allow == nil {
		return &restRoute{counters: h.lost}, h.notFound(c)
	}
	methods := strings.Join(allow, ", ")
	c.header.Set("Allow", methods)
	return &restRoute{counters: h.lost}, Errorf(http.StatusMethodNotAllowed, "method %s is not allowed here, use %s", c.Method, methods)
}

func (h *rest) notFound(c *call) error {
	return Errorf(http.StatusNotFound, "no such route: %s", c.URL.Path)
}

// split cuts the escaped path at its slashes, so that a model's name may
// contain an escaped one.
func split(u *url.URL) (segments [8]string, n int, ok bool) {
	path := u.RawPath // as it came, if that is not the usual escaping
	if path == "" {
		path = u.EscapedPath()
	}
	rest, ok := strings.CutPrefix(path, "/")
	for ok {
		if n == len(segments) {
			return segments, n, false
		}
		segments[n], rest, ok = strings.Cut(rest, "/")
		n++
	}
	return segments, n, n > 0
}

func (r *restRoute) match(segments []string) bool {
	if len(segments) != len(r.segments) {
		return false
	}
	for i, s := range r.segments {
		if s != segments[i] && s[0] != '{' {
			return false
		}
	}
	return true
}

// bind takes the model's name and version from the path.
func (c *call) bind(r *restRoute, segments []string) error {
	for i, s := range r.segments {
		if s[0] != '{' {
			continue
		}
		text, err := url.PathUnescape(segments[i])
		if err != nil || text == "" {
			return invalid("%q is not a %s", segments[i], strings.Trim(s, "{}"))
		}
		if s == "{model}" {
			c.model = text
		} else {
			c.version = text
		}
	}
	return nil
}

// query takes the model's name and version from the query, and refuses others.
func (c *call) query() error {
	if c.URL.RawQuery == "" {
		return nil
	}
	values, err := url.ParseQuery(c.URL.RawQuery)
	if err != nil {
		return invalid("invalid query: %s", err)
	}
	for key, v := range values {
		switch {
		case len(v) > 1:
			return invalid("query parameter %q is there twice", key)
		case key == "model":
			c.model = v[0]
		case key == "version":
			c.version = v[0]
		default:
			return invalid("unknown query parameter %q%s", key, nearest.Hint(key, []string{"model", "version"}))
		}
	}
	return nil
}

func (h *rest) metrics(c *call) error {
	c.header.Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	c.out = h.models.Metrics.Append(c.out)
	return nil
}
