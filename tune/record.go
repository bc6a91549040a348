package tune

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// A Record is what is known about one candidate. In JSON it is one object, on a line
// of its own; the names of its fields are stable. The first record of a run is the
// unpruned model, whose Prune and Quantize are empty; the others follow in the order
// in which they were tried.
//
// What a field does not apply to, it is left out of the JSON: a candidate that was
// refused has a reason and nothing else, one that was only tried in the search no
// Judge and no Speed.
type Record struct {
	Kind  string    `json:"kind"`  // "tune", which no record of a benchmark has
	Model string    `json:"model"` // its name
	CPU   string    `json:"cpu"`
	Time  time.Time `json:"time"`

	Prune    string `json:"prune"`    // settings, as prune.Parse reads them
	Quantize string `json:"quantize"` // settings, as quantize.Parse reads them
	Origin   string `json:"origin"`   // why it was tried: unpruned, single, between, combined, or varied

	Trees   int   `json:"trees,omitempty"`
	Nodes   int   `json:"nodes,omitempty"`   // after the exact passes
	Columns int   `json:"columns,omitempty"` // of bytes, that a row is ranked into
	Bytes   int64 `json:"bytes,omitempty"`   // of the tables that engines evaluate
	Binary  int64 `json:"binary_bytes,omitempty"`

	// Certified bounds how far a margin may be from the unpruned model's on any row
	// there is, for each output; MarginChange is how far it was at most on the rows
	// that Judge, or else Search, is about. ClassChange is the share of them of which
	// the predicted class is another, and nil for numbers.
	Certified    []float64 `json:"certified_bound,omitempty"`
	MarginChange []float64 `json:"margin_change,omitempty"`
	ClassChange  *float64  `json:"class_change,omitempty"`

	// Search is the metric on the rows that steer the search, Judge that on the rows
	// that nothing was fitted on or chosen by.
	Search *Judgement `json:"search,omitempty"`
	Judge  *Judgement `json:"judge,omitempty"`

	Speed *Speed `json:"speed,omitempty"` // of candidates that were measured

	Front    bool   `json:"front"`              // no other measured candidate is better in one thing and as good in all
	Chosen   bool   `json:"chosen"`             // what the constraints lead to
	Rejected string `json:"rejected,omitempty"` // why it is not on the front, or breaks a constraint
}

// A Judgement is a metric on some rows, compared with the unpruned model on the same.
//
// The loss is the metric, or 1 minus it if larger values are better. Increase is that
// of the loss, relative to the unpruned model's: 0.001 is 0.1 %. Low and High hold the
// middle 95 % of its bootstrap distribution, in which each sample of the rows (or
// queries) is given to both models. If the interval holds 0, the rows do not show a
// difference.
type Judgement struct {
	Metric   string  `json:"metric"`
	Smaller  bool    `json:"smaller_is_better"`
	Rows     int     `json:"rows"`
	Value    float64 `json:"value"`
	Increase float64 `json:"loss_increase"`

	Samples int     `json:"samples,omitempty"` // of the bootstrap; 0: no interval was made
	Low     float64 `json:"loss_increase_low"`
	High    float64 `json:"loss_increase_high"`
}

// judged returns what is known of the metric: the judgement or, after a search that was
// interrupted, that of the search.
func (r *Record) judged() *Judgement {
	if r.Judge != nil {
		return r.Judge
	}
	return r.Search
}

// Noise reports whether the rows do not show a difference to the unpruned model.
func (j *Judgement) Noise() bool { return j.Low <= 0 && j.High >= 0 }

// A Speed is how long a candidate takes, wall time of one thread per row, the link
// included: the median of interleaved rounds, and the fastest and the slowest of them.
type Speed struct {
	Engine    string  `json:"engine"` // that was measured, one of this process
	Batch     int     `json:"batch"`  // rows per call, for NsBatch
	Rounds    int     `json:"rounds"`
	NsSingle  float64 `json:"ns_single"` // one row per call
	SingleMin float64 `json:"ns_single_min"`
	SingleMax float64 `json:"ns_single_max"`
	NsBatch   float64 `json:"ns_batch"` // per row
	BatchMin  float64 `json:"ns_batch_min"`
	BatchMax  float64 `json:"ns_batch_max"`
	BitEqual  bool    `json:"bit_equal"` // the engine gave the candidate's own reference's bits
}

// Settings says in words what a record is about.
func (r *Record) Settings() string {
	c := Candidate{Prune: r.Prune, Quantize: r.Quantize}
	return c.String()
}

// Write writes records as JSON, one per line.
func Write(w io.Writer, records []Record) error {
	b := bufio.NewWriter(w)
	e := json.NewEncoder(b)
	for i := range records {
		if err := e.Encode(&records[i]); err != nil {
			return fmt.Errorf("record of %s: %w", records[i].Settings(), err)
		}
	}
	return b.Flush()
}
