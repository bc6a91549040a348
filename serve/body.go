package serve

import (
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
)

// read reads the request's body, unpacked, into c.body. The limit holds for what
// is sent and for what comes out of it.
func (c *call) read(limit int64) error {
	if err := c.checkType(); err != nil {
		return err
	}
	if c.ContentLength > limit {
		return tooLarge(limit)
	}
	raw := &limited{r: c.Body, left: limit}
	var body io.Reader = raw
	var err error
	switch encoding := strings.ToLower(c.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
		if n := c.ContentLength; n > 0 { // room for what was announced, and to see the end
			c.body = slices.Grow(c.body, int(min(n, maxPooled))+1)
		}
	case "gzip":
		body, err = gzip.NewReader(raw)
	case "deflate": // the zlib format, as RFC 9110 has it and tritonclient sends it
		body, err = zlib.NewReader(raw)
	default:
		c.header.Set("Accept-Encoding", "gzip, deflate")
		return Errorf(http.StatusUnsupportedMediaType, "content encoding %q is not supported, use gzip or deflate", encoding)
	}
	if err == nil {
		if body != raw {
			body = &limited{r: body, left: limit}
		}
		err = c.fill(body)
	}
	return bodyError(err, limit)
}

// checkType refuses a body that says it is not JSON. tritonclient does not say
// what it sends.
func (c *call) checkType() error {
	value := c.Header.Get("Content-Type")
	if value == "" || value == "application/json" {
		return nil
	}
	kind, params, err := mime.ParseMediaType(value)
	charset := params["charset"]
	if err != nil || kind != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return Errorf(http.StatusUnsupportedMediaType, "content type %q is not supported, send application/json", value)
	}
	return nil
}

func (c *call) fill(r io.Reader) error {
	for {
		if len(c.body) == cap(c.body) {
			c.body = slices.Grow(c.body, 512)
		}
		n, err := r.Read(c.body[len(c.body):cap(c.body)])
		c.body = c.body[:len(c.body)+n]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// limited fails when there is more to read than the limit.
type limited struct {
	r    io.Reader
	left int64
}

var errTooLarge = errors.New("too large")

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}

func tooLarge(limit int64) error {
	return Errorf(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes (--max-body)", limit)
}

// bodyError says whose fault an error in the body is.
func bodyError(err error, limit int64) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errTooLarge):
		return tooLarge(limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return Errorf(http.StatusRequestTimeout, "the body did not arrive in time")
	}
	return invalid("cannot read the body: %s", err)
}
