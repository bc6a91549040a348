package serve

import (
	"context"
	"errors"
	"net/http"
	"time"

	"hew/predict"
)

// A Buffer is memory for values of either type, to be used again: a server may
// have models of both.
type Buffer [2]predict.Values

// Resize returns n values of type t in the memory of b. What they are is not
// defined. They hold until the next call.
func (b *Buffer) Resize(t predict.Type, n int) *predict.Values {
	if t == predict.Float64 {
		b[1].F64 = grow(b[1].F64, n)
		return &b[1]
	}
	b[0].F32 = grow(b[0].F32, n)
	return &b[0]
}

// Cap returns the number of values that the buffer has room for.
func (b *Buffer) Cap() int { return cap(b[0].F32) + cap(b[1].F64) }

// at returns number i of v, and set makes f number i. The methods of Values do so
// too, but copy all of it first, which takes longer than to read a number.
func at(v *predict.Values, i int) float64 {
	if v.F64 != nil {
		return v.F64[i]
	}
	return float64(v.F32[i])
}

func set(v *predict.Values, i int, f float64) {
	if v.F64 != nil {
		v.F64[i] = f
	} else {
		v.F32[i] = float32(f)
	}
}

// A Result holds the answers to a request's rows. Its memory is used again by the
// next call of Score, so front ends can keep Results in a pool.
type Result struct {
	Rows int
	Leaf []int32 // rows × NumTrees, if leaf numbers were asked for

	began   time.Time // to read the request
	vectors []vector  // by Output.vector
	margins Buffer    // of a few rows, if nobody asked for them
}

// Begin notes that a front end begins to read the request that Score will answer.
func (r *Result) Begin() { r.began = time.Now() }

// A vector is what is computed for an output.
type vector struct {
	values *predict.Values // nil if nobody asked for it
	memory Buffer
}

// Values returns the rows × Width values of an output that was asked for and is
// not of leaf numbers. They hold until the next call of Score.
func (r *Result) Values(o *Output) *predict.Values { return r.vectors[o.vector].values }

// Cap returns the number of values that r has room for.
func (r *Result) Cap() int {
	n := cap(r.Leaf) + r.margins.Cap()
	all := r.vectors[:cap(r.vectors)]
	for i := range all {
		n += all[i].memory.Cap()
	}
	return n
}

// Score scores the rows packed in x, as Predictor does, into r. The error is an
// *Error. A panic of the predictor is not caught: front ends hand it to
// Models.Panicked.
func (m *Model) Score(ctx context.Context, r *Result, x predict.Values, want []*Output) error {
	if x.Len()%m.NumFeatures != 0 {
		return invalid("%d values do not make rows of %d features", x.Len(), m.NumFeatures)
	}
	r.Rows = x.Len() / m.NumFeatures
	if err := m.CheckRows(r.Rows); err != nil {
		return err
	}
	if err := m.checkAnswer(r.Rows, want); err != nil {
		return err
	}
	if len(m.refusing) > 0 {
		if err := m.checkValues(&x); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return contextError(err)
	}
	start := time.Now()
	if !r.began.IsZero() {
		m.rows.parsing.observe(start.Sub(r.began))
	}
	if m.prepare(r, want) {
		m.answerFromMargins(r, x)
	} else if v := r.vectors[0].values; v != nil {
		m.Predict(*v, x)
	}
	if len(r.Leaf) > 0 {
		m.Leaf(r.Leaf, x)
	}
	m.rows.observe(r.Rows, time.Since(start))
	return m.checkLabels(r, want)
}

// prepare makes room in r for what is wanted and reports whether margins are
// needed for it.
func (m *Model) prepare(r *Result, want []*Output) (margins bool) {
	if n := m.marginVector() + 1; cap(r.vectors) < n {
		r.vectors = append(r.vectors[:cap(r.vectors)], make([]vector, n-cap(r.vectors))...)
	} else {
		r.vectors = r.vectors[:n]
	}
	for i := range r.vectors {
		r.vectors[i].values = nil
	}
	r.Leaf = r.Leaf[:0]
	for _, o := range want {
		if o.IsLeaf() {
			r.Leaf = grow(r.Leaf, r.Rows*m.NumTrees)
			continue
		}
		v := &r.vectors[o.vector]
		v.values = v.memory.Resize(m.Output, r.Rows*o.Width())
		margins = margins || o.vector > 0
	}
	return margins
}

// fewMargins bounds the memory for margins that nobody asked for: those of a
// thousand classes are many more values than the labels that they give.
const fewMargins = 1 << 18

// answerFromMargins computes the margins once for all vectors that are asked for.
func (m *Model) answerFromMargins(r *Result, x predict.Values) {
	wanted := r.vectors[m.marginVector()].values
	step := max(1, r.Rows)
	if wanted == nil {
		step = max(1, fewMargins/m.NumMargins)
	}
	if first := r.vectors[0].values; len(m.Answers) == 0 && first != nil {
		m.Predict(*first, x)
	}
	for begin := 0; begin < r.Rows; begin += step {
		end := min(begin+step, r.Rows)
		rows := x.Slice(begin*m.NumFeatures, end*m.NumFeatures)
		margins := wanted
		if margins == nil {
			margins = r.margins.Resize(m.Output, (end-begin)*m.NumMargins)
		}
		m.Margin(*margins, rows)
		for i := range m.Answers {
			if v := r.vectors[i].values; v != nil {
				w := m.Answers[i].Width
				m.Answer(i, v.Slice(begin*w, end*w), *margins, rows)
			}
		}
	}
}

// checkLabels makes sure that indices of labels are some, so that front ends can
// rely on them. It fails only if the predictor is broken.
func (m *Model) checkLabels(r *Result, want []*Output) error {
	for _, o := range want {
		if o.Labels == nil {
			continue
		}
		v := r.Values(o)
		for i := range v.Len() {
			class, n := at(v, i), len(o.Labels[i%len(o.Labels)].Texts)
			if !(class >= 0 && class < float64(n)) {
				return Errorf(http.StatusInternalServerError, "the model gives class %v of %d", class, n)
			}
		}
	}
	return nil
}

// CheckRows refuses a number of rows beyond the limit. Front ends call it as
// soon as they know the number, before they make room for the values.
func (m *Model) CheckRows(rows int) error {
	if rows > m.models.MaxRows {
		return Errorf(http.StatusRequestEntityTooLarge, "%d rows are more than the %d that one request may have (--max-rows)", rows, m.models.MaxRows)
	}
	return nil
}

// checkAnswer refuses a request whose answer would be far larger than itself: a
// leaf request asks for thousands of numbers with each row.
func (m *Model) checkAnswer(rows int, want []*Output) error {
	width, size := 0, int64(0)
	for _, o := range want {
		width += o.Width()
		size += o.size
	}
	if int64(rows)*size > m.models.MaxBody {
		return Errorf(http.StatusRequestEntityTooLarge, "the answer to %d rows has %d values each, more than %d bytes (--max-body); ask for fewer rows or outputs", rows, width, m.models.MaxBody)
	}
	return nil
}

func contextError(err error) *Error {
	if errors.Is(err, context.DeadlineExceeded) {
		return Errorf(http.StatusGatewayTimeout, "the request's deadline has passed")
	}
	return Errorf(statusClientGone, "the client went away")
}

// statusClientGone is nginx's 499; nobody reads it but the metrics.
const statusClientGone = 499

// grow returns s with n elements.
func grow[E any](s []E, n int) []E {
	if cap(s) < n {
		return make([]E, n)
	}
	return s[:n]
}
