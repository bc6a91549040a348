package grpc

import (
	"sync"

	"hew/serve"
)

// work is the memory that answering a call needs. It is pooled.
type work struct {
	decoder decoder
	rows    []float32
	result  serve.Result
}

var works = sync.Pool{New: func() any { return new(work) }}

// free gives w back, unless it has grown so large that a few such calls would
// hold on to much memory for good.
func (w *work) free() {
	const most = 1 << 18 // elements
	d, r := &w.decoder, &w.result
	if max(cap(w.rows), cap(d.values), cap(d.tensors), cap(r.Predict), cap(r.Margin), cap(r.Leaf)) > most {
		return
	}
	clear(d.tensors) // they point into the request
	works.Put(w)
}
