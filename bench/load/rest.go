package load

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"hew/predict"
)

// REST asks the plain service at addr, host:port: POST /predict for single rows,
// POST /batch_predict for more.
func REST(addr string, q Questions) Target {
	path := "/batch_predict"
	if q.BatchRows == 1 {
		path = "/predict"
	}
	path += "?model=" + url.QueryEscape(q.Model)
	return rest("rest", addr, q, path, plainBody, q.plainAnswer)
}

// RESTV2 asks the Open Inference Protocol V2 at addr, host:port, with JSON
// tensors.
func RESTV2(addr string, q Questions) Target {
	return rest("rest-v2", addr, q, "/v2/models/"+url.PathEscape(q.Model)+"/infer", v2Body, v2Answer)
}

// rest prepares all requests, so that the generator takes little from the
// machine that it shares with the server.
func rest(name, addr string, q Questions, path string, body func(q *Questions, i int) []byte, answer func([]byte) (json.RawMessage, error)) Target {
	var requests [][]byte
	if q.check() == nil { // otherwise Run says what is wrong
		requests = make([][]byte, q.requests())
	}
	for i := range requests {
		b := body(&q, i)
		head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", path, addr, len(b))
		requests[i] = append([]byte(head), b...)
	}
	return Target{name, q, func() (conn, error) {
		c := &restConn{addr: addr, questions: &q, answer: answer, requests: requests}
		return c, c.connect()
	}}
}

func plainBody(q *Questions, i int) []byte {
	x := q.request(i)
	if q.BatchRows == 1 {
		return appendValues(nil, x)
	}
	b := []byte{'['}
	for r := range q.BatchRows {
		if r > 0 {
			b = append(b, ',')
		}
		b = appendValues(b, x.Slice(r*q.Features, (r+1)*q.Features))
	}
	return append(b, ']')
}

// plainAnswer finds the numbers in an answer. What package serve calls them depends
// on their name and, but for probabilities, on the number of rows.
func (q *Questions) plainAnswer(body []byte) (json.RawMessage, error) {
	name := q.Output
	switch name {
	case "", "predict":
		name = "prediction"
	case "proba":
		name = "probabilities"
	}
	if q.BatchRows > 1 && name != "probabilities" {
		name += "s"
	}
	var members map[string]json.RawMessage
	err := json.Unmarshal(body, &members)
	return members[name], err
}

func v2Body(q *Questions, i int) []byte {
	b := fmt.Appendf(nil, `{"inputs":[{"name":%q,"shape":[%d,%d],"datatype":%q,"data":`,
		inputName, q.BatchRows, q.Features, datatype(q.X.Type()))
	b = append(appendValues(b, q.request(i)), "}]"...)
	if q.Output != "" { // otherwise the server gives nothing else
		b = fmt.Appendf(b, `,"outputs":[{"name":%q}]`, q.Output)
	}
	return append(b, '}')
}

func v2Answer(body []byte) (json.RawMessage, error) {
	var a struct {
		Outputs []struct{ Data json.RawMessage }
	}
	err := json.Unmarshal(body, &a)
	if err == nil && len(a.Outputs) != 1 {
		err = fmt.Errorf("%d output tensors, want 1", len(a.Outputs))
	}
	if err != nil {
		return nil, err
	}
	return a.Outputs[0].Data, nil
}

// A restConn is one HTTP/1.1 connection. net/http's client would hide which
// request goes over which connection, and costs more than many a server.
type restConn struct {
	addr      string
	questions *Questions
	requests  [][]byte
	answer    func(body []byte) (json.RawMessage, error) // finds the numbers in it
	conn      net.Conn
	reader    *bufio.Reader
}

// patience is how long an answer may take.
const patience = 30 * time.Second

func (c *restConn) connect() (err error) {
	if c.conn, err = net.DialTimeout("tcp", c.addr, patience); err == nil {
		c.reader = bufio.NewReader(c.conn)
	}
	return err
}

func (c *restConn) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

func (c *restConn) ask(i int) error {
	if c.conn == nil {
		if err := c.connect(); err != nil {
			return err
		}
	}
	body, err := c.exchange(c.requests[i])
	if err != nil {
		c.close()
		return err
	}
	numbers, err := c.answer(body)
	if err != nil {
		return err
	}
	got, err := parseValues(numbers, c.questions.Want.Type())
	if err != nil {
		return err
	}
	return c.questions.verify(i, got, true)
}

func (c *restConn) exchange(request []byte) ([]byte, error) {
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if _, err := c.conn.Write(request); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s: %s", resp.Status, bytes.TrimSpace(body[:min(len(body), 200)]))
	case resp.Close: // the server wants no more over this connection
		c.close()
	}
	return body, nil
}

// parseValues returns the numbers in a JSON number or array, nested or not; null
// is NaN.
func parseValues(text json.RawMessage, t predict.Type) (v predict.Values, err error) {
	if text == nil {
		return v, errors.New("no predictions in the answer")
	}
	for field := range strings.FieldsFuncSeq(string(text), func(r rune) bool { return strings.ContainsRune("[], \t\r\n", r) }) {
		if field == "null" {
			field = "nan"
		}
		if t == predict.Float64 {
			f, err := strconv.ParseFloat(field, 64)
			if err != nil {
				return v, err
			}
			v.F64 = append(v.F64, f)
			continue
		}
		f, err := strconv.ParseFloat(field, 32)
		if err != nil {
			return v, err
		}
		v.F32 = append(v.F32, float32(f))
	}
	return v, nil
}
