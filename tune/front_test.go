package tune

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// somePlaces returns places of few different numbers, so that many are equal in some.
func somePlaces(random *rand.Rand) []place {
	places := make([]place, 1+random.IntN(30))
	for i := range places {
		for k := range places[i] {
			places[i][k] = float64(random.IntN(5)) - 2
		}
	}
	return places
}

// TestFront: nothing is as good as a place on the front, and something on it is as good
// as each that is not.
func TestFront(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		places := somePlaces(random)
		on := front(places)
		require.NotEmpty(t, on)
		for i, p := range places {
			asGood := func(j int) bool { return j != i && places[j].asGood(p) }
			if slices.Contains(on, i) {
				require.False(t, slices.ContainsFunc(on, asGood))
			} else {
				require.True(t, slices.ContainsFunc(on, asGood))
			}
		}
	}
}

// TestGain: moved by the gain, but not by less, another is as good.
func TestGain(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		places := somePlaces(random)
		p := somePlaces(random)[0]
		gain := p.gain(places)
		asGood := func(by float64) bool {
			moved := p
			for k := range moved {
				moved[k] += by
			}
			return slices.ContainsFunc(places, func(q place) bool { return q.asGood(moved) })
		}
		require.True(t, asGood(gain))
		require.False(t, asGood(gain-0.5))
		require.Equal(t, asGood(0), gain <= 0)
	}
}

func TestSpread(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	line := make([]place, 11)
	for i := range line {
		line[i][3] = float64(i)
	}
	anyOf := func(int) bool { return true }
	require.Equal(t, []int{0, 5, 10}, spread(line, []int{0}, 3, anyOf))
	require.Equal(t, []int{0, 3, 9}, spread(line, []int{0}, 3, func(i int) bool { return i%3 == 0 }))
	require.Equal(t, []int{2, 4}, spread(line, nil, 9, func(i int) bool { return i == 2 || i == 4 }))
	require.Equal(t, []int{0, 2, 4, 6, 10}, half(line, []int{0}, 5, func(i int) bool { return i == 1 || i == 2 })[:5])

	for range 200 {
		places := somePlaces(random)
		n := 1 + random.IntN(len(places)+3)
		taken := spread(places, []int{0}, n, anyOf)
		require.Len(t, taken, min(n, len(places)))
		require.Contains(t, taken, 0)
		require.True(t, slices.IsSorted(taken))
		require.Len(t, slices.Compact(slices.Clone(taken)), len(taken))
	}
}

func TestEffectsAddUp(t *testing.T) {
	e, f := effect{1, 2, 3, 4, 5}, effect{10, 20, 30, 40, 50}
	require.Equal(t, effect{6, 12, 18, 24, 30}, e.plus(0.5, f))
	require.Equal(t, place{-1, 0.5, -1, 0, 2}, effect{-0.05, 0.0125, -1, 0, 2}.place(0.05))
}
