package worker

import (
	"encoding/binary"
	"errors"
	"fmt"

	"hew/predict"
)

// A job is rows that a model shall score.
type job struct {
	model   predict.Predictor
	x       predict.Values
	margins predict.Values // of the rows, for an answer
	answer  int            // its number
	call    int            // most rows in a call
}

// newJob reads the payload of an operation.
func newJob(m predict.Predictor, op uint32, payload []byte) (*job, error) {
	j := &job{model: m}
	t := predict.Type(predict.Float32)
	if op&opDouble != 0 {
		t = predict.Float64
	}
	if t != typeOf(m.Input) {
		return nil, fmt.Errorf("rows of %s, the model takes %s", t, typeOf(m.Input))
	}
	row := size(m.Input) * m.NumFeatures
	if op&^(opSingly|opDouble) == opAnswer {
		var err error
		if payload, err = j.readMargins(payload, row); err != nil {
			return nil, err
		}
	}
	if row < 1 || len(payload)%row != 0 {
		return nil, fmt.Errorf("%d bytes are no rows of %d features", len(payload), m.NumFeatures)
	}
	j.x = predict.MakeValues(m.Input, len(payload)/size(m.Input))
	if j.call = max(1, len(payload)/row); op&opSingly != 0 {
		j.call = 1
	}
	return j, decodeValues(payload, j.x)
}

// readMargins reads what stands before the rows, of so many bytes each, in a
// request for an answer. It returns the rest.
func (j *job) readMargins(payload []byte, row int) (rest []byte, err error) {
	m := &j.model
	margins := size(m.Output) * m.NumMargins
	if len(payload) < 4 || (len(payload)-4)%(margins+row) != 0 {
		return nil, fmt.Errorf("%d bytes are no margins and rows", len(payload))
	}
	number := binary.LittleEndian.Uint32(payload)
	if number >= uint32(len(m.Answers)) || m.Answer == nil {
		return nil, fmt.Errorf("no answer %d, there are %d", number, len(m.Answers))
	}
	j.answer = int(number)
	rows := (len(payload) - 4) / (margins + row)
	j.margins = predict.MakeValues(m.Output, rows*m.NumMargins)
	payload = payload[4:]
	return payload[rows*margins:], decodeValues(payload[:rows*margins], j.margins)
}

// run returns the payload of the response.
func (j *job) run(op uint32) ([]byte, error) {
	m := &j.model
	switch op {
	case opPredict:
		return j.numbers(m.NumOutputs, func(dst, x predict.Values, _ int) { m.Predict(dst, x) }), nil
	case opMargin:
		return j.numbers(m.NumMargins, func(dst, x predict.Values, _ int) { m.Margin(dst, x) }), nil
	case opAnswer:
		return j.numbers(m.Answers[j.answer].Width, func(dst, x predict.Values, row int) {
			rows := x.Len() / m.NumFeatures
			m.Answer(j.answer, dst, j.margins.Slice(row*m.NumMargins, (row+rows)*m.NumMargins), x)
		}), nil
	case opLeaf:
		if m.Leaf == nil {
			return nil, errors.New("the model has no leaves")
		}
		dst := make([]int32, j.rows()*m.NumTrees)
		j.each(func(x predict.Values, row int) {
			m.Leaf(dst[row*m.NumTrees:][:x.Len()/m.NumFeatures*m.NumTrees], x)
		})
		return encode(dst), nil
	}
	return nil, fmt.Errorf("unknown operation %d", op)
}

func (j *job) rows() int { return j.x.Len() / j.model.NumFeatures }

// numbers returns the bytes of what f writes, so many values per row.
func (j *job) numbers(width int, f func(dst, x predict.Values, row int)) []byte {
	dst := predict.MakeValues(j.model.Output, j.rows()*width)
	j.each(func(x predict.Values, row int) {
		f(dst.Slice(row*width, (row+x.Len()/j.model.NumFeatures)*width), x, row)
	})
	return encodeValues(dst)
}

// each calls f with the rows, so many at a time, and the number of the first.
func (j *job) each(f func(x predict.Values, row int)) {
	n := j.model.NumFeatures
	for row := 0; row < j.rows(); row += j.call {
		f(j.x.Slice(row*n, min(row+j.call, j.rows())*n), row)
	}
}

// typeOf returns t; a model that does not say takes float32.
func typeOf(t predict.Type) predict.Type {
	if t == predict.Float64 {
		return t
	}
	return predict.Float32
}
