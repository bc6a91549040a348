package compile

import (
	"errors"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/ir"
)

func TestCheckOrder(t *testing.T) {
	a, b := pass{name: "a"}, pass{name: "b"}
	order := []constraint{{"a", "b", "b needs what a leaves"}}
	require.NoError(t, checkOrder([]pass{a, b}, order))
	require.EqualError(t, checkOrder([]pass{b, a}, order), "pass a must run before b: b needs what a leaves")
	require.EqualError(t, checkOrder([]pass{b}, order), "order constraint names unknown pass a")
	require.EqualError(t, checkOrder([]pass{a}, order), "order constraint names unknown pass b")
	require.EqualError(t, checkOrder([]pass{a, b, a}, order), "pass a is listed twice")
}

// The tables say why, not only what.
func TestTablesAreDocumented(t *testing.T) {
	for _, p := range passes {
		require.NotEmpty(t, p.doc, p.name)
	}
	for _, c := range passOrder {
		require.NotEmpty(t, c.reason, "%s before %s", c.a, c.b)
	}
}

func TestRunStopsAtABadPass(t *testing.T) {
	broken := errors.New("tree 3 is a shrub")
	fail := pass{name: "fail", run: func(*ir.Ensemble) error { return broken }}
	_, err := run(ir.MustParse("1"), []pass{fail}, Options{})
	require.EqualError(t, err, "pass fail: tree 3 is a shrub")
	require.ErrorIs(t, err, broken)

	spoil := pass{name: "spoil", run: func(e *ir.Ensemble) error {
		e.Trees[0].Nodes[0].Value = math.NaN()
		return nil
	}}
	_, err = run(ir.MustParse("1"), []pass{spoil, fail}, Options{})
	require.EqualError(t, err, "pass spoil left a malformed ensemble: tree 0, node 0: leaf value NaN is not a float32 number")

	nothing := pass{name: "nothing", run: func(*ir.Ensemble) error { return nil }}
	_, err = run(ir.MustParse("1"), []pass{nothing}, Options{PrintAfter: "nothing", Dump: fullDisk{}})
	require.EqualError(t, err, "print after nothing: disk full")
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// A report is exact only if every pass is.
func TestReportExact(t *testing.T) {
	nothing := func(*ir.Ensemble) error { return nil }
	passes := []pass{{name: "a", run: nothing, exact: true}, {name: "b", run: nothing}}
	for n, want := range []bool{true, true, false} {
		r, err := run(ir.MustParse("1"), passes[:n], Options{Dump: io.Discard})
		require.NoError(t, err)
		require.Equal(t, want, r.Exact)
	}
}
