package serve_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hew/predict"
	"hew/serve"
)

// A server is Run on a port of its own.
type server struct {
	addr string // of the REST front end
	stop context.CancelFunc
	done chan error
}

func run(t *testing.T, change func(*serve.Config), predictors []predict.Predictor, fronts ...serve.Front) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	started := make(chan string, 1)
	c := serve.DefaultConfig()
	c.Addrs["http"] = "127.0.0.1:0"
	c.DrainDelay = 0
	c.Started = func(addrs map[string]net.Addr) { started <- addrs["http"].String() }
	if change != nil {
		change(&c)
	}
	s := &server{stop: cancel, done: make(chan error, 1)}
	go func() { s.done <- serve.Run(ctx, c, predictors, fronts...) }()
	select {
	case s.addr = <-started:
	case err := <-s.done:
		require.NoError(t, err)
	}
	t.Cleanup(cancel)
	return s
}

// raw sends bytes on a connection of their own and returns all that comes back.
func (s *server) raw(t *testing.T, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	return string(answer)
}

// Requests that no handler sees are answered in JSON as well.
func TestProtocolErrors(t *testing.T) {
	s := run(t, func(c *serve.Config) { c.ReadTimeout = 300 * time.Millisecond }, []predict.Predictor{churn()})
	const post = "POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	for name, c := range map[string]struct{ request, status, want string }{
		"not HTTP":          {"hello\r\n\r\n", "400 Bad Request", "400 Bad Request"},
		"no host":           {"GET /health HTTP/1.1\r\n\r\n", "400 Bad Request: missing required Host header", "400 Bad Request: missing required Host header"},
		"bad length":        {post + "Content-Length: -1\r\n\r\n", "400 Bad Request", "400 Bad Request"},
		"two lengths":       {post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n12", "400 Bad Request", "400 Bad Request"},
		"huge header":       {post + "X: " + strings.Repeat("x", 80<<10) + "\r\n\r\n", "431 Request Header Fields Too Large", "431 Request Header Fields Too Large"},
		"version":           {"GET /health HTTP/3.0\r\nHost: x\r\n\r\n", "505 HTTP Version Not Supported: unsupported protocol version", "505 HTTP Version Not Supported: unsupported protocol version"},
		"transfer encoding": {post + "Transfer-Encoding: gzip\r\n\r\n", "501 Not Implemented", "Unsupported transfer encoding"},
		"expect":            {post + "Expect: the-unexpected\r\nContent-Length: 1\r\n\r\n1", "417 Expectation Failed", "417 Expectation Failed"},
		"too much":          {post + "Content-Length: 99999999999\r\n\r\n[", "413 Request Entity Too Large", "the body is larger than 67108864 bytes"},
		"never ends":        {post + "Content-Length: 9\r\n\r\n[1", "408 Request Timeout", "the body did not arrive in time"},
		"chunks never end":  {post + "Transfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n", "408 Request Timeout", "the body did not arrive in time"},
		"bad chunk":         {post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "400 Bad Request", "cannot read the body: invalid byte in chunk length"},
		"asterisk":          {"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404 Not Found", "no such route: *"},
	} {
		answer, err := http.ReadResponse(bufio.NewReader(strings.NewReader(s.raw(t, c.request))), nil)
		require.NoError(t, err, name)
		require.Equal(t, c.status, answer.Status, name)
		require.Equal(t, "application/json", answer.Header.Get("Content-Type"), name)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err, name)
		requireError(t, body, c.want)
	}
}

func TestProtocolAccepts(t *testing.T) {
	s := run(t, nil, []predict.Predictor{churn()})
	const want = `{"model":"churn","version":"1","prediction":0.75,"label":"leave"}` + "\n"
	for name, c := range map[string]struct {
		request string
		status  string
	}{
		"chunked":  {"POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n[1,2\r\n5\r\n,3,1]\r\n0\r\n\r\n", "HTTP/1.1 200 OK"},
		"continue": {"POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n[1,2,3,1]", "HTTP/1.1 100 Continue"},
		"HTTP/1.0": {"POST /predict HTTP/1.0\r\nContent-Length: 9\r\n\r\n[1,2,3,1]", "HTTP/1.0 200 OK"},
		"keep alive": {"POST /predict HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 9\r\n\r\n[1,2,3,1]" +
			"POST /predict HTTP/1.0\r\nContent-Length: 9\r\n\r\n[1,2,3,1]", "HTTP/1.0 200 OK"},
		"pipelined": {strings.Repeat("GET /health HTTP/1.1\r\nHost: x\r\n\r\n", 20) +
			"POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 9\r\n\r\n[1,2,3,1]", "HTTP/1.1 200 OK"},
	} {
		answer := s.raw(t, c.request)
		require.True(t, strings.HasPrefix(answer, c.status), "%s: %s", name, answer)
		require.True(t, strings.HasSuffix(answer, want), "%s: %s", name, answer)
	}

	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Post("http://"+s.addr+"/predict", "", strings.NewReader(`[1,2,3,1]`))
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, "HTTP/2.0", answer.Proto)
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, want, string(body))
}

// slow is churn, but each call takes its time.
func slow(d time.Duration) predict.Predictor {
	p := churn()
	fast := p.Predict
	p.Predict = func(dst, x predict.Values) {
		time.Sleep(d)
		fast(dst, x)
	}
	return p
}

