package kernel

import (
	"sync"
	"sync/atomic"
)

// A job is a batch whose blocks several goroutines score. It is kept for the next
// batch, together with the function that its goroutines run: a go statement that
// calls an existing function value allocates nothing.
type job[In, Out Float] struct {
	e       *Engine[In, Out]
	dst     []Out
	x       []In
	base    []Out
	rows    int
	next    atomic.Int64 // first row of the next block
	others  sync.WaitGroup
	another func()
}

func newJob[In, Out Float](e *Engine[In, Out]) *job[In, Out] {
	j := &job[In, Out]{e: e}
	j.another = func() {
		j.run()
		j.others.Done()
	}
	return j
}

// share scores rows in this goroutine and threads-1 others. Each takes blocks of
// rows until none is left; a row's sum is always one goroutine's, in the order of
// trees.
func (e *Engine[In, Out]) share(dst []Out, x []In, base []Out, rows, threads int) {
	j := e.jobs.Get().(*job[In, Out])
	j.dst, j.x, j.base, j.rows = dst, x, base, rows
	j.next.Store(0)
	j.others.Add(threads - 1)
	for range threads - 1 {
		go j.another()
	}
	j.run()
	j.others.Wait()
	j.dst, j.x, j.base = nil, nil, nil
	e.jobs.Put(j)
}

func (j *job[In, Out]) run() {
	e := j.e
	for {
		i := int(j.next.Add(int64(e.lanes))) - e.lanes
		if i >= j.rows {
			return
		}
		n := min(e.lanes, j.rows-i)
		var base []Out
		if j.base != nil {
			base = j.base[i*e.outputs : (i+n)*e.outputs]
		}
		e.marginRows(j.dst[i*e.outputs:(i+n)*e.outputs], j.x[i*e.features:(i+n)*e.features], base, n)
	}
}
