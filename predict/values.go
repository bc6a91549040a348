package predict

import "fmt"

// A Type is a type of numbers, by its name in Go.
type Type string

// The types.
const (
	Float32 Type = "float32"
	Float64 Type = "float64"
)

// A Number is a value of one of the types.
type Number interface{ float32 | float64 }

// Values is a slice of float32 or float64 numbers: one of its fields is nil.
type Values struct {
	F32 []float32
	F64 []float64
}

// MakeValues returns n zeros of type t.
func MakeValues(t Type, n int) Values {
	if t == Float64 {
		return Values{F64: make([]float64, n)}
	}
	return Values{F32: make([]float32, n)}
}

// ValuesOf returns v as Values.
func ValuesOf[T Number](v []T) Values {
	switch v := any(v).(type) {
	case []float32:
		return Values{F32: v}
	case []float64:
		return Values{F64: v}
	}
	panic("predict: a type of numbers of its own")
}

// SliceOf returns the numbers of v, which are of type T.
func SliceOf[T Number](v Values) []T {
	var s any = v.F32
	if v.F64 != nil {
		s = v.F64
	}
	t, ok := s.([]T)
	if !ok && v.Len() > 0 {
		panic(fmt.Sprintf("predict: %s values, want %s", v.Type(), TypeOf[T]()))
	}
	return t
}

// TypeOf returns the type T by its name.
func TypeOf[T Number]() Type {
	var zero T
	if _, ok := any(zero).(float64); ok {
		return Float64
	}
	return Float32
}

// Type returns the type of the numbers; no numbers at all are float32.
func (v Values) Type() Type {
	if v.F64 != nil {
		return Float64
	}
	return Float32
}

// Len returns the number of numbers.
func (v Values) Len() int { return len(v.F32) + len(v.F64) }

// At returns number i.
func (v Values) At(i int) float64 {
	if v.F64 != nil {
		return v.F64[i]
	}
	return float64(v.F32[i])
}

// Float64s returns the numbers as float64: those of v themselves if they are.
func (v Values) Float64s() []float64 {
	if v.F32 == nil {
		return v.F64
	}
	w := make([]float64, len(v.F32))
	for i, x := range v.F32 {
		w[i] = float64(x)
	}
	return w
}

// Set makes x, rounded to the type of v, number i.
func (v Values) Set(i int, x float64) {
	if v.F64 != nil {
		v.F64[i] = x
	} else {
		v.F32[i] = float32(x)
	}
}

// Slice returns the numbers from i up to but without j.
func (v Values) Slice(i, j int) Values {
	if v.F64 != nil {
		return Values{F64: v.F64[i:j]}
	}
	return Values{F32: v.F32[i:j]}
}

// Resize returns n numbers of type t, in the memory of v if it is large enough.
// What they are is not defined.
func (v Values) Resize(t Type, n int) Values {
	switch {
	case t == Float64 && cap(v.F64) >= n:
		return Values{F64: v.F64[:n]}
	case t == Float32 && cap(v.F32) >= n:
		return Values{F32: v.F32[:n]}
	}
	return MakeValues(t, n)
}
