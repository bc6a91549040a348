package serve_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/serve"
)

func TestRoutes(t *testing.T) {
	h := serve.Handler(newModels(t))
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/", 404, ""},
		{"GET", "/nothing", 404, ""},
		{"POST", "/v2/", 404, ""},
		{"GET", "/v2/models/churn/versions", 404, ""},
		{"GET", "/a/b/c/d/e/f/g/h/i/j/k", 404, ""},
		{"GET", "/predict", 405, "POST"},
		{"PUT", "/batch_predict", 405, "POST"},
		{"POST", "/health", 405, "GET, HEAD"},
		{"DELETE", "/v2/models/churn", 405, "GET, HEAD"},
		{"GET", "/v2/models/churn/infer", 405, "POST"},
		{"OPTIONS", "/v2/models/none/versions/1/infer", 405, "POST"},
		{"POST", "/metrics", 405, "GET, HEAD"},
	} {
		w := send(h, c.method, c.path, "{}")
		require.Equal(t, c.status, w.Code, c.path)
		require.Equal(t, c.allow, w.Header().Get("Allow"), c.path)
		requireError(t, w.Body.Bytes(), map[int]string{404: "no such route: " + c.path, 405: "method " + c.method + " is not allowed here"}[c.status])
	}
}

func TestContentTypes(t *testing.T) {
	h := serve.Handler(newModels(t))
	for kind, status := range map[string]int{
		"": 200, "application/json": 200, "Application/JSON; charset=UTF-8": 200, "application/json;charset=\"utf-8\"": 200,
		"application/json; charset=latin1": 415, "text/plain": 415, "application/x-www-form-urlencoded": 415, "application/octet-stream": 415, "json": 415, ";": 415,
	} {
		w := send(h, "POST", "/predict", `[1,2,3,1]`, "Content-Type: "+kind)
		require.Equal(t, status, w.Code, kind)
		if status != 200 {
			requireError(t, w.Body.Bytes(), "content type ")
		}
	}
}

func TestContentEncodings(t *testing.T) {
	h := serve.Handler(newModels(t))
	pack := func(w io.WriteCloser, b *bytes.Buffer, text string) string {
		b.Reset()
		io.WriteString(w, text)
		w.Close()
		return b.String()
	}
	var b bytes.Buffer
	zipped := pack(gzip.NewWriter(&b), &b, `[1,2,3,1]`)
	deflated := pack(zlib.NewWriter(&b), &b, `[1,2,3,1]`)
	bomb := pack(gzip.NewWriter(&b), &b, strings.Repeat(" ", 1<<20))
	require.Less(t, len(bomb), 4096)
	for _, c := range []struct {
		encoding, body string
		status         int
		want           string
	}{
		{"", `[1,2,3,1]`, 200, ""},
		{"identity", `[1,2,3,1]`, 200, ""},
		{"gzip", zipped, 200, ""},
		{"GZIP", zipped, 200, ""},
		{"deflate", deflated, 200, ""},
		{"gzip", bomb, 413, "the body is larger than 4096 bytes"},
		{"gzip", `[1,2,3,1]          `, 400, "cannot read the body: gzip: invalid header"},
		{"gzip", zipped[:len(zipped)-5], 400, "cannot read the body: unexpected EOF"},
		{"gzip", "", 400, "cannot read the body: EOF"},
		{"deflate", zipped, 400, "cannot read the body: zlib: invalid header"},
		{"br", zipped, 415, `content encoding "br" is not supported, use gzip or deflate`},
		{"gzip, gzip", zipped, 415, "is not supported"},
	} {
		w := send(h, "POST", "/predict", c.body, "Content-Encoding: "+c.encoding)
		require.Equal(t, c.status, w.Code, "%s %s", c.encoding, w.Body)
		if c.status != 200 {
			requireError(t, w.Body.Bytes(), c.want)
		}
	}
}

