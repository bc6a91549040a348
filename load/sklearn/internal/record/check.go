package record

import (
	"fmt"
	"math"
)

const (
	// MaxDepth bounds how deeply values are nested. An estimator inside of an
	// estimator takes about five levels.
	MaxDepth = 200
	// MaxWalk bounds the number of values that a walk meets, the shared ones as
	// often as they are referred to.
	MaxWalk = 1 << 26
)

// A walk is what Check knows of a value.
type walk struct {
	depth int32 // of the values below; inside while they are walked, 0 before
	size  int32 // the number of values that a walk from here meets
}

const inside = -1

// Check returns an error if a value contains itself, is nested too deeply or is
// too large for those who walk it. It remembers what it has seen in the values, so
// that it takes time for each of them once.
func Check(v Value) error {
	_, err := check(v, MaxDepth)
	return err
}

func check(v Value, left int) (walk, error) {
	var w *walk
	var parts [3][]Value
	switch v := v.(type) {
	case *List:
		w, parts[0] = &v.walk, v.Items
	case *Dict:
		w, parts[0], parts[1] = &v.walk, v.Keys, v.Values
	case *Array:
		w, parts[0] = &v.walk, v.Items
	case *Object:
		w, parts[0], parts[1] = &v.walk, v.Args, v.Items
		parts[2] = []Value{v.State}
		if v.Entries != nil {
			parts[2] = append(parts[2], v.Entries)
		}
	default:
		return walk{1, 1}, nil
	}
	switch {
	case w.depth == inside:
		return walk{}, fmt.Errorf("a value contains itself")
	case w.depth > int32(left) || left == 0:
		return walk{}, fmt.Errorf("values are nested more than %d deep", MaxDepth)
	case w.depth > 0:
		return *w, nil
	}
	w.depth = inside
	sum := walk{1, 1}
	for _, part := range parts {
		for _, item := range part {
			below, err := check(item, left-1)
			if err != nil {
				return walk{}, err
			}
			sum.depth = max(sum.depth, below.depth+1)
			if sum.size > math.MaxInt32-below.size || sum.size+below.size > MaxWalk {
				return walk{}, fmt.Errorf("a walk over the values takes more than %d steps", MaxWalk)
			}
			sum.size += below.size
		}
	}
	*w = sum
	return sum, nil
}
