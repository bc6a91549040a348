package report

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hew/bench"
	"hew/tune"
)

var update = flag.Bool("update", false, "rewrite golden files")

// read returns records of lines of JSON.
func read(t testing.TB, lines string) *Records {
	t.Helper()
	var r Records
	require.NoError(t, r.Read("test.jsonl", strings.NewReader(lines)))
	return &r
}

// checkedIn returns the lines of records that have all there is to show.
func checkedIn(t testing.TB) []string {
	data, err := os.ReadFile("testdata/records.jsonl")
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

func full(t testing.TB) *Report { return New(read(t, strings.Join(checkedIn(t), "\n"))) }

// written returns what a format writes.
func written(t testing.TB, write func(io.Writer) error) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, write(&b))
	return b.String()
}

func TestGolden(t *testing.T) {
	r := full(t)
	for name, write := range map[string]func(io.Writer) error{"report.md": r.Markdown, "report.csv": r.CSV} {
		got := written(t, write)
		file := filepath.Join("testdata", name)
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(got), 0o666))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(want), got, "run with -update and read the diff")
	}
}

// TestSame: the same records give the same bytes.
func TestSame(t *testing.T) {
	one, other := full(t), full(t)
	require.Equal(t, written(t, one.HTML), written(t, other.HTML))
	require.Equal(t, written(t, one.Markdown), written(t, other.Markdown))
	require.Equal(t, written(t, one.CSV), written(t, other.CSV))
}

var (
	asksFor = regexp.MustCompile(`(?i)(?:src|href|srcset|data|action|poster)\s*=\s*["']?([^"'\s>]+)|url\(([^)]*)\)|(@import|@font-face|<script|<iframe|<object|<embed)`)
	anyURL  = regexp.MustCompile(`(?i)[a-z]+://[^\s"'<]+`)
)

// TestAlone: the page asks for nothing that is not in it.
func TestAlone(t *testing.T) {
	html := written(t, full(t).HTML)
	for _, m := range asksFor.FindAllStringSubmatch(html, -1) {
		target := m[1] + m[2] + m[3]
		require.True(t, strings.HasPrefix(target, "#") || target == "data:,", "the page asks for %q", m[0])
	}
	require.Empty(t, anyURL.FindAllString(html, -1))
	require.Contains(t, html, `content="default-src 'none';`)
}

// ids returns the identifiers of sections, and those of figures.
func ids(r *Report) (sections, figures []string) {
	for _, p := range r.Parts {
		for _, s := range p.Sections {
			sections = append(sections, s.ID)
		}
	}
	return sections, r.FigureNames()
}

func TestSections(t *testing.T) {
	sections, figures := ids(full(t))
	require.Equal(t, []string{"m1-model", "m1-passes", "m1-tradeoff", "m1-engines", "m1-latency", "m1-serving", "m1-machine"}, sections)
	require.Equal(t, []string{
		"m1-passes-nodes", "m1-tradeoff-speed", "m1-tradeoff-bounds", "m1-engines-time", "m1-engines-batch", "m1-latency-rows",
		"m1-serving-throughput", "m1-serving-latency", "m1-serving-protocols", "m1-serving-parts",
	}, figures)
}

// TestSome: what no record says has no section, and nothing of it fails.
func TestSome(t *testing.T) {
	for name, c := range map[string]struct {
		keep string // a regular expression
		want string
	}{
		"setup alone":  {`"setup"`, "m1-model m1-passes m1-machine"},
		"no server":    {`"setup"|"ns_per_row"|"tune"`, "m1-model m1-passes m1-tradeoff m1-engines m1-machine"},
		"no search":    {`"setup"|"ns_per_row":|"p50_ms"`, "m1-model m1-passes m1-engines m1-latency m1-serving m1-machine"},
		"search alone": {`"tune"`, "m1-tradeoff m1-machine"},
		"engines":      {`"ns_per_row"`, "m1-engines m1-machine"},
		"servers":      {`"p50_ms"`, "m1-latency m1-serving m1-machine"},
		"failed load":  {`"first_error"`, "m1-serving m1-machine"},
	} {
		keep := regexp.MustCompile(c.keep)
		lines := slices.DeleteFunc(checkedIn(t), func(s string) bool { return !keep.MatchString(s) })
		r := New(read(t, strings.Join(lines, "\n")))
		sections, _ := ids(r)
		require.Equal(t, c.want, strings.Join(sections, " "), name)
		checkPlots(t, r)
		written(t, r.HTML)
	}
}

