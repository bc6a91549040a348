package ir

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// A Column is a number computed from one feature of a row, as the preprocessing
// of a pipeline does: the feature's value goes through Ops, one after the other.
// Without operations it is the value itself.
type Column struct {
	Feature int32
	Ops     []Op
}

// An Op is one operation on a number, in float64 arithmetic. What a trainer
// computes in float32 is written as the operation on float32 constants followed by
// OpRound: float64 holds so many more digits that the result is the same.
//
// Every operation is piecewise monotone, and Breaks of package fold knows where
// the pieces end.
type Op struct {
	Code OpCode
	A, B float64

	// Keys ascend; Values belong to them. Which operations have them is told
	// at each code.
	Keys, Values []float64
}

// An OpCode says what an Op does with x. NaN gives NaN unless the text says
// otherwise.
type OpCode uint8

// The operations.
const (
	OpRound      OpCode = iota // to the nearest float32
	OpAdd                      // x + A
	OpSub                      // x - A
	OpMul                      // x * A
	OpDiv                      // x / A
	OpClip                     // A if x < A, else B if x > B, else x
	OpFill                     // A if x is NaN, else x
	OpReplace                  // B if x == A, else x; NaN stays
	OpIsMissing                // 1 if x is NaN, else 0
	OpEqual                    // 1 if x == A, else 0; NaN gives 0
	OpIn                       // 1 if x is one of Keys, else 0; NaN gives 0
	OpLookup                   // Values[i] if x == Keys[i], A for any other number, B for NaN
	OpBin                      // the number of Keys ≤ x
	OpInterp                   // NumPy's interp(x, Keys, Values), Values ascend or descend
	OpQuantile                 // as scikit-learn's QuantileTransformer: see interp; A is 1 for a normal output
	OpYeoJohnson               // with lambda A
	OpBoxCox                   // with lambda A
	OpCall                     // the function of number A, a Func
)

func (c OpCode) String() string {
	return name(c, "round", "add", "sub", "mul", "div", "clip", "fill", "replace", "is-missing", "equal",
		"in", "lookup", "bin", "interp", "quantile", "yeo-johnson", "box-cox", "call")
}

// A Func is a function of one number, as NumPy computes it.
type Func uint8

// The functions.
const (
	FuncLog Func = iota
	FuncLog1p
	FuncLog2
	FuncLog10
	FuncExp
	FuncExpm1
	FuncSqrt
	FuncCbrt
	FuncSquare
	FuncAbs
	FuncNegative
	FuncReciprocal
	FuncSign
	FuncFloor
	FuncCeil
	FuncRint
	FuncTanh
)

func (f Func) String() string {
	return name(f, "log", "log1p", "log2", "log10", "exp", "expm1", "sqrt", "cbrt", "square", "abs",
		"negative", "reciprocal", "sign", "floor", "ceil", "rint", "tanh")
}

func (c *Column) verify(features int) error {
	if c.Feature < 0 || int(c.Feature) >= features {
		return fmt.Errorf("feature %d out of range [0, %d)", c.Feature, features)
	}
	for i := range c.Ops {
		if err := c.Ops[i].verify(); err != nil {
			return fmt.Errorf("operation %d, %v: %w", i, c.Ops[i].Code, err)
		}
	}
	return nil
}

func (o *Op) verify() error {
	switch o.Code {
	case OpRound, OpIsMissing:
		return nil
	case OpAdd, OpSub, OpMul, OpDiv, OpEqual, OpFill, OpYeoJohnson, OpBoxCox:
		if o.A != o.A && o.Code != OpFill {
			return errors.New("constant is NaN")
		}
		return nil
	case OpReplace:
		if o.A != o.A {
			return errors.New("the replaced value is NaN")
		}
		return nil
	case OpClip:
		if !(o.A <= o.B) {
			return fmt.Errorf("bounds %v and %v", o.A, o.B)
		}
		return nil
	case OpIn, OpBin:
		return o.verifyKeys(o.Code == OpIn)
	case OpLookup, OpInterp, OpQuantile:
		if len(o.Values) != len(o.Keys) {
			return fmt.Errorf("%d values for %d keys", len(o.Values), len(o.Keys))
		}
		if len(o.Keys) == 0 && o.Code != OpLookup {
			return errors.New("no keys")
		}
		return o.verifyKeys(o.Code == OpLookup)
	case OpCall:
		if !(o.A >= 0 && o.A <= float64(FuncTanh)) || o.A != math.Trunc(o.A) {
			return fmt.Errorf("unknown function %v", o.A)
		}
		return nil
	}
	return fmt.Errorf("unknown operation %d", o.Code)
}

// verifyKeys reports keys that do not ascend, strictly or not.
func (o *Op) verifyKeys(strictly bool) error {
	if slices.ContainsFunc(o.Keys, func(k float64) bool { return k != k }) {
		return errors.New("a key is NaN")
	}
	for i := 1; i < len(o.Keys); i++ {
		if o.Keys[i] < o.Keys[i-1] || strictly && o.Keys[i] == o.Keys[i-1] {
			return fmt.Errorf("key %d does not ascend", i)
		}
	}
	return nil
}
