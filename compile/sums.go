package compile

import (
	"fmt"
	"sync"

	"hew/interp"
	"hew/ir"
	"hew/kernel"
	"hew/predict"
)

// kernelSums returns the engine of package kernel for m, the tables of e, and what
// it says about itself.
func kernelSums(e *ir.Ensemble, m *kernel.Model, cpu kernel.CPU) (sums, string, error) {
	switch {
	case e.Input == ir.Single && e.Sum == ir.Single:
		return typedSums[float32, float32](e, m, cpu)
	case e.Input == ir.Single:
		return typedSums[float32, float64](e, m, cpu)
	case e.Sum == ir.Single:
		return typedSums[float64, float32](e, m, cpu)
	default:
		return typedSums[float64, float64](e, m, cpu)
	}
}

func typedSums[In, Out kernel.Float](e *ir.Ensemble, m *kernel.Model, cpu kernel.CPU) (sums, string, error) {
	k, err := kernel.New[In, Out](m, cpu)
	if err != nil {
		return nil, "", err
	}
	var s sums = tableSums[In, Out]{k}
	if e.Columns != nil {
		s = &columnSums{sums: s, e: e}
	}
	return s, k.Describe(), nil
}

// tableSums are a kernel's engine for values.
type tableSums[In, Out kernel.Float] struct{ k *kernel.Engine[In, Out] }

func (s tableSums[In, Out]) Margin(dst, x predict.Values) {
	s.k.Margin(predict.SliceOf[Out](dst), predict.SliceOf[In](x))
}

// Rank ranks rows and drops the ranks.
func (s tableSums[In, Out]) Rank(x predict.Values) { s.k.Rank(predict.SliceOf[In](x)) }

func (s tableSums[In, Out]) MarginFrom(dst, x, base predict.Values) {
	s.k.MarginFrom(predict.SliceOf[Out](dst), predict.SliceOf[In](x), predict.SliceOf[Out](base))
}

func (s tableSums[In, Out]) Leaf(dst []int32, x predict.Values) {
	s.k.Leaf(dst, predict.SliceOf[In](x))
}

// columnSums computes the columns of rows in front of sums that know nothing else.
type columnSums struct {
	sums
	e    *ir.Ensemble
	pool sync.Pool // of *predict.Values
}

// columnRows is the number of rows whose columns are computed at a time.
const columnRows = 512

// blocks calls f with the columns of rows first to last, a block after the other.
func (s *columnSums) blocks(x predict.Values, f func(first, last int, columns predict.Values)) {
	n, k := len(s.e.Features), len(s.e.Columns)
	rows := x.Len() / n
	if x.Len() != rows*n {
		panic(fmt.Sprintf("compile: %d values in rows of %d", x.Len(), n))
	}
	c, _ := s.pool.Get().(*predict.Values)
	if c == nil {
		c = new(predict.Values)
	}
	for first := 0; first < rows; first += columnRows {
		last := min(first+columnRows, rows)
		*c = c.Resize(x.Type(), (last-first)*k)
		for j := range s.e.Columns {
			if c.F64 != nil {
				derive(row{s.e, x}, &s.e.Columns[j], first, last-first, c.F64[j:], k)
			} else {
				derive(row{s.e, x}, &s.e.Columns[j], first, last-first, c.F32[j:], k)
			}
		}
		f(first, last, *c)
	}
	s.pool.Put(c)
}

func (s *columnSums) Margin(dst, x predict.Values) {
	w := s.e.Outputs
	s.blocks(x, func(first, last int, columns predict.Values) {
		s.sums.Margin(dst.Slice(first*w, last*w), columns)
	})
}

func (s *columnSums) MarginFrom(dst, x, base predict.Values) {
	w := s.e.Outputs
	s.blocks(x, func(first, last int, columns predict.Values) {
		s.sums.MarginFrom(dst.Slice(first*w, last*w), columns, base.Slice(first*w, last*w))
	})
}

func (s *columnSums) Leaf(dst []int32, x predict.Values) {
	w := len(s.e.Trees)
	s.blocks(x, func(first, last int, columns predict.Values) {
		s.sums.Leaf(dst[first*w:last*w], columns)
	})
}

// A row is the rows of a call, for what reads single values of them.
type row struct {
	e *ir.Ensemble
	x predict.Values
}

// derive writes the values of c for rows [first, first+n) to dst, which has them
// stride apart. As float32 numbers they are rounded, as those of a column are.
func derive[T kernel.Float](r row, c *ir.Column, first, n int, dst []T, stride int) {
	if r.x.F64 != nil {
		deriveFrom(r.x.F64[first*len(r.e.Features):], len(r.e.Features), c, n, dst, stride)
	} else {
		deriveFrom(r.x.F32[first*len(r.e.Features):], len(r.e.Features), c, n, dst, stride)
	}
}

func deriveFrom[In, T kernel.Float](x []In, width int, c *ir.Column, n int, dst []T, stride int) {
	for i := range n {
		dst[i*stride] = T(interp.Apply(c.Ops, float64(x[i*width+int(c.Feature)])))
	}
}