// TestOne: each record can be all there is.
func TestOne(t *testing.T) {
	for _, line := range checkedIn(t) {
		r := New(read(t, line))
		sections, _ := ids(r)
		require.NotEmpty(t, sections, line)
		checkPlots(t, r)
		for _, write := range []func(io.Writer) error{r.HTML, r.Markdown, r.CSV} {
			require.NotEmpty(t, written(t, write))
		}
	}
}

// A piece of an SVG picture, as far as the tests look at it.
type piece struct {
	XMLName xml.Name
	ViewBox string  `xml:"viewBox,attr"`
	X       float64 `xml:"x,attr"`
	Y       float64 `xml:"y,attr"`
	Size    float64 `xml:"font-size,attr"`
	Length  float64 `xml:"textLength,attr"`
	Turned  string  `xml:"transform,attr"`
	D       string  `xml:"d,attr"`
	Text    string  `xml:",chardata"`
	Pieces  []piece `xml:",any"`
}

// checkPlots reports plots that are no XML, that have numbers that are none, and whose
// words are cut or overlap.
func checkPlots(t testing.TB, r *Report) {
	t.Helper()
	r.eachFigure(func(f *figure) {
		for _, c := range f.Plots {
			var svg piece
			require.NoError(t, xml.Unmarshal([]byte(c.SVG()), &svg), c.id)
			var words []piece
			for _, p := range svg.Pieces {
				require.NotContains(t, p.D, "NaN", c.id)
				require.NotContains(t, p.D, "Inf", c.id)
				if p.XMLName.Local != "text" || p.Turned != "" {
					continue
				}
				require.True(t, p.X >= 0 && p.X+p.Length <= c.canvas.width+0.5 && p.Y-p.Size/2 >= 0 && p.Y <= c.canvas.height, "%s: %q is cut", c.id, p.Text)
				for _, o := range words {
					apart := p.X >= o.X+o.Length || o.X >= p.X+p.Length || p.Y-0.7*p.Size >= o.Y || o.Y-0.7*o.Size >= p.Y
					require.True(t, apart, "%s: %q and %q overlap", c.id, p.Text, o.Text)
				}
				words = append(words, p)
			}
		}
	})
}

func TestPlots(t *testing.T) { checkPlots(t, full(t)) }

const evil = `<script>alert("1")</script>'"&|*[x](http://e.example)` + "`\n"

// TestEscaped: words of records are words in the page, whatever they are.
func TestEscaped(t *testing.T) {
	var lines strings.Builder
	for _, line := range checkedIn(t) {
		var v any
		require.NoError(t, json.Unmarshal([]byte(line), &v))
		require.NoError(t, json.NewEncoder(&lines).Encode(poison("", v)))
	}
	r := New(read(t, lines.String()))
	html := written(t, r.HTML)
	require.NotContains(t, html, "<script")
	require.Contains(t, html, "&lt;script&gt;")
	for line := range strings.Lines(written(t, r.Markdown)) {
		require.NotContains(t, line, "<script")
		require.NotRegexp(t, "[^\\\\]`", line)
		require.NotRegexp(t, `[^\\]\[x\]`, line)
	}
	checkPlots(t, r)
	var svg strings.Builder
	require.NoError(t, r.SVG(&svg, "engines-batch"))
	require.NoError(t, xml.Unmarshal([]byte(svg.String()), new(piece)))
	require.NotContains(t, svg.String(), "<script")
}

// poison puts evil behind each word but kinds and times.
func poison(key string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = poison(k, v[k])
		}
	case []any:
		for i := range v {
			v[i] = poison(key, v[i])
		}
	case string:
		if key != "kind" && key != "time" {
			return v + evil
		}
	}
	return v
}

