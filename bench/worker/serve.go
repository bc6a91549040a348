// Package worker runs predictors in a process of their own.
//
// Generated code is compiled after hew is, so hew cannot call it. It builds a
// small program around the code instead, which serves its predictors over
// standard input and output: Main and Serve are that program's side, Client is
// hew's. The program also measures itself, with package measure, so that the
// pipe costs the measured code nothing.
package worker

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"hew/bench/measure"
	"hew/predict"
)

// Main serves models over standard input and output until the input ends, and
// returns the exit code of the program.
func Main(models []predict.Predictor) int {
	if err := Serve(models, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		return 1
	}
	return 0
}

// Serve answers the requests of a Client that arrive from in until in ends. A
// request that cannot be answered is told to the client; an error is returned
// only if in or out fails.
func Serve(models []predict.Predictor, in io.Reader, out io.Writer) error {
	r, w := bufio.NewReader(in), bufio.NewWriter(out)
	s := server{models: models, rows: make([][]float32, len(models))}
	if _, err := w.WriteString(banner); err != nil {
		return err
	}
	for {
		if err := w.Flush(); err != nil {
			return err
		}
		op, model, request, err := readFrame(r)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		status := uint32(statusOK)
		response, err := s.answer(op, int(model), request)
		if err != nil {
			status, response = statusError, []byte(err.Error())
		}
		if err := writeFrame(w, status, 0, response); err != nil {
			return err
		}
	}
}

// A server is what Serve knows between two requests.
type server struct {
	models []predict.Predictor
	rows   [][]float32 // what to measure with, by model
}

// A modelInfo is what a client is told of a model.
type modelInfo struct {
	predict.Info
	HasLeaf bool `json:"has_leaf"`
}

func (s *server) answer(op uint32, model int, request []byte) ([]byte, error) {
	if op == opInfo {
		infos := make([]modelInfo, len(s.models))
		for i, m := range s.models {
			infos[i] = modelInfo{m.Info, m.Leaf != nil}
		}
		return json.Marshal(infos)
	}
	if model >= len(s.models) {
		return nil, fmt.Errorf("no model %d, there are %d", model, len(s.models))
	}
	m := s.models[model]
	if op == opMeasure {
		return s.measure(model, request)
	}
	x, err := decodeRows(request, m.NumFeatures)
	if err != nil {
		return nil, err
	}
	call := max(1, len(x)/m.NumFeatures) // rows in a call
	if op&opSingly != 0 {
		call = 1
	}
	switch op &^ opSingly {
	case opRows:
		s.rows[model] = x
		return nil, nil
	case opPredict:
		return encode(inCalls(call, x, m.NumFeatures, m.NumOutputs, m.Predict)), nil
	case opMargin:
		return encode(inCalls(call, x, m.NumFeatures, m.NumMargins, m.Margin)), nil
	case opLeaf:
		if m.Leaf == nil {
			return nil, errors.New("the model has no leaves")
		}
		return encode(inCalls(call, x, m.NumFeatures, m.NumTrees, m.Leaf)), nil
	}
	return nil, fmt.Errorf("unknown operation %d", op)
}

// inCalls returns what f writes for the rows in x, given so many at a time.
func inCalls[T int32 | float32](rows int, x []float32, features, width int, f func(dst []T, x []float32)) []T {
	dst := make([]T, len(x)/features*width)
	for rest := dst; len(x) > 0; {
		n := min(rows, len(x)/features)
		f(rest[:n*width], x[:n*features])
		rest, x = rest[n*width:], x[n*features:]
	}
	return dst
}

func (s *server) measure(model int, request []byte) ([]byte, error) {
	var o order
	if err := decode(request, &o); err != nil {
		return nil, err
	}
	if s.rows[model] == nil {
		return nil, errors.New("no rows to measure with")
	}
	spec := measure.Spec{Batch: int(o.Batch), Threads: int(o.Threads)}
	sample, err := measure.Slice(s.models[model], s.rows[model], spec, time.Duration(o.Nanos))
	if err != nil {
		return nil, err
	}
	return encode(sample), nil
}

func decodeRows(request []byte, features int) ([]float32, error) {
	if features < 1 || len(request)%(4*features) != 0 {
		return nil, fmt.Errorf("%d bytes are no rows of %d features", len(request), features)
	}
	x := make([]float32, len(request)/4)
	return x, decode(request, x)
}
