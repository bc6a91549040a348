package bench

import (
	"encoding/json"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A Record is one measurement: of an engine (Timing and, if it was compiled for
// the run, Build) or of a server (Load). In JSON it is one flat object; the names
// of its fields are stable. A record with a Setup measures nothing: it says what the
// records behind it measure.
type Record struct {
	Model  string    `json:"model"`
	Engine string    `json:"engine,omitempty"` // "rest", "rest-v2" or "grpc" for a server
	CPU    string    `json:"cpu"`
	Time   time.Time `json:"time"`
	*Timing
	*Build
	*Load
	Setup *Setup `json:"setup,omitempty"`
}

// A Setup is what is measured, and where.
type Setup struct {
	Command string `json:"command"` // as it can be given to a shell
	Hew     string `json:"hew"`     // version
	Go      string `json:"go"`      // version
	System  string `json:"system"`  // operating system and architecture
	Cores   int    `json:"cores"`   // that this process may use
	Card    Card   `json:"card"`
	Passes  []Pass `json:"passes,omitempty"` // that ran, in order
}

// A Card says what a model is, before any pass.
type Card struct {
	File      string `json:"file"`
	SHA256    string `json:"sha256"`
	Trainer   string `json:"trainer"` // with its version and the file's container
	Objective string `json:"objective"`
	Task      string `json:"task"`
	Features  int    `json:"features"`
	Outputs   int    `json:"outputs"` // margins per row
	Size
	Depth int `json:"depth"` // splits on the longest path
}

// A Size counts what a model holds.
type Size struct {
	Trees  int   `json:"trees"`
	Nodes  int   `json:"nodes"`
	Leaves int   `json:"leaves"`
	Bytes  int64 `json:"bytes"` // in memory, before it is compiled
}

// A Pass is what a pass did to a model.
type Pass struct {
	Name    string  `json:"name"`
	Doc     string  `json:"doc,omitempty"`
	Exact   bool    `json:"exact"` // margins and predictions kept their bits
	Seconds float64 `json:"seconds"`
	Before  Size    `json:"before"`
	After   Size    `json:"after"`

	// Certified bounds |margin after − margin before| of every row there is, one
	// number per output; Measured is the largest such change on the rows that were
	// given. Both are absent for an exact pass, Measured also where there were no rows.
	Certified []float64 `json:"certified,omitempty"`
	Measured  []float64 `json:"measured,omitempty"`
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

	// Parts is where the time of a request goes, from sending it to its checked
	// answer; they add up to the mean. It is absent if the server's own counts do not
	// agree with the requests sent.
	Parts []Part `json:"parts,omitempty"`
}

// A Part is a share of the time of a request.
type Part struct {
	// Name is "parse": from when a front end has the request, for gRPC out of its bytes,
	// to the call of the predictor; "rank": in the predictor, for the ranks of features, by
	// its share as measured without a server; "score": in the predictor otherwise;
	// "encode": from there to the end of the answer, for gRPC not yet as bytes; "network":
	// outside of these, the client included.
	Name string  `json:"name"`
	Mean float64 `json:"mean_ms"` // over all requests
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

// Finite returns numbers with the largest one for an infinity, which JSON has not.
func Finite(values []float64) []float64 {
	f := slices.Clone(values)
	for i := range f {
		f[i] = min(f[i], math.MaxFloat64)
	}
	return f
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

// NewSetup returns a record of what is about to be measured on this machine, by the
// command args, with this version of hew.
func NewSetup(model, hew string, args []string, card Card, passes []Pass) Record {
	r := NewRecord(model, "")
	r.Setup = &Setup{
		Command: quote(args), Hew: hew, Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH,
		Cores: runtime.GOMAXPROCS(0), Card: card, Passes: passes,
	}
	return r
}

// quote returns a command line as a POSIX shell reads it.
func quote(args []string) string {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = a
		if a == "" || strings.ContainsFunc(a, needsQuotes) {
			words[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

func needsQuotes(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_./=:,+@%", r))
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