func TestRefused(t *testing.T) {
	timing := `{"model":"m","engine":"e","batch":%s,"threads":1,"ns_per_row_min":%s,"ns_per_row":%s,"ns_per_row_max":%s}`
	load := `{"model":"m","engine":"rest","connections":%s,"rows_per_request":1,"requests_per_s":%s,"p50_ms":%s,"p95_ms":2,"p99_ms":3}`
	speed := `{"kind":"tune","model":"m","speed":{"batch":%s,"ns_single_min":%s,"ns_single":2,"ns_single_max":3,"ns_batch_min":1,"ns_batch":2,"ns_batch_max":3}}`
	judge := `{"kind":"tune","model":"m","judge":{"metric":"auc","samples":9,"loss_increase":%s,"loss_increase_low":%s,"loss_increase_high":%s}}`
	for line, want := range map[string]string{
		`{`:                                                  "is no JSON object, as hew bench --json and hew tune --json write them: unexpected end of JSON input",
		`[1]`:                                                "is no JSON object",
		`{"model":"m"`:                                       "is no JSON object",
		`{"kind":"flame"}`:                                   `is a record of kind "flame", which this version of hew does not know`,
		`{"kind":"tune"}`:                                    `has no "model"`,
		`{"engine":"e"}`:                                     `has no "model"`,
		`{"model":"m"}`:                                      "measures nothing",
		`{"model":5}`:                                        "cannot unmarshal number",
		`{"model":"m","batch":1}`:                            "has 0 ns per row",
		fmt.Sprintf(timing, "0", "1", "2", "3"):              "for batches of 0",
		fmt.Sprintf(timing, "1", "0", "2", "3"):              "has 2 ns per row, of 0 to 3",
		fmt.Sprintf(timing, "1", "-1", "2", "3"):             "of -1 to 3",
		fmt.Sprintf(timing, "1", "3", "2", "3"):              "of 3 to 3",
		fmt.Sprintf(timing, "1", "1", "2", "1e300"):          "1e+300",
		fmt.Sprintf(timing, "1", "1", "NaN", "3"):            "is no JSON object",
		fmt.Sprintf(load, "0", "1", "1"):                     "for 0 connections",
		fmt.Sprintf(load, "1", "-1", "1"):                    "has -1 of 0 requests per second",
		fmt.Sprintf(load, "1", "1", "2.5"):                   "has percentiles 2.5, 2 and 3 ms",
		fmt.Sprintf(speed, "0", "1"):                         "in batches of 0",
		fmt.Sprintf(speed, "1", "-1"):                        "of -1 to 3",
		fmt.Sprintf(judge, "0", "1", "-1"):                   "has a auc of 0 on 0 rows, and an increase of the loss by 0, 1 to -1",
		fmt.Sprintf(judge, "1e99", "0", "1"):                 "1e+99",
		`{"kind":"tune","model":"m","nodes":-1}`:             "has 0 trees, -1 nodes",
		`{"kind":"tune","model":"m","certified_bound":[-1]}`: "has bounds [-1]",
		`{"model":"m","setup":{"card":{"nodes":-7}}}`:        "-7 nodes",
		`{"model":"m","setup":{"passes":[{"name":"p","after":{"nodes":-7}}]}}`:                   "has a pass p of 0 s, from 0 to -7 nodes",
		`{"model":"m","connections":1,"rows_per_request":1,"parts":[{"name":"x","mean_ms":-1}]}`: `has a part "x" of -1 ms`,
	} {
		var r Records
		err := r.Read("r.jsonl", strings.NewReader(checkedIn(t)[0]+"\n"+line+"\n"))
		require.ErrorContains(t, err, "r.jsonl: line 2: ", line)
		require.ErrorContains(t, err, want, line)
	}
	var r Records
	require.ErrorContains(t, r.Read("empty", strings.NewReader("")), "empty: no records")
	require.ErrorContains(t, r.Read("blank", strings.NewReader(" \n\n")), "blank: no records")
	require.NoError(t, r.Read("lines", strings.NewReader("\n"+checkedIn(t)[0]+"\r\n\n")))
	require.ErrorContains(t, r.Read("long", strings.NewReader(strings.Repeat("x", maxLine+1))), "long: line 1: ")
	require.ErrorIs(t, r.Read("broken", broken{}), errBroken)
}

// TestInfinite: what hew tune cannot bound has the largest number in place of an
// infinity, and is shown as one. Bounds may be too large, or too small, for a plot.
func TestInfinite(t *testing.T) {
	const line = `{"kind":"tune","model":"m","prune":%q,"trees":2,"nodes":6,"bytes":90,"certified_bound":[%v],"margin_change":[%v],
"judge":{"metric":"error","smaller_is_better":true,"rows":9,"value":0.1,"loss_increase":0.01,"samples":200,"loss_increase_low":-0.01,"loss_increase_high":%v},
"speed":{"batch":64,"rounds":5,"ns_single_min":1,"ns_single":2,"ns_single_max":3,"ns_batch_min":1,"ns_batch":2,"ns_batch_max":3,"bit_equal":true},"front":true}`
	lines := ""
	for i, bound := range []float64{0, math.MaxFloat64, 1e200, 1e-41} {
		lines += strings.ReplaceAll(fmt.Sprintf(line, []string{"", "trees=1", "trees=2", "trees=3"}[i], bound, bound, math.MaxFloat64), "\n", "") + "\n"
	}
	var r Records
	require.NoError(t, r.Read("r.jsonl", strings.NewReader(lines)))
	rep := New(&r)
	var page, text strings.Builder
	require.NoError(t, rep.HTML(&page))
	require.NoError(t, rep.Markdown(&text))
	require.Contains(t, page.String(), "loss 1 %, −1 % to ∞ %")
	for _, want := range []string{" ∞ % |", " ∞ |", " 1.00e+200 |", " 1.00e-41 |"} {
		require.Contains(t, text.String(), want)
	}
	require.NotContains(t, page.String()+text.String(), "Inf")
	require.NotContains(t, page.String(), "NaN")
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBroken }

