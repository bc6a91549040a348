package bench

import (
	"encoding/json"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// A Record is one measurement: of an engine (Timing and, if it was compiled for
// the run, Build) or of a server (Load). In JSON it is one flat object; the names
// of its fields are stable.
type Record struct {
	Model  string    `json:"model"`
	Engine string    `json:"engine"` // "rest", "rest-v2" or "grpc" for a server
	CPU    string    `json:"cpu"`
	Time   time.Time `json:"time"`
	*Timing
	*Build
	*Load
}

// A Timing is how long an engine takes and whether it is right.
type Timing struct {
	Batch    int     `json:"batch"` // rows per call
	Threads  int     `json:"threads"`
	NsPerRow float64 `json:"ns_per_row"`     // wall time, median over the rounds
	NsMin    float64 `json:"ns_per_row_min"` // of the fastest round
	NsMax    float64 `json:"ns_per_row_max"` // of the slowest round
	Rounds   int     `json:"rounds"`
	Rows     int     `json:"rows"` // in a pass

	Reference  string  `json:"reference"`      // the engine whose bits are the right ones
	Foreign    bool    `json:"foreign"`        // the engine is not one of ours
	BitEqual   bool    `json:"bit_equal"`      // in all rows
	DifferRows int     `json:"differing_rows"` // rows of which any bit differs
	MaxDiff    float64 `json:"max_diff"`       // largest difference of two margins, or of two predictions where there are no margins
}

// A Build is what compiling an engine cost.
type Build struct {
	Seconds       float64 `json:"build_seconds"`
	PeakBytes     int64   `json:"build_peak_bytes"` // resident memory of the largest process
	ArtifactBytes int64   `json:"artifact_bytes"`   // size of the program
}

// A Load is how a server bears requests. A request that fails or is answered
// wrongly counts as an error, and not in PerSecond.
type Load struct {
	Connections int     `json:"connections"`
	Rate        float64 `json:"rate"` // requests per second that were due; 0: as many as were answered
	BatchRows   int     `json:"rows_per_request"`
	Requests    int64   `json:"requests"` // sent
	PerSecond   float64 `json:"requests_per_s"`
	P50         float64 `json:"p50_ms"` // from when the request was due to its checked answer
	P95         float64 `json:"p95_ms"`
	P99         float64 `json:"p99_ms"`
	Errors      int64   `json:"errors"`
	FirstError  string  `json:"first_error,omitempty"`
}

// OK reports whether all engines of ours gave the right bits and servers the
// right answers.
func OK(records []Record) bool {
	for _, r := range records {
		if r.Timing != nil && !r.Foreign && !r.BitEqual || r.Load != nil && r.Errors > 0 {
			return false
		}
	}
	return true
}

// Write writes records as JSON, one per line.
func Write(w io.Writer, records []Record) error {
	e := json.NewEncoder(w)
	for _, r := range records {
		if err := e.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

// NewRecord returns a record of a measurement made now on this machine.
func NewRecord(model, engine string) Record {
	return Record{Model: model, Engine: engine, CPU: cpu(), Time: time.Now().UTC().Truncate(time.Second)}
}

// cpu returns the name of the processor, or of its architecture where the
// system does not tell.
func cpu() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(info)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return runtime.GOARCH
}
