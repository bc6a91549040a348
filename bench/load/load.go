// Package load drives a server with requests and measures how it bears them.
//
// In a closed loop each connection asks again as soon as it has its answer,
// which finds the most requests per second. In an open loop requests are due at
// a fixed rate, whether the server keeps up or not, and latency counts from when
// a request was due: a server that stalls makes the requests behind the stall
// wait too, and they are measured as their senders would feel them. Sending the
// next request only after the last answer would leave them out ("coordinated
// omission").
//
// Every answer is checked against the prediction that is known to be right, by
// bits. A fast wrong answer is an error.
package load

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"hew/bench"
)

// A Plan says how a server is driven.
type Plan struct {
	Connections int
	Rate        float64 // requests per second that are due; 0 is a closed loop
	Duration    time.Duration

	// Counts is the address, host:port, of a REST front end of the server, which is
	// asked what it counted; empty if it has none.
	Counts string
}

// A Target is a server and a protocol, with questions.
type Target struct {
	name      string // of the protocol
	questions Questions
	dial      func() (conn, error)
}

// A conn asks one question at a time over a connection of its own, which it
// renews after an error.
type conn interface {
	// ask sends request i and checks the answer.
	ask(i int) error
	close()
}

// Run drives the target and returns what it measured. It is an error if the
// first request of any connection, which is not measured, is not answered right;
// later failures are counted.
func Run(t Target, p Plan) (bench.Record, error) {
	record := bench.NewRecord(t.questions.Model, t.name)
	if p.Connections < 1 || p.Duration <= 0 || p.Rate < 0 {
		return record, fmt.Errorf("cannot drive a server by %d connections at %v requests/s for %v", p.Connections, p.Rate, p.Duration)
	}
	if err := t.questions.check(); err != nil {
		return record, err
	}
	r := run{plan: p, requests: t.questions.requests()}
	for range p.Connections {
		c, err := t.dial()
		if err != nil {
			return record, fmt.Errorf("%s: %w", t.name, err)
		}
		defer c.close()
		if err := c.ask(len(r.conns) % r.requests); err != nil {
			return record, fmt.Errorf("%s: %w", t.name, err)
		}
		r.conns = append(r.conns, c)
	}
	before, err := t.counts(p)
	if err != nil {
		return record, err
	}
	record.Load = r.run()
	after, err := t.counts(p)
	if err != nil {
		return record, err
	}
	if p.Counts != "" {
		record.Parts = after.parts(before, r.asked, r.took)
	}
	record.BatchRows = t.questions.BatchRows
	return record, nil
}

// counts returns what the server has counted so far.
func (t *Target) counts(p Plan) (counts, error) {
	if p.Counts == "" {
		return counts{}, nil
	}
	protocol := "http"
	if t.name == "grpc" {
		protocol = "grpc"
	}
	return settled(p.Counts, protocol)
}

// A run is one measurement that goes on.
type run struct {
	plan     Plan
	requests int // distinct ones
	conns    []conn
	start    time.Time
	next     atomic.Int64 // request to send

	mu         sync.Mutex // protects what follows
	latency    *hdrhistogram.Histogram
	sent       int64
	failed     int64
	firstError error
	asked      int64         // requests that were really sent
	took       time.Duration // between sending them and their checked answers, added up
}

func (r *run) run() *bench.Load {
	r.latency = newHistogram()
	r.start = time.Now()
	var wg sync.WaitGroup
	for _, c := range r.conns {
		wg.Go(func() { r.drive(c) })
	}
	wg.Wait()
	elapsed := time.Since(r.start)
	if unsent := r.due() - r.sent; unsent > 0 {
		r.failed += unsent
		r.sent += unsent
		r.fail(fmt.Errorf("%d requests were due and never sent: the server cannot hold the rate", unsent))
	}
	l := &bench.Load{
		Connections: r.plan.Connections, Rate: r.plan.Rate, Requests: r.sent, Errors: r.failed,
		PerSecond: float64(r.sent-r.failed) / elapsed.Seconds(),
		P50:       r.quantile(50), P95: r.quantile(95), P99: r.quantile(99),
	}
	if r.firstError != nil {
		l.FirstError = r.firstError.Error()
	}
	return l
}

// due returns how many requests an open loop has, and 0 for a closed one.
func (r *run) due() int64 { return int64(r.plan.Rate * r.plan.Duration.Seconds()) }

// drive asks over c until the time is over. Requests that fail have a latency
// too: leaving them out would make a server faster by failing.
func (r *run) drive(c conn) {
	latency := newHistogram()
	var sent, failed int64
	var took time.Duration
	var first error
	for {
		i, due, ok := r.take()
		if !ok {
			break
		}
		began := time.Now()
		err := c.ask(int(i % int64(r.requests)))
		took += time.Since(began)
		record(latency, time.Since(due))
		sent++
		if err != nil {
			if failed++; first == nil {
				first = err
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.latency.Merge(latency)
	r.sent += sent
	r.asked += sent
	r.took += took
	r.failed += failed
	r.fail(first)
}

// fail keeps err if it is the first.
func (r *run) fail(err error) {
	if r.firstError == nil {
		r.firstError = err
	}
}

// take returns the next request when it is due, or false after the last one. An
// open loop that lags gives up when it has taken twice its time, or a second more.
func (r *run) take() (i int64, due time.Time, ok bool) {
	i = r.next.Add(1) - 1
	now := time.Now()
	if r.plan.Rate == 0 {
		return i, now, now.Sub(r.start) < r.plan.Duration
	}
	due = r.start.Add(time.Duration(float64(i) / r.plan.Rate * float64(time.Second)))
	if i >= r.due() || now.Sub(r.start) > r.plan.Duration+max(r.plan.Duration, time.Second) {
		return 0, due, false
	}
	time.Sleep(due.Sub(now))
	return i, due, true
}

// A histogram counts microseconds, up to longest.
const longest = 10 * time.Minute

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, longest.Microseconds(), 3)
}

func record(h *hdrhistogram.Histogram, d time.Duration) {
	if err := h.RecordValue(min(d, longest).Microseconds()); err != nil {
		panic(err) // it is within the bounds
	}
}

// quantile returns a percentile of the latency in milliseconds.
func (r *run) quantile(percent float64) float64 {
	return float64(r.latency.ValueAtQuantile(percent)) / 1000
}