// FuzzReport: what is read can be written, in every format.
func FuzzReport(f *testing.F) {
	lines := checkedIn(f)
	for _, line := range lines {
		f.Add(line)
	}
	f.Add(strings.Join(lines, "\n"))
	f.Fuzz(func(t *testing.T, lines string) {
		var r Records
		if r.Read("fuzz", strings.NewReader(lines)) != nil {
			return
		}
		rep := New(&r)
		for _, write := range []func(io.Writer) error{rep.HTML, rep.Markdown, rep.CSV} {
			require.NoError(t, write(io.Discard))
		}
	})
}

// TestAside: what many candidates were not measured for is there, and out of the way.
func TestAside(t *testing.T) {
	lines := checkedIn(t)
	require.NotContains(t, written(t, New(read(t, strings.Join(lines, "\n"))).HTML), "<details>")
	for i := range 30 {
		lines = append(lines, fmt.Sprintf(`{"kind":"tune","model":"churn","cpu":"Test CPU 3000","time":"2026-01-02T03:02:00Z","prune":"epsilon=0.%d","rejected":"no better"}`, i+1))
	}
	html := written(t, New(read(t, strings.Join(lines, "\n"))).HTML)
	require.Equal(t, 1, strings.Count(html, "<details><summary>Candidates that the search tried and did not measure: 32</summary>"))
	require.Equal(t, 1, strings.Count(html, "</details>"))
	require.Equal(t, 30, strings.Count(html, "<td>no better</td>"))
	md := written(t, New(read(t, strings.Join(lines, "\n"))).Markdown)
	require.Contains(t, md, "\nCandidates that the search tried and did not measure: 32. The page and the CSV file list them.\n")
	require.NotContains(t, md, "no better")
	require.Equal(t, 30, strings.Count(written(t, New(read(t, strings.Join(lines, "\n"))).CSV), "no better"))
}

// TestMany: thousands of records and models are no matter.
func TestMany(t *testing.T) {
	var lines strings.Builder
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	e := json.NewEncoder(&lines)
	for i := range 3000 {
		v := float64(i%997 + 1)
		require.NoError(t, e.Encode(bench.Record{Model: fmt.Sprint("m", i%20), Engine: fmt.Sprint("engine ", i%7), CPU: "c", Time: at,
			Timing: &bench.Timing{Batch: 1 + i%11, Threads: 1, NsPerRow: v, NsMin: v, NsMax: v * 2, BitEqual: true, Reference: "engine 0"}}))
		require.NoError(t, e.Encode(tune.Record{Kind: "tune", Model: fmt.Sprint("m", i%20), CPU: "c", Time: at, Prune: fmt.Sprint(strings.Repeat("x", i%50), i), Front: i%3 == 0,
			Judge: &tune.Judgement{Metric: "auc", Rows: 5, Value: 0.5, Increase: v / 1e4, Low: 0, High: v, Samples: 3},
			Speed: &tune.Speed{Batch: 1, NsSingle: v, SingleMin: v, SingleMax: v, NsBatch: v, BatchMin: v, BatchMax: v, BitEqual: true}}))
	}
	began := time.Now()
	r := New(read(t, lines.String()))
	require.Len(t, r.Parts, 20)
	checkPlots(t, r)
	written(t, r.HTML)
	require.Less(t, time.Since(began), 20*time.Second)
}

