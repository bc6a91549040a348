package worker

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"hew/bench/measure"
	"hew/predict"
)

// A Client is hew's side of a program that serves predictors. Its methods may be
// called concurrently; requests wait for each other.
type Client struct {
	process *process
	models  []modelInfo

	mu  sync.Mutex
	in  io.WriteCloser // requests
	out *bufio.Reader  // responses
	err error          // why there are no more responses
}

// An Error says that a worker died or does not speak as one.
type Error struct {
	Program string // base name
	Err     error  // how it ended
	Stderr  string // the end of what it wrote to standard error
}

func (e *Error) Error() string {
	if line := reason(e.Stderr); line != "" {
		return fmt.Sprintf("worker %s: %v: %s", e.Program, e.Err, line)
	}
	return fmt.Sprintf("worker %s: %v", e.Program, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Start runs the program exe and returns its client. The program has this one's
// environment and the variables in env, each as NAME=VALUE.
func Start(exe string, env ...string) (*Client, error) {
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), env...)
	return Run(cmd)
}

// Run runs the program of cmd, whose standard streams are taken, and returns its
// client.
func Run(cmd *exec.Cmd) (*Client, error) {
	p, err := start(cmd)
	if err != nil {
		return nil, &Error{Program: filepath.Base(cmd.Path), Err: err}
	}
	return connect(p)
}

// startLimit is how long a program may take until it greets.
const startLimit = 20 * time.Second

func connect(p *process) (*Client, error) {
	c := &Client{process: p, in: p.in, out: bufio.NewReader(p.out)}
	timer := time.AfterFunc(startLimit, p.kill)
	defer timer.Stop()
	greeting := make([]byte, len(banner))
	n, err := io.ReadFull(c.out, greeting)
	if got := string(greeting[:n]); n > 0 && got != banner {
		return nil, c.fail(fmt.Errorf("not a hew worker, it says %q", got))
	}
	if err != nil {
		return nil, c.fail(err)
	}
	text, err := c.call(opInfo, 0, nil)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &c.models); err != nil {
		return nil, c.fail(err)
	}
	return c, nil
}

// Close ends the program and waits for it.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil // it is gone, and a caller has been told
	}
	c.err = &Error{Program: c.process.name, Err: errors.New("closed")}
	timer := time.AfterFunc(startLimit, c.process.kill)
	defer timer.Stop()
	return errors.Join(c.in.Close(), c.process.wait())
}

// Models describes the predictors that the program serves. Other methods take
// an index into it.
func (c *Client) Models() []predict.Info {
	infos := make([]predict.Info, len(c.models))
	for i, m := range c.models {
		infos[i] = m.Info
	}
	return infos
}

// SetRows gives the program the rows that it measures a model with.
func (c *Client) SetRows(model int, x predict.Values) error {
	_, err := c.call(opRows|opType(x.Type()), model, encodeValues(x))
	return err
}

// Measure times a model inside the program as measure.Slice does.
func (c *Client) Measure(model int, s measure.Spec, d time.Duration) (measure.Sample, error) {
	var sample measure.Sample
	b, err := c.call(opMeasure, model, encode(order{int64(s.Batch), int64(s.Threads), int64(d)}))
	if err != nil {
		return sample, err
	}
	return sample, decode(b, &sample)
}

// Use calls f with a predictor that scores in the program. Its functions cannot
// return an error; if the program fails, they end f, and Use returns the error.
// They must be called by the goroutine that runs f.
func (c *Client) Use(model int, f func(p predict.Predictor)) (err error) {
	return c.use(model, 0, f)
}

// UseSingly is Use with a predictor that scores each row by a call of its own, on
// the program's side: there may be many rows in a message.
func (c *Client) UseSingly(model int, f func(p predict.Predictor)) (err error) {
	return c.use(model, opSingly, f)
}

func (c *Client) use(model int, how uint32, f func(p predict.Predictor)) (err error) {
	if model < 0 || model >= len(c.models) {
		return fmt.Errorf("no model %d, there are %d", model, len(c.models))
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			err = r.error
		default:
			panic(r)
		}
	}()
	f(c.predictor(model, how))
	return nil
}

// A failure is what the functions of a predictor panic with, for Use to catch.
type failure struct{ error }

func (c *Client) predictor(model int, how uint32) predict.Predictor {
	m := c.models[model]
	p := predict.Predictor{Info: m.Info}
	p.Predict = func(dst, x predict.Values) { c.score(how|opPredict, model, dst, m.NumOutputs, x) }
	p.Margin = func(dst, x predict.Values) { c.score(how|opMargin, model, dst, m.NumMargins, x) }
	if len(m.Answers) > 0 {
		p.Answer = func(i int, dst, margins, x predict.Values) { c.answer(how, model, i, dst, margins, x) }
	}
	if m.HasLeaf {
		p.Leaf = func(dst []int32, x predict.Values) { c.leaf(how|opLeaf, model, dst, x) }
	}
	return p
}

