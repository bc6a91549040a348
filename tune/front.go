package tune

import "math"

// An effect is what a setting does to the unpruned model: the relative increase of the
// loss and how uncertain that is, and the logarithms of the ratios of trees, nodes and
// bytes, which stand for the time of single rows, that of batches, and size. The effect
// of two settings together is about the sum of both.
type effect [5]float64

func effectOf(j *Judgement, v, base *Record) effect {
	return effect{j.Increase, (j.High - j.Low) / 2,
		logRatio(float64(v.Trees), float64(base.Trees)), logRatio(float64(v.Nodes), float64(base.Nodes)), logRatio(float64(v.Bytes), float64(base.Bytes))}
}

func logRatio(a, b float64) float64 { return math.Log(max(a, 1) / max(b, 1)) }

// plus returns e + share·f.
func (e effect) plus(share float64, f effect) effect {
	for i := range e {
		e[i] += share * f[i]
	}
	return e
}

// A place is where a candidate stands in the search; smaller is better in each
// coordinate. They are those of its effect, but that the loss counts by the root of its
// increase, in units of the limit, and so does its uncertainty: what matters is near 0.
//
// That a candidate is less uncertain than another is worth something, because what looks
// best on some rows of many that are alike is not best on others: a candidate that
// hardly changes predictions keeps its promise.
type place [5]float64

func (e effect) place(limit float64) place {
	root := func(v float64) float64 { return math.Copysign(math.Sqrt(math.Abs(v)/limit), v) }
	return place{root(e[0]), root(e[1]), e[2], e[3], e[4]}
}

// asGood reports whether p is at least as good as q in all.
func (p place) asGood(q place) bool {
	for i := range p {
		if p[i] > q[i] {
			return false
		}
	}
	return true
}

// gain returns how far p lies in front of all the others: the least distance by which
// one would have to be moved to be as good as p. It is not positive if one of them is.
func (p place) gain(others []place) float64 {
	least := math.Inf(1)
	for _, q := range others {
		most := math.Inf(-1)
		for i := range p {
			most = max(most, q[i]-p[i])
		}
		least = min(least, most)
	}
	return least
}

// front returns the indices of the places that no other is as good as in all and
// better than in one; of equal ones, the first.
func front(places []place) []int {
	var indices []int
	for i, p := range places {
		dominated := false
		for j, q := range places {
			if j != i && q.asGood(p) && (q != p || j < i) {
				dominated = true
				break
			}
		}
		if !dominated {
			indices = append(indices, i)
		}
	}
	return indices
}
