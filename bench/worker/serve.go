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
	s := server{models: models, rows: make([]predict.Values, len(models))}
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
	rows   []predict.Values // what to measure with, by model
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
	if op == opMeasure {
		return s.measure(model, request)
	}
	j, err := newJob(s.models[model], op, request)
	if err != nil {
		return nil, err
	}
	if op&^(opSingly|opDouble) == opRows {
		s.rows[model] = j.x
		return nil, nil
	}
	return j.run(op &^ (opSingly | opDouble))
}

func (s *server) measure(model int, request []byte) ([]byte, error) {
	var o order
	if err := decode(request, &o); err != nil {
		return nil, err
	}
	if s.rows[model].Len() == 0 {
		return nil, errors.New("no rows to measure with")
	}
	spec := measure.Spec{Batch: int(o.Batch), Threads: int(o.Threads)}
	sample, err := measure.Slice(s.models[model], s.rows[model], spec, time.Duration(o.Nanos))
	if err != nil {
		return nil, err
	}
	return encode(sample), nil
}
