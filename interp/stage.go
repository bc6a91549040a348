package interp

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"hew/internal/libm"
	"hew/ir"
)

// Predict64 writes, for each row, the values of the first answer or, without
// answers, the margins. It panics for an ensemble that has a link.
func (m *Engine) Predict64(dst, x []float64) {
	k := m.e.Outputs
	margins := make([]float64, m.rows(len(x), len(dst), m.e.Width())*k)
	m.Margin64(margins, x)
	m.Answer64(0, dst, margins, x)
}

// Answer64 writes answer i of rows whose margins are known; an ensemble without
// answers has one, the margins. x may be nil unless a stage needs the row.
func (m *Engine) Answer64(i int, dst, margins, x []float64) {
	if m.e.Link != ir.Identity {
		panic(fmt.Sprintf("interp: answers of an ensemble with link %v", m.e.Link))
	}
	if len(m.e.Answers) == 0 {
		copy(dst, margins)
		return
	}
	m.answer(m.e.Answers[i].Vector, dst, margins, x)
}

// answer writes a vector of each row: 0 is the margins.
func (m *Engine) answer(vector int32, dst, margins, x []float64) {
	k, n, w := m.e.Outputs, len(m.e.Features), m.e.VectorWidth(vector)
	if rows := len(margins) / k; len(margins) != rows*k || len(dst) != rows*w {
		panic(fmt.Sprintf("interp: %d values, %d per row, for %d margins of %d outputs", len(dst), w, len(margins), k))
	}
	vectors := make([][]float64, vector+1)
	for i := range vectors[1:] {
		vectors[i+1] = make([]float64, m.e.Post[i].Width)
	}
	var args []float64
	for r := range len(margins) / k {
		vectors[0] = margins[r*k : (r+1)*k]
		for i := range m.e.Post[:vector] {
			s := &m.e.Post[i]
			if s.Code == ir.StageDerive {
				for j := range s.Columns {
					vectors[i+1][j] = Column(&s.Columns[j], x[r*n:(r+1)*n])
				}
				continue
			}
			args = args[:0]
			for _, a := range s.Args {
				args = append(args, vectors[a]...)
			}
			Stage(s, vectors[i+1], args)
		}
		copy(dst[r*w:(r+1)*w], vectors[vector])
	}
}

// Stage writes what s, which does not read the row, makes of x, its arguments.
func Stage(s *ir.Stage, dst, x []float64) {
	switch s.Code {
	case ir.StageSelect:
		for i, w := range s.Weights {
			dst[i] = x[int(w)]
		}
	case ir.StageDifference:
		dst[0] = x[1] - x[0]
	case ir.StageComplement:
		dst[0], dst[1] = 1-x[0], x[0]
	case ir.StageHalves:
		dst[0], dst[1] = -x[0]/2, x[0]/2
	case ir.StageSoftmax:
		softmax64(s, dst, x)
	case ir.StageSoftmaxLog:
		softmaxLog(s, dst, x)
	case ir.StageAffine:
		affine(s, dst, x)
	case ir.StageNormalize:
		normalize(s, dst, x)
	case ir.StageMean, ir.StageMeanAll:
		mean(s, dst, x)
	case ir.StageMedian:
		dst[0] = median(s.Weights, x)
	case ir.StageVotes:
		votes(s, dst, x)
	case ir.StageFirst:
		dst[0] = float64(first(x))
	default:
		for i, v := range x {
			dst[i] = single(s, v)
		}
	}
}

func votes(s *ir.Stage, dst, x []float64) {
	clear(dst)
	for i, w := range s.Weights {
		for k := range dst {
			if x[i] == float64(k) {
				dst[k] += w
			} else {
				dst[k] += float64(s.A * w)
			}
		}
	}
}

