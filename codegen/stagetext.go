package codegen

import (
	"math"

	"hew/ir"
)

// number64 returns a float64 constant or expression.
func number64(v float64) string {
	switch {
	case v != v:
		return "@math.NaN()"
	case math.IsInf(v, 0):
		if v > 0 {
			return "@math.Inf(1)"
		}
		return "@math.Inf(-1)"
	case v == 0 && math.Signbit(v):
		return "@math.Copysign(0, -1)"
	}
	return digits(v, ir.Double)
}

// pairwiseSum is NumPy's sum of contiguous numbers, as package interp has it.
func pairwiseSum(x []float64) float64 {
	n := len(x)
	if n < 8 {
		sum := math.Copysign(0, -1)
		for _, v := range x {
			sum += v
		}
		return sum
	}
	if n > 128 {
		half := n / 2
		half -= half % 8
		return pairwiseSum(x[:half]) + pairwiseSum(x[half:])
	}
	var r [8]float64
	copy(r[:], x)
	i := 8
	for ; i < n-n%8; i += 8 {
		for j := range r {
			r[j] += x[i+j]
		}
	}
	sum := ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))
	for ; i < n; i++ {
		sum += x[i]
	}
	return sum
}

// stageHelperNames is the order in which the functions of stages are printed.
var stageHelperNames = []string{"truth", "softmax", "softmaxLog", "normalize", "affine", "mean", "median", "votes", "first", "choose", "pairwise"}

// stageHelpers are the functions that stages call; package interp defines them.
var stageHelpers = map[string]string{
	"truth": `
// truth returns 1 if b, else 0.
func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
`,
	"softmax": `
// softmax writes probabilities; their sum is that of NumPy if pairs is set, else from
// left to right.
func softmax(dst, x []float64, pairs bool) {
	largest := x[0]
	for _, v := range x[1:] {
		largest = max(largest, v)
	}
	sum := 0.0
	for k, v := range x {
		dst[k] = exp(v - largest)
		sum += dst[k]
	}
	if pairs {
		sum = pairwise(dst)
	}
	for k := range dst {
		dst[k] /= sum
	}
}
`,
	"softmaxLog": `
// softmaxLog writes probabilities by way of the logarithm of their sum.
func softmaxLog(dst, x []float64, pairs bool) {
	largest := x[0]
	for _, v := range x[1:] {
		largest = max(largest, v)
	}
	sum := 0.0
	for k, v := range x {
		dst[k] = exp(v - largest)
		sum += dst[k]
	}
	if pairs {
		sum = pairwise(dst)
	}
	l := log(sum) + largest
	for k, v := range x {
		dst[k] = exp(v - l)
	}
}
`,
	"normalize": `
// normalize divides by the sum; if that is 0, by 1 or, with mode 2, it gives each
// number the same.
func normalize(dst, x []float64, mode float64) {
	sum := pairwise(x)
	if sum == 0 && mode == 2 {
		for k := range dst {
			dst[k] = 1 / float64(len(x))
		}
		return
	}
	if sum == 0 && mode == 1 {
		sum = 1
	}
	for k, v := range x {
		dst[k] = v / sum
	}
}
`,
	"affine": `
// affine writes products of rows of w with x, added in order, and then the constants
// at the end of w.
func affine(dst, x, w []float64) {
	n := len(x)
	for k := range dst {
		sum := 0.0
		for j, v := range w[k*n : (k+1)*n] {
			sum += float64(v * x[j])
		}
		dst[k] = sum + w[len(dst)*n+k]
	}
}
`,
	"mean": `
// mean writes the sums of the vectors in x, weighted, divided by scale.
func mean(dst, x, weights []float64, scale float64) {
	for k := range dst {
		sum := 0.0
		for i := range len(x) / len(dst) {
			w := 1.0
			if weights != nil {
				w = weights[i]
			}
			sum += float64(x[i*len(dst)+k] * w)
		}
		dst[k] = sum / scale
	}
}
`,
	"median": `
// median writes the weighted median; order is memory for as many indices as there
// are numbers.
func median(dst, x, weights []float64, order []int32) {
	for i := range order {
		order[i] = int32(i)
	}
	@slices.SortStableFunc(order, func(i, j int32) int {
		switch {
		case x[i] < x[j]:
			return -1
		case x[i] > x[j]:
			return 1
		}
		return 0
	})
	total := 0.0
	for _, i := range order {
		total += weights[i]
	}
	sum := 0.0
	for _, i := range order {
		if sum += weights[i]; sum >= 0.5*total {
			dst[0] = x[i]
			return
		}
	}
	dst[0] = x[order[len(order)-1]]
}
`,
	"votes": `
// votes adds the weights of the classes in x, and those of others times other.
func votes(dst, x, weights []float64, other float64) {
	clear(dst)
	for i, w := range weights {
		for k := range dst {
			if x[i] == float64(k) {
				dst[k] += w
			} else {
				dst[k] += float64(other * w)
			}
		}
	}
}
`,
	"first": `
// first writes the index of the first largest number; a NaN is larger than any.
func first(dst, x []float64) {
	best := 0
	for i, v := range x {
		if v > x[best] || v != v && x[best] == x[best] {
			best = i
		}
	}
	dst[0] = float64(best)
}
`,
	"choose": `
// choose writes the numbers of x with the given indices.
func choose(dst, x, indices []float64) {
	for k, i := range indices {
		dst[k] = x[int(i)]
	}
}
`,
	"pairwise": `
// pairwise sums as NumPy does.
func pairwise(x []float64) float64 {
	n := len(x)
	if n < 8 {
		sum := @math.Copysign(0, -1)
		for _, v := range x {
			sum += v
		}
		return sum
	}
	if n > 128 {
		half := n / 2
		half -= half % 8
		return pairwise(x[:half]) + pairwise(x[half:])
	}
	r := [8]float64(x)
	i := 8
	for ; i < n-n%8; i += 8 {
		for j := range r {
			r[j] += x[i+j]
		}
	}
	sum := ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))
	for ; i < n; i++ {
		sum += x[i]
	}
	return sum
}
`,
}
