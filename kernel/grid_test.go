package kernel

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// gridLimits are the largest numbers of units in leaves: one that needs more than a
// word, and those of quantization to words and bytes. Rounding to one after the other
// rounds to each.
var gridLimits = []float64{50_000, 32_767, 127}

// someGridLimits are fewer where tests are slow.
func someGridLimits() []float64 {
	if raceDetector {
		return gridLimits[:1]
	}
	return gridLimits
}

// toGrid rounds the leaf values and base margins of m to multiples of a power of two, of
// which no leaf is more than limit.
func toGrid(m *Model, limit float64) {
	most := 0.0
	each := func(f func(v *float64)) {
		for i := range m.Trees {
			t := &m.Trees[i]
			for j := range t.Nodes {
				if n := &t.Nodes[j]; n.IsLeaf() && t.Vectors == nil {
					f(&n.Value)
				}
			}
			for j := range t.Vectors {
				f(&t.Vectors[j])
			}
		}
	}
	each(func(v *float64) { most = max(most, math.Abs(*v)) })
	unit := math.Exp2(math.Ceil(math.Log2(max(most, 1) / limit)))
	round := func(v *float64) { *v = math.RoundToEven(*v/unit) * unit }
	each(round)
	for k := range m.Base {
		if round(&m.Base[k]); m.Base[k] == 0 {
			m.Base[k] = 0 // not −0
		}
	}
}

func TestGrid(t *testing.T) {
	const unit = 1.0 / 64
	base, nan := 3*unit, math.NaN()
	model := func(values ...float64) *Model {
		m := &Model{Features: 1, Outputs: 1, Base: []float64{base}, Columns: []Column{{Bounds: []float64{0}}}}
		for _, v := range values {
			m.Trees = append(m.Trees, Tree{Nodes: []Node{{Rank: 1, Left: 1, Right: 2}, {Column: Leaf, Value: v}, {Column: Leaf}}})
		}
		return m
	}
	with := func(m *Model, base float64, last bool) *Model {
		m.Base[0], m.BaseLast = base, last
		return m
	}
	for _, c := range []struct {
		name           string
		m              *Model
		single, double bool
	}{
		{"units", model(5*unit, -7*unit, math.Copysign(0, -1)), true, true},
		{"no trees", model(), true, true},
		{"zeros", model(0, 0), true, true},
		{"as much as fits", with(model((1<<23)*unit, -(1<<23-1)*unit), unit, false), true, true},
		{"more", with(model((1<<23)*unit, -(1<<23)*unit), unit, false), false, true},
		{"more, but the base is last", with(model((1<<23)*unit, -(1<<23)*unit), unit, true), true, true},
		{"bits too far from each other", model(1, 0x1p-24), false, true},
		{"bits too far for doubles", model(1, 0x1p-53), false, false},
		{"a base on a finer grid", with(model(5*unit), 0x1p-20, false), true, true},
		{"a base too fine", with(model(5*unit), 0x1p-30, false), false, true},
		{"any base, last", with(model(5*unit), 0.1, true), true, true},
		{"a base of -0", with(model(5*unit), math.Copysign(0, -1), false), false, false},
		{"infinite", model(math.Inf(1)), false, false},
		{"no number", model(nan, 1), false, false},
		{"an infinite base", with(model(1), math.Inf(-1), false), false, false},
		{"large", with(model(0x1p120), 0, false), true, true},
		{"too small", model(0x1p-120), false, false},
		{"any number", model(0.1, 0.7), false, false},
		{"a float32", with(model(float64(float32(0.1)), 0.5), 0, false), false, true},
	} {
		require.Equal(t, c.single, newGrid[float32](c.m).exact, "%s, float32", c.name)
		require.Equal(t, c.double, newGrid[float64](c.m).exact, "%s, float64", c.name)
	}
}

// TestGridSums adds the largest of what a grid allows, in all orders.
func TestGridSums(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	exact := 0
	for range 2000 {
		m := randomModel(modelShape{features: 1, outputs: 1, trees: 1 + r.IntN(9), leaves: 2, bounds: 3, depth: 1}, r)
		toGrid(m, math.Exp2(float64(15+r.IntN(10))))
		g := newGrid[float32](m)
		if !g.exact {
			continue
		}
		exact++
		var terms []float32
		for i := range m.Trees {
			low, high, _ := leafRange[float32](m, &m.Trees[i], 0)
			if terms = append(terms, float32(high)); r.IntN(2) == 0 {
				terms[i] = float32(low)
			}
		}
		for _, base := range []float32{float32(m.Base[0]), float32(g.most), -float32(g.most), float32(g.step)} {
			if float64(base) > g.most {
				continue
			}
			require.True(t, holds(g, []float32{base}))
			want, got := base, base
			for _, v := range terms {
				want += v
			}
			r.Shuffle(len(terms), func(i, j int) { terms[i], terms[j] = terms[j], terms[i] })
			for _, v := range terms {
				got += v
			}
			require.Equal(t, want, got)
		}
		require.False(t, holds(g, []float32{float32(g.step / 2)}))
		require.False(t, holds(g, []float32{float32(2*g.most + g.step)}))
	}
	require.Greater(t, exact, 500)
}