// single is a stage that maps each number by itself.
func single(s *ir.Stage, x float64) float64 {
	switch s.Code {
	case ir.StageDivide:
		return x / s.A
	case ir.StageMultiply:
		return float64(x * s.A)
	case ir.StageSubtract:
		return x - s.A
	case ir.StageNegate:
		return -x
	case ir.StageExpit: // scipy/scipy:scipy/special/_logit.h
		return 1 / (1 + libm.Exp(-float64(x*s.A)))
	case ir.StageExp:
		return libm.Exp(x)
	case ir.StageAnomaly: // sklearn/ensemble/_iforest.py, _compute_score_samples
		return -libm.Pow(2, -x/s.A)
	case ir.StagePositive:
		return truth(x > s.A)
	case ir.StageNotNegative:
		return truth(x >= s.A)
	case ir.StageClip:
		return (clip(x, -1, 1) + 1) / 2
	default:
		return x
	}
}

// first returns the index of the first largest number, as numpy.argmax; a NaN is
// larger than any number.
func first(x []float64) int {
	best := 0
	for i, v := range x {
		if v > x[best] || v != v && x[best] == x[best] {
			best = i
		}
	}
	return best
}

// softmax64 follows sklearn/utils/extmath.py, softmax, and the loss module's link.
func softmax64(s *ir.Stage, dst, x []float64) {
	largest := slices.Max(x)
	for k, v := range x {
		dst[k] = libm.Exp(v - largest)
	}
	sum := total(s, dst)
	for k := range dst {
		dst[k] /= sum
	}
}

// total is NumPy's sum of the numbers of one row of an array: in C order, which A
// of the stage says, they are contiguous; in Fortran order the sum goes from left to
// right, because NumPy adds a column to the sums of all rows at a time.
func total(s *ir.Stage, x []float64) float64 {
	if s.A != 0 {
		return PairwiseSum(x)
	}
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum
}

// softmaxLog follows sklearn/ensemble/_gb_losses.py of 1.3,
// MultinomialDeviance._raw_prediction_to_proba.
func softmaxLog(s *ir.Stage, dst, x []float64) {
	largest := slices.Max(x)
	for k, v := range x {
		dst[k] = libm.Exp(v - largest)
	}
	log := libm.Log(total(s, dst)) + largest
	for k, v := range x {
		dst[k] = libm.Exp(v - log)
	}
}

func affine(s *ir.Stage, dst, x []float64) {
	n := len(x)
	for k := range dst {
		sum := 0.0
		for j, w := range s.Weights[k*n : (k+1)*n] {
			sum += float64(w * x[j])
		}
		dst[k] = sum + s.Weights[len(dst)*n+k]
	}
}

func normalize(s *ir.Stage, dst, x []float64) {
	sum := PairwiseSum(x)
	if sum == 0 && s.A == 2 {
		for k := range dst {
			dst[k] = 1 / float64(len(x))
		}
		return
	}
	if sum == 0 && s.A == 1 {
		sum = 1
	}
	for k, v := range x {
		dst[k] = v / sum
	}
}

// mean is numpy.average over the vectors of one width in x or, without weights,
// their sum over their number.
func mean(s *ir.Stage, dst, x []float64) {
	n := len(x) / len(dst)
	scale, weight := s.A, func(int) float64 { return 1 }
	if s.Code == ir.StageMean {
		scale, weight = PairwiseSum(s.Weights), func(i int) float64 { return s.Weights[i] }
	}
	for k := range dst {
		sum := 0.0
		for i := range n {
			sum += float64(x[i*len(dst)+k] * weight(i))
		}
		dst[k] = sum / scale
	}
}

// median follows sklearn/ensemble/_weight_boosting.py,
// AdaBoostRegressor._get_median_predict.
func median(weights, x []float64) float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return x[order[i]] < x[order[j]] })
	total := 0.0
	for _, i := range order {
		total += weights[i]
	}
	sum := 0.0
	for _, i := range order {
		if sum += weights[i]; sum >= 0.5*total {
			return x[i]
		}
	}
	return x[order[len(order)-1]]
}

// PairwiseSum is NumPy's sum of contiguous numbers.
//
// Source: numpy/numpy:numpy/_core/src/umath/loops_utils.h.src, pairwise_sum.
func PairwiseSum(x []float64) float64 {
	switch n := len(x); {
	case n < 8:
		sum := math.Copysign(0, -1)
		for _, v := range x {
			sum += v
		}
		return sum
	case n <= 128:
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
	default:
		half := n / 2
		half -= half % 8
		return PairwiseSum(x[:half]) + PairwiseSum(x[half:])
	}
}