// opType returns what is added to an operation on rows of type t.
func opType(t predict.Type) uint32 {
	if t == predict.Float64 {
		return opDouble
	}
	return 0
}

// chunk is about how many values of x and dst travel in one message.
const chunk = 1 << 20

// inChunks calls f with ranges of rows for which so many values per row are few
// enough. It ends the function of Use if f fails.
func inChunks(rows, width int, f func(begin, end int) error) {
	step := max(1, chunk/max(1, width))
	for begin := 0; begin < rows; begin += step {
		if err := f(begin, min(begin+step, rows)); err != nil {
			panic(failure{err})
		}
	}
}

// checkShape panics unless x holds rows of the type that the model takes and dst
// width values of the type that it gives for each. It returns the number of rows.
func (c *Client) checkShape(model int, dst predict.Values, width int, x predict.Values) int {
	m := &c.models[model].Info
	features := m.NumFeatures
	if x.Len()%features != 0 || dst.Len() != x.Len()/features*width {
		panic(fmt.Sprintf("worker: dst of %d values for x of %d values, %d features and %d outputs", dst.Len(), x.Len(), features, width))
	}
	if x.Len() > 0 && (x.Type() != typeOf(m.Input) || dst.Len() > 0 && dst.Type() != typeOf(m.Output)) {
		panic(fmt.Sprintf("worker: %s from %s, the model gives %s from %s", dst.Type(), x.Type(), typeOf(m.Output), typeOf(m.Input)))
	}
	return x.Len() / features
}

// score has the program score the rows in x, and writes width values per row to dst.
func (c *Client) score(op uint32, model int, dst predict.Values, width int, x predict.Values) {
	features := c.models[model].NumFeatures
	inChunks(c.checkShape(model, dst, width, x), max(features, width), func(begin, end int) error {
		b, err := c.call(op|opType(x.Type()), model, encodeValues(x.Slice(begin*features, end*features)))
		if err != nil {
			return err
		}
		return decodeValues(b, dst.Slice(begin*width, end*width))
	})
}

func (c *Client) answer(how uint32, model, i int, dst, margins, x predict.Values) {
	m := &c.models[model]
	features, k, width := m.NumFeatures, m.NumMargins, m.Answers[i].Width
	rows := c.checkShape(model, dst, width, x)
	if rows*k != margins.Len() || rows > 0 && margins.Type() != typeOf(m.Output) {
		panic(fmt.Sprintf("worker: %d margins of %s for %d rows and %d margins of %s each", margins.Len(), margins.Type(), rows, k, typeOf(m.Output)))
	}
	inChunks(rows, max(features, k, width), func(begin, end int) error {
		payload := encode(uint32(i))
		payload = append(payload, encodeValues(margins.Slice(begin*k, end*k))...)
		payload = append(payload, encodeValues(x.Slice(begin*features, end*features))...)
		b, err := c.call(how|opAnswer|opType(x.Type()), model, payload)
		if err != nil {
			return err
		}
		return decodeValues(b, dst.Slice(begin*width, end*width))
	})
}

func (c *Client) leaf(op uint32, model int, dst []int32, x predict.Values) {
	features, width := c.models[model].NumFeatures, c.models[model].NumTrees
	if x.Len()%features != 0 || len(dst) != x.Len()/features*width {
		panic(fmt.Sprintf("worker: dst of %d values for x of %d values, %d features and %d trees", len(dst), x.Len(), features, width))
	}
	inChunks(x.Len()/features, max(features, width), func(begin, end int) error {
		b, err := c.call(op|opType(x.Type()), model, encodeValues(x.Slice(begin*features, end*features)))
		if err != nil {
			return err
		}
		return decode(b, dst[begin*width:end*width])
	})
}

// call sends a request and returns the payload of its response.
func (c *Client) call(op uint32, model int, payload []byte) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil, c.err
	}
	if len(payload) > maxPayload { // before a byte of it is sent
		return nil, writeFrame(io.Discard, op, uint32(model), payload)
	}
	w := bufio.NewWriter(c.in) // so that a small frame goes at once
	if err := cmp.Or(writeFrame(w, op, uint32(model), payload), w.Flush()); err != nil {
		return nil, c.fail(err)
	}
	status, _, response, err := readFrame(c.out)
	if err != nil {
		return nil, c.fail(err)
	}
	if status != statusOK {
		return nil, fmt.Errorf("worker %s: %s", c.process.name, response)
	}
	return response, nil
}

// fail ends the program and keeps the reason for later calls. How the program
// ended says more than cause, the broken pipe that it left behind; cause is told
// if the program did nothing wrong until it was stopped.
func (c *Client) fail(cause error) error {
	c.in.Close()
	c.err = c.process.end(cause)
	return c.err
}
