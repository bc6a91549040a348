package interp

import (
	"hew/internal/libm"
	"hew/ir"
)

// link writes the prediction of one row to dst, which may be the row's margins.
func link(l ir.Link, dst, margins []float32) {
	switch l {
	case ir.Softmax:
		softmax(dst, margins)
	case ir.Argmax:
		dst[0] = float32(argmax(margins))
	case ir.Sort:
		sorted(dst, margins)
	case ir.Gaps:
		gaps(dst, margins)
	default:
		for k, x := range margins {
			dst[k] = scalar(l, x)
		}
	}
}

// scalar applies a link that maps each margin by itself.
func scalar(l ir.Link, x float32) float32 {
	switch l {
	case ir.Sigmoid: // dmlc/xgboost v1.5:src/common/math.h, Sigmoid
		return 1 / (1 + libm.Expf(-x))
	case ir.SigmoidClamped: // since v1.6; its 1e-16 cannot change a sum ≥ 1
		z := -x
		if 88.7 < z { // std::min: a NaN stays
			z = 88.7
		}
		return 1 / (libm.Expf(z) + 1)
	case ir.Exp: // src/objective/poisson_obj.h and others, PredTransform
		return libm.Expf(x)
	case ir.Step: // src/objective/hinge.cc
		if x > 0 {
			return 1
		}
		return 0
	default:
		return x
	}
}

// softmax follows dmlc/xgboost:src/common/math.h, Softmax: float32 throughout
// but for the sum, which is float64.
func softmax(dst, margins []float32) {
	largest := margins[0]
	for _, x := range margins[1:] {
		if !(x <= largest) && x == x { // fmaxf: a number wins over NaN
			largest = x
		}
	}
	sum := 0.0
	for k, x := range margins {
		dst[k] = libm.Expf(x - largest)
		sum += float64(dst[k])
	}
	for k := range dst {
		dst[k] /= float32(sum)
	}
}

// argmax follows dmlc/xgboost:src/common/math.h, FindMaxIndex: the first of the
// largest values; a NaN is not larger than anything.
func argmax(v []float32) int {
	best := 0
	for k, x := range v {
		if x > v[best] {
			best = k
		}
	}
	return best
}

// sorted is the insertion sort of dmlc/xgboost:src/objective/quantile_obj.cu. It
// says where -0 goes beside +0; the place of a NaN means nothing, to the trainer
// either.
func sorted(dst, margins []float32) {
	copy(dst, margins)
	for i, x := range dst {
		j := i
		for j > 0 && x < dst[j-1] {
			dst[j] = dst[j-1]
			j--
		}
		dst[j] = x
	}
}

// gaps follows dmlc/xgboost:src/objective/expectile_obj.cc,
// ExpectilePredTransformCpu: each output lies above the one before it.
func gaps(dst, margins []float32) {
	sum := margins[0]
	dst[0] = sum
	for k := 1; k < len(margins); k++ {
		sum += 1e-6 + softplus(margins[k])
		dst[k] = sum
	}
}

// softplus follows dmlc/xgboost:src/common/math.h, SoftPlus.
func softplus(x float32) float32 {
	if x > 0 {
		return x + libm.Log1pf(libm.Expf(-x))
	}
	return libm.Log1pf(libm.Expf(x))
}
