package report

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"hew/bench"
	"hew/tune"
)

// Records are what measurements left.
type Records struct {
	bench []filed[bench.Record]
	tune  []filed[tune.Record]
	setup map[string]string // the SHA-256 of the model of a name, by the last setup in the file
}

// A filed record has the SHA-256 of its model, which the setup before it tells; "" if
// there is none. Files of models often have the same name.
type filed[T any] struct {
	record T
	sha256 string
}

// maxLine bounds a record.
const maxLine = 16 << 20

// Read adds records, a JSON object per line, of the file with the given name. An error
// says in which line it is.
func (r *Records) Read(name string, in io.Reader) error {
	r.setup = map[string]string{}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	n, known := 0, len(r.bench)+len(r.tune)
	for lines.Scan() {
		n++
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		if err := r.add(lines.Bytes()); err != nil {
			return fmt.Errorf("%s: line %d: %w", name, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: line %d: %w", name, n+1, err)
	}
	if len(r.bench)+len(r.tune) == known {
		return fmt.Errorf("%s: no records", name)
	}
	return nil
}

func (r *Records) add(line []byte) error {
	var head struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return fmt.Errorf("is no JSON object, as hew bench --json and hew tune --json write them: %w", err)
	}
	switch head.Kind {
	case "":
		var b bench.Record
		if err := json.Unmarshal(line, &b); err != nil {
			return err
		}
		if b.Setup != nil {
			r.setup[b.Model] = b.Setup.Card.SHA256
		}
		r.bench = append(r.bench, filed[bench.Record]{b, r.setup[b.Model]})
		return checkBench(&b)
	case "tune":
		var t tune.Record
		if err := json.Unmarshal(line, &t); err != nil {
			return err
		}
		r.tune = append(r.tune, filed[tune.Record]{t, r.setup[t.Model]})
		return checkTune(&t)
	}
	return fmt.Errorf("is a record of kind %q, which this version of hew does not know", head.Kind)
}

var errNoModel = errors.New(`has no "model"`)

// checkBench reports what keeps a record from being shown.
func checkBench(b *bench.Record) error {
	switch {
	case b.Model == "":
		return errNoModel
	case b.Timing == nil && b.Load == nil && b.Setup == nil:
		return errors.New(`measures nothing: it has none of "ns_per_row", "requests_per_s" and "setup"`)
	}
	if t := b.Timing; t != nil {
		if t.Batch < 1 || t.Threads < 1 || !rising(t.NsMin, t.NsPerRow, t.NsMax) {
			return fmt.Errorf("has %v ns per row, of %v to %v, for batches of %d on %d threads", t.NsPerRow, t.NsMin, t.NsMax, t.Batch, t.Threads)
		}
	}
	return errors.Join(checkBuild(b.Build), checkLoad(b.Load), checkSetup(b.Setup))
}

func checkBuild(b *bench.Build) error {
	if b != nil && (!amounts(b.Seconds) || b.PeakBytes < 0 || b.ArtifactBytes < 0) {
		return fmt.Errorf("was built in %v s with %d bytes of memory to %d bytes", b.Seconds, b.PeakBytes, b.ArtifactBytes)
	}
	return nil
}

func checkLoad(l *bench.Load) error {
	if l == nil {
		return nil
	}
	if l.Connections < 1 || l.BatchRows < 1 || l.Requests < 0 || l.Errors < 0 || !amounts(l.Rate, l.PerSecond) {
		return fmt.Errorf("has %v of %v requests per second, %d in all and %d errors, for %d connections and %d rows per request",
			l.PerSecond, l.Rate, l.Requests, l.Errors, l.Connections, l.BatchRows)
	}
	answered := l.P50 != 0 || l.P95 != 0 || l.P99 != 0
	if answered && !rising(l.P50, l.P95, l.P99) {
		return fmt.Errorf("has percentiles %v, %v and %v ms", l.P50, l.P95, l.P99)
	}
	for _, p := range l.Parts {
		if !amounts(p.Mean) || p.Name == "" {
			return fmt.Errorf("has a part %q of %v ms", p.Name, p.Mean)
		}
	}
	return nil
}

func checkSetup(u *bench.Setup) error {
	if u == nil {
		return nil
	}
	if c := u.Card; min(c.Features, c.Outputs, c.Depth, u.Cores) < 0 || !sized(c.Size) {
		return fmt.Errorf("has a model of %d features, %d outputs, %d trees, %d nodes, %d leaves, %d bytes and depth %d",
			c.Features, c.Outputs, c.Trees, c.Nodes, c.Leaves, c.Bytes, c.Depth)
	}
	for _, p := range u.Passes {
		if !sized(p.Before) || !sized(p.After) || !amounts(p.Seconds) || !bounds(p.Certified) || !bounds(p.Measured) {
			return fmt.Errorf("has a pass %s of %v s, from %d to %d nodes, with bounds %v and changes %v", p.Name, p.Seconds, p.Before.Nodes, p.After.Nodes, p.Certified, p.Measured)
		}
	}
	return nil
}

func sized(s bench.Size) bool { return min(s.Trees, s.Nodes, s.Leaves) >= 0 && s.Bytes >= 0 }

func checkTune(t *tune.Record) error {
	if t.Model == "" {
		return errNoModel
	}
	if min(t.Trees, t.Nodes, t.Columns) < 0 || min(t.Bytes, t.Binary) < 0 {
		return fmt.Errorf("has %d trees, %d nodes, %d columns, %d bytes, and a binary of %d", t.Trees, t.Nodes, t.Columns, t.Bytes, t.Binary)
	}
	if !bounds(t.Certified) || !bounds(t.MarginChange) {
		return fmt.Errorf("has bounds %v and changes %v of margins", t.Certified, t.MarginChange)
	}
	if s := t.Speed; s != nil && (s.Batch < 1 || !rising(s.SingleMin, s.NsSingle, s.SingleMax) || !rising(s.BatchMin, s.NsBatch, s.BatchMax)) {
		return fmt.Errorf("has %v ns for a row, of %v to %v, and %v in batches of %d, of %v to %v", s.NsSingle, s.SingleMin, s.SingleMax, s.NsBatch, s.Batch, s.BatchMin, s.BatchMax)
	}
	return errors.Join(checkJudgement(t.Search), checkJudgement(t.Judge))
}

func checkJudgement(j *tune.Judgement) error {
	if j == nil {
		return nil
	}
	between := j.Samples == 0 || j.Low <= j.High
	if j.Rows < 0 || j.Samples < 0 || !between || !amounts(math.Abs(j.Value)) || !increases(j.Increase, j.Low, j.High) {
		return fmt.Errorf("has a %s of %v on %d rows, and an increase of the loss by %v, %v to %v, by %d samples", j.Metric, j.Value, j.Rows, j.Increase, j.Low, j.High, j.Samples)
	}
	return nil
}

// Plots have room for amounts of up to most, and from 1/most.
const most = 1e30

// amounts reports whether values are 0 or positive numbers that plots have room for.
func amounts(values ...float64) bool {
	for _, v := range values {
		if v != 0 && !(v >= 1/most && v <= most) {
			return false
		}
	}
	return true
}

// infinite is what records have for an infinity, which JSON has not.
const infinite = math.MaxFloat64

// bounds reports whether values are 0 or positive: a bound may be infinite, or so small
// that plots leave it out.
func bounds(values []float64) bool {
	return !slices.ContainsFunc(values, func(v float64) bool { return !(v >= 0) })
}

// increases reports whether plots have room for values, or they are infinite.
func increases(values ...float64) bool {
	return !slices.ContainsFunc(values, func(v float64) bool { return !(math.Abs(v) <= most || math.Abs(v) == infinite) })
}

// rising reports whether three amounts are positive and none is less than the one before.
func rising(low, mid, high float64) bool {
	return amounts(low, mid, high) && 0 < low && low <= mid && mid <= high
}

// A subject is a model on a processor: numbers of two models, or processors, are not
// compared.
type subject struct {
	model, cpu  string
	sha256      string
	setups      []bench.Record // in order of time
	timings     []bench.Record // of the newest run of each batch and number of threads
	loads       []bench.Record // the newest of each kind
	tunes       []tune.Record  // of the newest search
	older       int            // records that newer ones replace
	first, last time.Time
}

// subjects sorts records by what they are about, in the order in which they first come.
func (r *Records) subjects() []*subject {
	var all []*subject
	known := r.digests()
	find := func(model, cpu, sha256 string, at time.Time) *subject {
		if of := known[model]; sha256 == "" && len(of) == 1 {
			sha256 = of[0]
		}
		i := slices.IndexFunc(all, func(s *subject) bool { return s.model == model && s.cpu == cpu && s.sha256 == sha256 })
		if i < 0 {
			i, all = len(all), append(all, &subject{model: model, cpu: cpu, sha256: sha256, first: at, last: at})
		}
		if all[i].first.After(at) {
			all[i].first = at
		}
		if all[i].last.Before(at) {
			all[i].last = at
		}
		return all[i]
	}
	timings := map[*subject][]bench.Record{}
	for _, f := range r.bench {
		b := f.record
		s := find(b.Model, b.CPU, f.sha256, b.Time)
		switch {
		case b.Setup != nil:
			s.setups = append(s.setups, b)
		case b.Timing != nil:
			timings[s] = append(timings[s], b)
		case b.Load != nil:
			s.addLoad(b)
		}
	}
	tunes := map[*subject][]tune.Record{}
	for _, f := range r.tune {
		t := f.record
		s := find(t.Model, t.CPU, f.sha256, t.Time)
		tunes[s] = append(tunes[s], t)
	}
	for _, s := range all {
		slices.SortStableFunc(s.setups, func(a, b bench.Record) int { return a.Time.Compare(b.Time) })
		s.keepNewestRuns(timings[s])
		s.keepNewestSearch(tunes[s])
	}
	return all
}

// digests returns the models of each name.
func (r *Records) digests() map[string][]string {
	all := map[string][]string{}
	for _, f := range r.bench {
		if name := f.record.Model; f.sha256 != "" && !slices.Contains(all[name], f.sha256) {
			all[name] = append(all[name], f.sha256)
		}
	}
	return all
}

// addLoad adds a record of a server, in place of an older one of the same kind.
func (s *subject) addLoad(b bench.Record) {
	for i := range s.loads {
		o := &s.loads[i]
		if o.Engine != b.Engine || o.Connections != b.Connections || o.BatchRows != b.BatchRows || o.Rate != b.Rate {
			continue
		}
		if s.older++; !b.Time.Before(o.Time) {
			*o = b
		}
		return
	}
	s.loads = append(s.loads, b)
}

// keepNewestRuns adds, for each batch and number of threads, the records of the newest
// run: speeds of different runs are not compared. A run begins with its reference.
func (s *subject) keepNewestRuns(records []bench.Record) {
	type kind struct{ batch, threads int }
	runs := map[kind][]bench.Record{}
	var kinds []kind
	for i := 0; i < len(records); {
		k := kind{records[i].Batch, records[i].Threads}
		end := i + 1
		for end < len(records) && (kind{records[end].Batch, records[end].Threads}) == k && records[end].Engine != records[end].Reference {
			end++
		}
		run, last := records[i:end], runs[k]
		switch {
		case last == nil:
			kinds = append(kinds, k)
			runs[k] = run
		case run[0].Time.Before(last[0].Time):
			s.older += len(run)
		default:
			s.older += len(last)
			runs[k] = run
		}
		i = end
	}
	slices.SortStableFunc(kinds, func(a, b kind) int {
		if a.batch != b.batch {
			return a.batch - b.batch
		}
		return a.threads - b.threads
	})
	for _, k := range kinds {
		s.timings = append(s.timings, runs[k]...)
	}
}

// keepNewestSearch adds the records of the newest search. A search begins with the
// unpruned model.
func (s *subject) keepNewestSearch(records []tune.Record) {
	begin := 0
	for i, t := range records {
		if t.Prune == "" && t.Quantize == "" && !t.Time.Before(records[begin].Time) {
			begin = i
		}
	}
	end := begin
	for end < len(records) && (end == begin || records[end].Prune != "" || records[end].Quantize != "") {
		end++
	}
	s.tunes = records[begin:end]
	s.older += len(records) - len(s.tunes)
}
