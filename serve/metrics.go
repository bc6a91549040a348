package serve

import (
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"hew/predict"
)

// Metrics counts what the front ends and models do and writes it in the
// Prometheus text format. It is own code because a REST server links no
// third-party package, and counters are all that is needed.
type Metrics struct {
	started time.Time
	panics  atomic.Int64

	mu     sync.Mutex
	routes []*Route
	models []*counter
}

// A Route counts the requests to one route of one front end.
type Route struct {
	protocol, name string

	inFlight atomic.Int64
	seconds  histogram
	codes    sync.Map // code → *atomic.Int64
}

// A counter counts the rows that a model scored.
type counter struct {
	info    *predict.Info
	rows    atomic.Int64
	parsing histogram // of requests
	seconds histogram // in the predictor
}

func newMetrics() *Metrics { return &Metrics{started: time.Now()} }

// Route returns the counters of a route, and makes them at the first call. The
// name must come from a fixed set, never from a request.
func (m *Metrics) Route(protocol, name string) *Route {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.routes {
		if r.protocol == protocol && r.name == name {
			return r
		}
	}
	r := &Route{protocol: protocol, name: name}
	m.routes = append(m.routes, r)
	return r
}

func (m *Metrics) model(info *predict.Info) *counter {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &counter{info: info}
	m.models = append(m.models, c)
	return c
}

// Begin notes a request that is being answered. The caller hands the time to End.
func (r *Route) Begin() time.Time {
	r.inFlight.Add(1)
	return time.Now()
}

// End notes the answer to a request: an HTTP status or another protocol's code.
func (r *Route) End(began time.Time, code string) {
	r.inFlight.Add(-1)
	r.seconds.observe(time.Since(began))
	n, ok := r.codes.Load(code)
	if !ok {
		n, _ = r.codes.LoadOrStore(code, new(atomic.Int64))
	}
	n.(*atomic.Int64).Add(1)
}

func (c *counter) observe(rows int, d time.Duration) {
	c.rows.Add(int64(rows))
	c.seconds.observe(d)
}

// bounds are the upper bounds of a histogram's buckets in seconds. They begin
// low because trees take microseconds.
var bounds = [...]float64{25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1, 2.5, 5}

type histogram struct {
	buckets [len(bounds) + 1]atomic.Int64 // not cumulative; the last one has no bound
	nanos   atomic.Int64
}

func (h *histogram) observe(d time.Duration) {
	i := 0
	for i < len(bounds) && d.Seconds() > bounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.nanos.Add(int64(d))
}

// Append appends the metrics in the text format to b.
func (m *Metrics) Append(b []byte) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	w := metricWriter{b}
	w.head("hew_requests_total", "counter", "Requests answered, by front end, route and status.")
	for _, r := range m.routes {
		r.codes.Range(func(code, n any) bool {
			w.line("hew_requests_total", r.labels("code", code.(string)), n.(*atomic.Int64).Load())
			return true
		})
	}
	w.head("hew_requests_in_flight", "gauge", "Requests being answered.")
	for _, r := range m.routes {
		w.line("hew_requests_in_flight", r.labels(), r.inFlight.Load())
	}
	w.head("hew_request_seconds", "histogram", "Time from the end of a request's header to the end of its answer.")
	for _, r := range m.routes {
		w.histogram("hew_request_seconds", r.labels(), &r.seconds)
	}
	w.head("hew_rows_total", "counter", "Rows scored.")
	for _, c := range m.models {
		w.line("hew_rows_total", c.labels(), c.rows.Load())
	}
	w.head("hew_parse_seconds", "histogram", "Time from when a front end begins to read a request to the call of the predictor.")
	for _, c := range m.models {
		w.histogram("hew_parse_seconds", c.labels(), &c.parsing)
	}
	w.head("hew_score_seconds", "histogram", "Time in the predictor, per call.")
	for _, c := range m.models {
		w.histogram("hew_score_seconds", c.labels(), &c.seconds)
	}
	w.head("hew_panics_total", "counter", "Requests that ended in a panic.")
	w.line("hew_panics_total", nil, m.panics.Load())
	w.head("hew_model_info", "gauge", "The models served and what they were made from.")
	for _, c := range m.models {
		s := &c.info.Source
		w.line("hew_model_info", append(c.labels(), "sha256", s.SHA256, "format", s.Format, "engine", s.Engine,
			"exact", strconv.FormatBool(s.Exact), "hew", s.Hew), 1)
	}
	w.head("hew_build_info", "gauge", "The Go toolchain that built the server.")
	w.line("hew_build_info", []string{"go", runtime.Version()}, 1)
	w.head("process_start_time_seconds", "gauge", "Start of the process in Unix time.")
	w.line("process_start_time_seconds", nil, m.started.Unix())
	return w.b
}

func (r *Route) labels(more ...string) []string {
	return append([]string{"protocol", r.protocol, "route", r.name}, more...)
}

func (c *counter) labels() []string {
	return []string{"model", c.info.Name, "version", c.info.Version}
}

// A metricWriter appends lines of the text format.
type metricWriter struct{ b []byte }

func (w *metricWriter) head(name, kind, help string) {
	w.b = append(w.b, "# HELP "+name+" "+help+"\n# TYPE "+name+" "+kind+"\n"...)
}

func (w *metricWriter) name(name string, labels []string) {
	w.b = append(w.b, name...)
	for i := 0; i+1 < len(labels); i += 2 {
		if i == 0 {
			w.b = append(w.b, '{')
		} else {
			w.b = append(w.b, ',')
		}
		w.b = append(w.b, labels[i]...)
		w.b = append(w.b, `="`...)
		w.b = append(w.b, labelEscapes.Replace(labels[i+1])...)
		w.b = append(w.b, '"')
	}
	if len(labels) > 0 {
		w.b = append(w.b, '}')
	}
	w.b = append(w.b, ' ')
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func (w *metricWriter) line(name string, labels []string, v int64) {
	w.name(name, labels)
	w.b = append(strconv.AppendInt(w.b, v, 10), '\n')
}

func (w *metricWriter) histogram(name string, labels []string, h *histogram) {
	var n int64
	for i := range h.buckets {
		n += h.buckets[i].Load()
		bound := "+Inf"
		if i < len(bounds) {
			bound = strconv.FormatFloat(bounds[i], 'g', -1, 64)
		}
		w.line(name+"_bucket", append(labels[:len(labels):len(labels)], "le", bound), n)
	}
	w.name(name+"_sum", labels)
	w.b = strconv.AppendFloat(w.b, time.Duration(h.nanos.Load()).Seconds(), 'g', -1, 64)
	w.b = append(w.b, '\n')
	w.line(name+"_count", labels, n)
}