// TestNewest: of a measurement that was made again the newest counts, in any order.
func TestNewest(t *testing.T) {
	run := func(second int, ns float64) string {
		return fmt.Sprintf(`{"model":"m","engine":"interp","cpu":"c","time":"2026-01-02T03:04:%02dZ","batch":1,"threads":1,"ns_per_row_min":%[2]v,"ns_per_row":%[2]v,"ns_per_row_max":%[2]v,"reference":"interp"}`, second, ns) + "\n"
	}
	for _, lines := range []string{run(1, 111) + run(2, 222), run(2, 222) + run(1, 111)} {
		r := New(read(t, lines))
		require.Equal(t, "1 older record, which newer ones of the same measurement replace, is left out.", r.Older)
		md := written(t, r.Markdown)
		require.Contains(t, md, " 222 ")
		require.NotContains(t, md, " 111 ")
	}
}

// TestModels: models of the same name are not taken for one.
func TestModels(t *testing.T) {
	setup := func(digest string, trees int) string {
		return fmt.Sprintf(`{"model":"model","cpu":"c","time":"2026-01-02T03:04:05Z","setup":{"card":{"sha256":%q,"trees":%d}}}`+"\n", digest, trees)
	}
	tuned := `{"kind":"tune","model":"model","cpu":"c","time":"2026-01-02T03:04:05Z","rejected":"tuned"}` + "\n"
	r := New(read(t, setup("aaaaaaaaaa", 5)+tuned+setup("bbbbbbbbbb", 7)))
	require.Len(t, r.Parts, 2)
	require.Equal(t, "model, c, sha256 aaaaaaaa", r.Parts[0].Title)
	require.Equal(t, "model, c, sha256 bbbbbbbb", r.Parts[1].Title)
	require.Len(t, New(read(t, tuned+setup("aaaaaaaaaa", 5))).Parts, 1, "there is but one that it can be")
}

func TestSVG(t *testing.T) {
	r := full(t)
	for _, name := range append(r.FigureNames(), "tradeoff-speed") {
		var svg piece
		require.NoError(t, xml.Unmarshal([]byte(written(t, func(w io.Writer) error { return r.SVG(w, name) })), &svg), name)
		require.Equal(t, "svg", svg.XMLName.Local)
		require.NotEmpty(t, svg.Pieces)
	}
	require.EqualError(t, r.SVG(io.Discard, "nosuch"), `there is no figure "nosuch"; there are: `+strings.Join(r.FigureNames(), ", "))
}

// TestAxes: no labels overlap and none are cut, whatever is measured.
func TestAxes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	amount := func(middle, spread float64) float64 { return math.Pow(10, middle+spread*(r.Float64()-0.5)) }
	for range 100 {
		middle, spread := 9*r.Float64(), 7*r.Float64()*r.Float64()
		var rec Records
		for i := range 2 + r.IntN(9) {
			low, wide := amount(middle, spread), 1+3*r.Float64()
			name := strings.Repeat("W", 1+r.IntN(longName+5))
			rec.bench = append(rec.bench, filed[bench.Record]{record: bench.Record{Model: "m", Engine: name, Timing: &bench.Timing{
				Batch: 1 + i%4*int(amount(1, 2)), Threads: 1, NsMin: low, NsPerRow: low * math.Sqrt(wide), NsMax: low * wide, Reference: "none", BitEqual: true}}})
			rec.bench = append(rec.bench, filed[bench.Record]{record: bench.Record{Model: "m", Engine: "rest", Load: &bench.Load{
				Connections: 1 + i*r.IntN(50), BatchRows: 1 + i/4, PerSecond: amount(middle, spread), P50: low / 1e6, P95: low * wide / 1e6, P99: low * wide * wide / 1e6,
				Parts: []bench.Part{{Name: "score", Mean: low / 1e6}, {Name: "network", Mean: amount(middle, spread) / 1e6}}}}})
			loss := amount(-3, 6*r.Float64()) * float64(1-2*r.IntN(2))
			rec.tune = append(rec.tune, filed[tune.Record]{record: tune.Record{Kind: "tune", Model: "m", Prune: strings.Repeat("x", i), Front: i%2 == 0,
				Certified: []float64{amount(middle-5, spread)}, MarginChange: []float64{amount(middle-6, spread)},
				Judge: &tune.Judgement{Metric: "auc", Samples: 9, Increase: loss, Low: loss - math.Abs(loss)*r.Float64(), High: loss + math.Abs(loss)*r.Float64()},
				Speed: &tune.Speed{Batch: 1, NsSingle: low, SingleMin: low, SingleMax: low, NsBatch: low * wide, BatchMin: low, BatchMax: low * wide, BitEqual: true}}})
		}
		for _, f := range rec.bench {
			require.NoError(t, checkBench(&f.record))
		}
		for _, f := range rec.tune {
			require.NoError(t, checkTune(&f.record))
		}
		checkPlots(t, New(&rec))
	}
}
