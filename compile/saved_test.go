package compile

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/stretchr/testify/require"

	"hew/internal/nodiff"
	"hew/interp"
	"hew/ir"
	"hew/load"
)

// The exact passes, one after the other, change no bit of what any golden model says
// about rows around its thresholds, from its own base margins and from −0 and others;
// testdata/saved.txt says what each pass takes out of which model.
func TestSaved(t *testing.T) {
	files, err := filepath.Glob("../testdata/golden-*/*/case.json")
	require.NoError(t, err)
	require.Greater(t, len(files), 230)
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "model\tpass\ttrees\tnodes\tthresholds\tcolumns\tbytes")
	models, nothing, total := 0, 0, make([]saving, len(passes)+1)
	for _, file := range files {
		name, e := goldenModel(t, filepath.Dir(file))
		if len(e.Trees) == 0 {
			continue
		}
		models++
		all := runSaving(t, name, e)
		did := 0
		for i, s := range all {
			if s.before != s.after && (i < len(passes) || did > 1) {
				s.print(w, name, passName(i))
				did++
			}
			total[i].add(s)
		}
		if did == 0 {
			nothing++
		}
	}
	for i, s := range total {
		s.print(w, fmt.Sprintf("all %d", models), passName(i))
	}
	require.NoError(t, w.Flush())
	got := fmt.Sprintf("What the exact passes take out of the golden models with trees: %d of %d have nothing to take out.\n\n%s", nothing, models, table.String())

	const golden = "testdata/saved.txt"
	if flag.Lookup("update").Value.String() == "true" {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
	t.Log("\n" + got)
}

func passName(i int) string {
	if i == len(passes) {
		return "total"
	}
	return passes[i].name
}

// goldenModel loads the model of a case.
func goldenModel(t *testing.T, dir string) (name string, e *ir.Ensemble) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "model*"))
	require.NoError(t, err)
	require.NotEmpty(t, files, dir)
	e, err = load.File(files[0])
	require.NoError(t, err, dir)
	return filepath.Base(dir), e
}

// A counted is what there is of an ensemble, and a saving that before and after
// passes.
type counted struct{ trees, nodes, thresholds, columns, bytes int }

type saving struct{ before, after counted }

func count(e *ir.Ensemble) counted {
	s := SizeOf(e)
	c := counted{trees: s.Trees, nodes: s.Nodes, columns: len(e.Columns), bytes: int(s.Bytes)}
	for _, b := range e.Bounds() {
		c.thresholds += len(b)
	}
	return c
}

func (c *counted) add(d counted) {
	c.trees, c.nodes, c.thresholds, c.columns, c.bytes = c.trees+d.trees, c.nodes+d.nodes, c.thresholds+d.thresholds, c.columns+d.columns, c.bytes+d.bytes
}

func (s *saving) add(o saving) {
	s.before.add(o.before)
	s.after.add(o.after)
}

func (s *saving) print(w *tabwriter.Writer, model, pass string) {
	b, a := s.before, s.after
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", model, pass, change(b.trees, a.trees), change(b.nodes, a.nodes),
		change(b.thresholds, a.thresholds), change(b.columns, a.columns), change(b.bytes, a.bytes))
}

// runSaving returns what each pass saves, and all of them, and requires the bits of the
// ensemble after each.
func runSaving(t *testing.T, name string, e *ir.Ensemble) []saving {
	t.Helper()
	p := e.Clone()
	all := make([]saving, len(passes)+1)
	x := nodiff.Rows64(e, 150, 1)
	want := marginBits(e, x)
	all[len(passes)].before = count(e)
	for i, pass := range passes {
		all[i].before = count(p)
		if pass.applies == nil || pass.applies(p) {
			require.NoError(t, pass.run(p), name)
			require.NoError(t, p.Verify(), name)
			require.Equal(t, want, marginBits(p, x), "%s: %s", name, pass.name)
		}
		all[i].after = count(p)
	}
	all[len(passes)].after = count(p)
	return all
}

// marginBits returns the margins of rows as text, which tells zeros apart and takes
// one NaN for any other: from the base margins of e, and from some that hide nothing.
func marginBits(e *ir.Ensemble, x []float64) []string {
	m, n := interp.New(e), len(x)/len(e.Features)*e.Outputs
	sums, base := make([]float64, n), make([]float64, n)
	m.Margin64(sums, x)
	list := []string{fmt.Sprintf("%x", sums)}
	for _, v := range []float64{math.Copysign(0, -1), 0, 1.5} {
		for i := range base {
			base[i] = v
		}
		m.MarginFrom64(sums, x, base)
		list = append(list, fmt.Sprintf("%x", sums))
	}
	return list
}
