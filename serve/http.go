package serve

import (
	"bytes"
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// An httpServer is the REST front end at work: net/http with limits, HTTP/2 in
// clear text, JSON in every error and a shutdown that loses nothing.
type httpServer struct {
	server   http.Server
	mu       sync.Mutex
	listener net.Listener // nil before Serve
	closing  bool         // Shutdown was called

	conns    atomic.Int64 // open connections
	activity atomic.Int64 // grows with every request that begins or ends
}

// idleTimeout is longer than the proxies' (KServe's is 65 s), so that it is
// never the server that closes a connection on which a request is coming.
const idleTimeout = 120 * time.Second

func newHTTP(m *Models, readTimeout time.Duration) *httpServer {
	s := &httpServer{}
	handler := Handler(m)
	s.server = http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.activity.Add(1)
			handler.ServeHTTP(w, r)
			s.activity.Add(1)
		}),
		ReadHeaderTimeout:            min(readTimeout, 10*time.Second),
		ReadTimeout:                  readTimeout,
		WriteTimeout:                 readTimeout + time.Minute,
		IdleTimeout:                  idleTimeout,
		MaxHeaderBytes:               64 << 10,
		DisableGeneralOptionsHandler: true,
		ConnState:                    s.connState,
		ErrorLog:                     log.New(m.Log, "", 0),
		Protocols:                    new(http.Protocols),
	}
	s.server.Protocols.SetHTTP1(true)
	s.server.Protocols.SetUnencryptedHTTP2(true)
	return s
}

func (s *httpServer) connState(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.conns.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.conns.Add(-1)
	}
}

// Serve implements Server.
func (s *httpServer) Serve(l net.Listener) error {
	s.mu.Lock()
	s.listener = l
	closing := s.closing
	s.mu.Unlock()
	if closing {
		return l.Close()
	}
	err := s.server.Serve(jsonListener{l})
	if errors.Is(err, net.ErrClosed) || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// closeListener lets nobody new in.
func (s *httpServer) closeListener() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	if s.listener != nil {
		s.listener.Close()
	}
}

// Shutdown implements Server. http.Server.Shutdown alone closes an idle
// connection at once, and with it a request that is on its way. Every answer
// asks the client to close the connection by now, so wait until they have, or
// until nothing happens any more.
func (s *httpServer) Shutdown(ctx context.Context) error {
	const step, quiet = 5 * time.Millisecond, 40 // steps without activity
	s.closeListener()
	last := s.activity.Load()
	for still := 0; still < quiet && s.conns.Load() > 0 && ctx.Err() == nil; still++ {
		time.Sleep(step)
		if now := s.activity.Load(); now != last {
			last, still = now, 0
		}
	}
	s.server.Shutdown(ctx) // its error may also be that the listener is closed
	if err := ctx.Err(); err != nil {
		s.server.Close()
		return err
	}
	return nil
}

// A jsonListener makes the errors that net/http answers by itself JSON.
type jsonListener struct{ net.Listener }

func (l jsonListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return jsonConn{c}, nil
}

// A jsonConn rewrites the answers to requests that never reach a handler:
// malformed ones, headers that are too large, an unknown Expect. net/http
// writes each of them at once and in plain text, which no handler of ours does.
type jsonConn struct{ net.Conn }

// CloseWrite lets net/http end an answer to a request that it has not read
// whole without a reset that would destroy it.
func (c jsonConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

func (c jsonConn) Write(b []byte) (int, error) {
	if len(b) < 16 || b[9] != '4' && b[9] != '5' || !bytes.HasPrefix(b, []byte("HTTP/1.1 ")) {
		return c.Conn.Write(b)
	}
	plain := []byte("\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n")
	status, text, ok := bytes.Cut(b, plain)
	if !ok && bytes.HasPrefix(b, []byte("HTTP/1.1 417 ")) {
		status, _, ok = bytes.Cut(b, []byte("\r\n"))
		text = status[len("HTTP/1.1 "):]
	}
	if !ok {
		return c.Conn.Write(b)
	}
	body := append(appendText([]byte(`{"error":`), text), "}\n"...)
	answer := append([]byte(nil), status...)
	answer = append(answer, "\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "...)
	answer = strconv.AppendInt(answer, int64(len(body)), 10)
	answer = append(append(answer, "\r\n\r\n"...), body...)
	if _, err := c.Conn.Write(answer); err != nil {
		return 0, err
	}
	return len(b), nil
}
