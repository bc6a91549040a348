package kernel

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func smallModel() *Model {
	return &Model{
		Features: 2, Outputs: 2, Base: []float64{0.5, math.Copysign(0, -1)}, BaseLast: true,
		Columns: []Column{
			{Feature: 1, Bounds: []float64{-1, 0, 2.5}, Missing: 255},
			{Feature: 0, Set: true, Bounds: []float64{1, 2, 7}, Missing: 1},
		},
		Trees: []Tree{
			{Output: 1, Nodes: []Node{
				{Column: 0, Rank: 2, Left: 1, Right: 2},
				{Column: Leaf, ID: 7, Value: 1.5},
				{Column: 1, Rank: 1, Left: 3, Right: 4},
				{Column: Leaf, ID: 3, Value: -2},
				{Column: Leaf, ID: 4, Value: math.Inf(1)},
			}},
			{Vectors: []float64{1, 2}, Nodes: []Node{{Column: Leaf, ID: 1}}},
		},
	}
}

func TestEncode(t *testing.T) {
	for _, value := range []float64{1.5, 0.1} { // one is a float32, the other is not
		m := smallModel()
		m.Trees[0].Nodes[1].Value = value
		got, err := Decode(m.Encode())
		require.NoError(t, err)
		require.Equal(t, m, got)
		require.Equal(t, m.Encode(), got.Encode())
	}
}

// Trees that share their nodes are written once, and share them when they are read;
// walks share their nodes within a group.
func TestSharedTrees(t *testing.T) {
	m := smallModel()
	once := len(m.Encode())
	m.Trees = []Tree{m.Trees[0], m.Trees[0], m.Trees[1], m.Trees[1]}
	m.Trees[1].Output = 0
	require.Less(t, len(m.Encode()), once+10)
	got, err := Decode(m.Encode())
	require.NoError(t, err)
	require.Equal(t, m, got)
	for i, first := range []int{0, 0, 2, 2} {
		require.Same(t, &got.Trees[first].Nodes[0], &got.Trees[i].Nodes[0])
	}

	w := newWalk[float32](got, Generic)
	got.Trees = []Tree{got.Trees[0], got.Trees[2]}
	require.Len(t, w.nodes, len(newWalk[float32](got, Generic).nodes))

	for first := range byte(4) { // a tree may refer to those before it only
		bad := m.Encode()
		bad[len(bad)-1] = first
		_, err := Decode(bad)
		require.Equal(t, first < 3, err == nil, "%d", first)
	}
}

// A tree that shares the nodes of another takes three bytes: no reader may expect more.
func TestManySharedTrees(t *testing.T) {
	m := smallModel()
	m.Trees = slices.Repeat(m.Trees[1:], 200)
	got, err := Decode(m.Encode())
	require.NoError(t, err)
	require.Equal(t, m, got)
}

func TestDecodeRefusesDamage(t *testing.T) {
	good := smallModel().Encode()
	_, err := Decode(append(good, 0))
	require.Error(t, err)
	for n := range good {
		_, err := Decode(good[:n])
		require.Error(t, err, n)
	}
	for i := range good {
		for _, b := range []byte{0, 1, 127, 255} {
			bad := append([]byte(nil), good...)
			bad[i] = b
			if m, err := Decode(bad); err == nil {
				require.NoError(t, m.verify())
			}
		}
	}
}