// Under load, a stop must not lose a single request that a client sends before
// it was told to go away: by readiness, which is what a load balancer looks at,
// or by the answer before on the same connection.
func TestDrainLosesNothing(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := run(t, func(c *serve.Config) { c.DrainDelay = time.Second }, []predict.Predictor{slow(2 * time.Millisecond)})
			var unready atomic.Bool
			var answered atomic.Int64
			var wait sync.WaitGroup
			defer wait.Wait()
			defer unready.Store(true)
			for worker := range 16 {
				wait.Go(func() {
					transport := &http.Transport{Protocols: new(http.Protocols), DisableKeepAlives: worker%4 == 0}
					transport.Protocols.SetHTTP1(!http2)
					transport.Protocols.SetUnencryptedHTTP2(http2)
					defer transport.CloseIdleConnections()
					client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
					for !unready.Load() {
						if err := postOnce(client, s.addr); err != nil {
							t.Error(err)
							return
						}
						answered.Add(1)
					}
				})
			}
			require.Eventually(t, func() bool { return answered.Load() > 100 }, 10*time.Second, time.Millisecond)
			s.stop()
			require.Eventually(t, func() bool {
				answer, err := http.Get("http://" + s.addr + "/v2/health/ready")
				if err != nil {
					return false
				}
				defer answer.Body.Close()
				return answer.StatusCode == http.StatusServiceUnavailable
			}, 900*time.Millisecond, time.Millisecond)
			unready.Store(true)
			wait.Wait()
			require.NoError(t, <-s.done)
			_, err := http.Get("http://" + s.addr + "/health")
			require.Error(t, err)
		})
	}
}

// Without any delay, clients that keep their connections learn from the answers
// that they must go; nothing that they sent before that is lost.
func TestDrainKeepsOpenConnections(t *testing.T) {
	s := run(t, nil, []predict.Predictor{slow(time.Millisecond)})
	var answered atomic.Int64
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
			for {
				answer, err := client.Post("http://"+s.addr+"/predict", "", strings.NewReader(`[1,2,3,1]`))
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				answered.Add(1)
				if answer.Close {
					return
				}
			}
		})
	}
	require.Eventually(t, func() bool { return answered.Load() > 100 }, 10*time.Second, time.Millisecond)
	s.stop()
	wait.Wait()
	require.NoError(t, <-s.done)
}

func postOnce(client *http.Client, addr string) error {
	answer, err := client.Post("http://"+addr+"/predict", "application/json", strings.NewReader(`[1,2,3,1]`))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != 200 || !strings.Contains(string(body), `"prediction":0.75`) {
		return fmt.Errorf("%s: %s", answer.Status, body)
	}
	return nil
}

// What takes longer than the timeout is cut off, and that is an error.
func TestDrainTimeout(t *testing.T) {
	began := make(chan bool, 1)
	p := churn()
	p.Predict = func(dst, x predict.Values) {
		began <- true
		time.Sleep(2 * time.Second)
	}
	s := run(t, func(c *serve.Config) { c.DrainTimeout = 50 * time.Millisecond }, []predict.Predictor{p})
	go http.Post("http://"+s.addr+"/predict", "", strings.NewReader(`[1,2,3,1]`))
	<-began
	s.stop()
	require.EqualError(t, <-s.done, "http: requests in flight were cut off: context deadline exceeded")
}

// fakeServer is a front end of another protocol.
type fakeServer struct {
	models  *serve.Models
	stopped chan bool
	fail    error
}

func (f *fakeServer) Serve(l net.Listener) error {
	if f.fail != nil {
		return f.fail
	}
	<-f.stopped
	return l.Close()
}

func (f *fakeServer) Shutdown(context.Context) error {
	close(f.stopped)
	return nil
}

func TestFronts(t *testing.T) {
	f := &fakeServer{stopped: make(chan bool)}
	front := serve.Front{Name: "fake", Addr: "127.0.0.1:0", New: func(m *serve.Models) serve.Server {
		f.models = m
		return f
	}}
	var log bytes.Buffer
	s := run(t, func(c *serve.Config) { c.Log = &log }, []predict.Predictor{churn()}, front)
	require.True(t, f.models.Ready())
	s.stop()
	require.NoError(t, <-s.done)
	require.False(t, f.models.Ready())
	require.Regexp(t, `(?s)"msg":"listening","front":"http","addr":"127.0.0.1:\d+"}.*"msg":"listening","front":"fake".*"msg":"draining","delay":0,"timeout":25}.*"msg":"stopped"}`, log.String())

	c := serve.DefaultConfig()
	c.Addrs = map[string]string{"http": serve.Off, "fake": serve.Off}
	require.EqualError(t, serve.Run(t.Context(), c, []predict.Predictor{churn()}, front), "every front end is off")

	c.Addrs = map[string]string{"http": "127.0.0.1:0"}
	front.New = func(*serve.Models) serve.Server {
		return &fakeServer{fail: errors.New("broken"), stopped: make(chan bool)}
	}
	require.EqualError(t, serve.Run(t.Context(), c, []predict.Predictor{churn()}, front), "fake: broken")

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	c.Addrs["http"] = taken.Addr().String()
	require.ErrorContains(t, serve.Run(t.Context(), c, []predict.Predictor{churn()}), "http: listen tcp 127.0.0.1:")
}