// Every line of /metrics must have the form that Prometheus reads, and say what
// was done.
func TestMetrics(t *testing.T) {
	p := churn()
	p.Source.Format = "a\"b\\c\nd"
	m, err := serve.NewModels(serve.Limits{MaxBody: 4096, MaxRows: 50}, nil, p, argmax())
	require.NoError(t, err)
	h := serve.Handler(m)
	send(h, "POST", "/batch_predict", `[[1,2,3,1],[1,2,3,1],[1,2,3,1]]`)
	send(h, "POST", "/predict", `[1,2,3,1]`)
	send(h, "POST", "/predict", `[`)
	send(h, "POST", "/predict?model=argmax", `[13]`)
	send(h, "POST", "/v2/models/churn/infer", tensor(`[1,4]`, "FP32", `[1,2,3,1]`))
	send(h, "GET", "/"+strings.Repeat("x", 20), "")
	w := send(h, "GET", "/metrics", "")
	require.Equal(t, "text/plain; version=0.0.4; charset=utf-8", w.Header().Get("Content-Type"))
	metrics := parseMetrics(t, w.Body.String())
	for name, want := range map[string]float64{
		`hew_requests_total{protocol="http",route="/predict",code="200"}`:                 1,
		`hew_requests_total{protocol="http",route="/predict",code="400"}`:                 1,
		`hew_requests_total{protocol="http",route="/predict",code="500"}`:                 1,
		`hew_requests_total{protocol="http",route="/v2/models/{model}/infer",code="200"}`: 1,
		`hew_requests_total{protocol="http",route="other",code="404"}`:                    1,
		`hew_requests_in_flight{protocol="http",route="/metrics"}`:                        1,
		`hew_requests_in_flight{protocol="http",route="/predict"}`:                        0,
		`hew_request_seconds_count{protocol="http",route="/predict"}`:                     3,
		`hew_request_seconds_bucket{protocol="http",route="/predict",le="+Inf"}`:          3,
		`hew_rows_total{model="churn",version="1"}`:                                       5,
		`hew_rows_total{model="argmax",version="7"}`:                                      0,
		`hew_parse_seconds_count{model="churn",version="1"}`:                              3,
		`hew_score_seconds_count{model="churn",version="1"}`:                              3,
		`hew_panics_total`: 1,
		`hew_model_info{model="churn",version="1",sha256="9f2c",format="a\"b\\c\nd",engine="fake",exact="true",hew="dev"}`: 1,
	} {
		got, ok := metrics[name]
		require.True(t, ok, "%s is not in\n%s", name, w.Body)
		require.Equal(t, want, got, name)
	}
}

// parseMetrics reads the Prometheus text format. Families must be declared
// before their samples, histograms must be cumulative.
func parseMetrics(t *testing.T, text string) map[string]float64 {
	t.Helper()
	require.True(t, strings.HasSuffix(text, "\n"))
	sample := regexp.MustCompile(`^([a-z_]+)(\{([a-z0-9_]+="(\\[\\n"]|[^\\"\n])*",?)+\})? (\S+)$`)
	metrics := map[string]float64{}
	family, kind, last := "", "", 0.0
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if fields := strings.Fields(line); fields[0] == "#" {
			if fields[1] == "TYPE" {
				family, kind = fields[2], fields[3]
				require.Contains(t, []string{"counter", "gauge", "histogram"}, kind)
			}
			continue
		}
		m := sample.FindStringSubmatch(line)
		require.NotNil(t, m, line)
		name := m[1]
		if kind == "histogram" {
			name = regexp.MustCompile("_(bucket|sum|count)$").ReplaceAllString(name, "")
		}
		require.Equal(t, family, name)
		v, err := strconv.ParseFloat(m[5], 64)
		require.NoError(t, err)
		require.NotContains(t, metrics, m[1]+m[2])
		metrics[m[1]+m[2]] = v
		if strings.HasSuffix(m[1], "_bucket") {
			require.True(t, v >= last || strings.Contains(line, `le="2.5e-05"`), line)
			last = v
		}
	}
	return metrics
}
