package grpc

import (
	"sync"

	"hew/predict"
	"hew/serve"
	"hew/serve/grpc/proto/inference"
)

// work is the memory that answering a call needs. It is pooled.
type work struct {
	single decoder[float32]
	double decoder[float64]
	rows   serve.Buffer
	result serve.Result
}

var works = sync.Pool{New: func() any { return new(work) }}

// begin returns memory for a call that begins now.
func begin() *work {
	w := works.Get().(*work)
	w.result.Begin()
	return w
}

// decode returns the tensors of a request to a model that takes type t. They hold
// until the next call.
func (w *work) decode(t predict.Type, req *inference.ModelInferRequest) ([]serve.Tensor, error) {
	if t == predict.Float64 {
		return w.double.decode(req)
	}
	return w.single.decode(req)
}

// free gives w back, unless it has grown so large that a few such calls would
// hold on to much memory for good.
func (w *work) free() {
	const most = 1 << 18 // elements
	s, d := &w.single, &w.double
	if max(w.rows.Cap(), cap(s.values), cap(s.tensors), cap(d.values), cap(d.tensors), w.result.Cap()) > most {
		return
	}
	clear(s.tensors) // they point into the request
	clear(d.tensors)
	works.Put(w)
}
