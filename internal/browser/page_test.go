package browser_test

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

var (
	records  = flag.String("records", "../../report/testdata/records.jsonl", "records to take pictures of, several files with commas")
	pictures = flag.String("pictures", "", "directory for pictures of the page; without it none are taken")
)

// makePage makes the page of records with hew itself and returns its URL.
func makePage(t *testing.T, records ...string) string {
	out := filepath.Join(t.TempDir(), "report.html")
	args := []string{"run", "./cmd/hew", "report", "-o", out}
	for _, name := range records {
		name, err := filepath.Abs(name)
		require.NoError(t, err)
		args = append(args, name)
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = "../.." // another module
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, string(said))
	return "file://" + out
}

// A screen is what a page is shown on.
type screen struct {
	width         int64
	media, scheme string
}

func (s screen) String() string { return fmt.Sprintf("%d-%s-%s", s.width, s.media, s.scheme) }

// screens are a phone, a tablet, a desk, and A4 paper without its margins.
var screens = []screen{
	{400, "screen", "light"}, {400, "screen", "dark"}, {800, "screen", "light"},
	{1280, "screen", "light"}, {1280, "screen", "dark"}, {688, "print", "light"}, {688, "print", "dark"},
}

// show makes a page be shown on a screen.
func (s screen) show() chromedp.Action[chromedp.Void] {
	return chromedp.Steps(chromedp.EmulateViewport(s.width, 900),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Media: s.media, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: s.scheme}}})
			return err
		}))
}

// TestPictures takes pictures for people to look at.
func TestPictures(t *testing.T) {
	if *pictures == "" {
		t.Skip("no -pictures")
	}
	ctx, url := start(t), makePage(t, strings.Split(*records, ",")...)
	require.NoError(t, os.MkdirAll(*pictures, 0o777))
	keep := func(name string, data []byte, err error) {
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(*pictures, name), data, 0o666))
	}
	for _, s := range screens {
		require.NoError(t, chromedp.Do(ctx, s.show(), chromedp.Navigate(url)))
		data, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		keep(s.String()+".png", data, err)
	}
	data, err := chromedp.Run(ctx, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize()))
	keep("print.pdf", data, err)
}

// TestReport shows the page of checked-in records, which have all there is to show.
func TestReport(t *testing.T) {
	ctx, url := start(t), makePage(t, "../../report/testdata/records.jsonl")
	var w witness
	require.NoError(t, w.listen(ctx))
	looks := map[screen]look{}
	for _, s := range screens {
		t.Run(s.String(), func(t *testing.T) {
			require.NoError(t, chromedp.Do(ctx, s.show(), chromedp.Navigate(url)))
			l, err := chromedp.Run(ctx, chromedp.Evaluate[look](lookScript))
			require.NoError(t, err)
			l.check(t, s)
			looks[s] = l
		})
	}
	light, dark := looks[screen{1280, "screen", "light"}], looks[screen{1280, "screen", "dark"}]
	require.NotEqual(t, light.Background, dark.Background)
	require.NotEqual(t, light.Plot, dark.Plot)
	require.Equal(t, looks[screen{688, "print", "light"}].Background, looks[screen{688, "print", "dark"}].Background, "paper is white for all")
	w.check(t, url)
}

// TestWitness shows that a page that asks the network, or fails, is noticed.
func TestWitness(t *testing.T) {
	ctx := start(t)
	name := filepath.Join(t.TempDir(), "bad.html")
	require.NoError(t, os.WriteFile(name, []byte(`<img src="http://127.0.0.1:9/x.png"><script>nothing()</script>`), 0o666))
	var w witness
	require.NoError(t, w.listen(ctx))
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate("file://"+name)))
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Contains(t, w.requests, "http://127.0.0.1:9/x.png")
	require.Contains(t, strings.Join(w.complaints, "\n"), "nothing is not defined")
}

// sections are those of the page; figures those of each, with the number of their plots.
var (
	sections = []string{"m1-model", "m1-passes", "m1-tradeoff", "m1-engines", "m1-latency", "m1-serving", "m1-machine"}
	figures  = map[string]int{
		"m1-passes-nodes": 1, "m1-tradeoff-speed": 2, "m1-tradeoff-bounds": 1, "m1-engines-time": 3, "m1-engines-batch": 1,
		"m1-latency-rows": 2, "m1-serving-throughput": 1, "m1-serving-latency": 2, "m1-serving-protocols": 4, "m1-serving-parts": 4,
	}
)

// A look is what look.js sees on a page.
type look struct {
	Width, ScrollWidth float64 // of the window, and of what is in it
	Sections           []string
	Figures            map[string]int // plots of each
	Wide               []string       // what sticks out of the window
	Empty              []string       // what has no size, or a plot in which nothing is drawn
	Cut, Overlapping   []string       // words of plots
	Faint              []string       // words and marks with too little contrast
	Background, Plot   string         // colours of the page, and of words in a plot
	Navigation         string         // display of the list of sections
	Breaks             []string       // figures that a printer may break
	Smallest           float64        // letters of plots, in pixels
	Ticks              int            // words in plots
}

//go:embed look.js
var lookScript string

func (l *look) check(t *testing.T, s screen) {
	require.Equal(t, sections, l.Sections)
	require.Equal(t, figures, l.Figures)
	require.EqualValues(t, s.width, l.Width)
	require.LessOrEqual(t, l.ScrollWidth, l.Width, "the page must not scroll sideways")
	require.Empty(t, l.Wide)
	require.Empty(t, l.Empty)
	require.Empty(t, l.Cut)
	require.Empty(t, l.Overlapping)
	require.Empty(t, l.Faint)
	require.Greater(t, l.Ticks, 200)
	require.GreaterOrEqual(t, l.Smallest, 8.0)
	if s.media == "print" {
		require.Equal(t, "none", l.Navigation)
		require.Empty(t, l.Breaks)
		require.Equal(t, "rgb(255, 255, 255)", l.Background)
	} else {
		require.NotEqual(t, "none", l.Navigation)
	}
}

// A witness hears what a page asks for and complains of.
type witness struct {
	mu                   sync.Mutex
	requests, complaints []string
}

func (w *witness) listen(ctx context.Context) error {
	err := chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.Enable, network.EnableParams{})
		return err
	}))
	if err != nil {
		return err
	}
	return chromedp.Listen(ctx, func(event any) {
		w.mu.Lock()
		defer w.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			w.requests = append(w.requests, e.Request.URL)
		case *cdpruntime.EventConsoleAPICalled:
			w.complaints = append(w.complaints, fmt.Sprint(e.Type, e.Args))
		case *cdpruntime.EventExceptionThrown:
			w.complaints = append(w.complaints, e.ExceptionDetails.Exception.Description)
		case *cdplog.EventEntryAdded:
			w.complaints = append(w.complaints, e.Entry.Text)
		}
	})
}

// check reports requests but for the page itself, and complaints.
func (w *witness) check(t *testing.T, url string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Empty(t, w.complaints)
	require.NotEmpty(t, w.requests)
	for _, r := range w.requests {
		if r != url {
			require.True(t, strings.HasPrefix(r, "data:"), "the page asks for %s", r)
		}
	}
}
