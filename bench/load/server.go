package load

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// A Server is a program of package serve at work, with its addresses.
type Server struct {
	REST, GRPC string        // host:port; empty for a front end that it lacks
	Ready      time.Duration // from its start until it listened everywhere

	cmd  *exec.Cmd
	name string
	done chan struct{} // closed when its log has ended
}

// startLimit is how long a server may take until it listens.
const startLimit = 20 * time.Second

// Start runs the program exe, which must be a server with the given front ends
// ("http", "grpc"), on free ports of this machine and waits until it listens.
func Start(exe string, fronts ...string) (*Server, error) {
	s := &Server{name: filepath.Base(exe), cmd: exec.Command(exe), done: make(chan struct{})}
	for _, f := range fronts {
		s.cmd.Args = append(s.cmd.Args, "--"+f, "127.0.0.1:0")
	}
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	kill := time.AfterFunc(startLimit, func() { s.cmd.Process.Kill() })
	log := bufio.NewReader(stderr)
	addrs, err := listening(log, len(fronts))
	if !kill.Stop() || err != nil {
		s.cmd.Process.Kill()
		s.cmd.Wait()
		return nil, fmt.Errorf("server %s does not listen: %w", s.name, err)
	}
	s.Ready = time.Since(start)
	s.REST, s.GRPC = addrs["http"], addrs["grpc"]
	go func() {
		io.Copy(io.Discard, log) // so that the server never waits for a reader
		close(s.done)
	}()
	return s, nil
}

// listening reads a server's log until n front ends listen and returns their
// addresses by name.
func listening(log *bufio.Reader, n int) (map[string]string, error) {
	addrs := map[string]string{}
	last := ""
	for len(addrs) < n {
		line, err := log.ReadBytes('\n')
		var entry struct{ Msg, Front, Addr string }
		if json.Unmarshal(line, &entry) == nil && entry.Msg == "listening" {
			addrs[entry.Front] = entry.Addr
		}
		if len(line) > 0 {
			last = string(line)
		}
		if err != nil {
			return nil, fmt.Errorf("%w after %q", err, last)
		}
	}
	return addrs, nil
}

// Process returns the process identifier of the server.
func (s *Server) Process() int { return s.cmd.Process.Pid }

// Stop asks the server to stop, as an operator would, and waits for it. An error
// says that it lost requests or did not stop.
func (s *Server) Stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	kill := time.AfterFunc(2*startLimit, func() { s.cmd.Process.Kill() })
	defer kill.Stop()
	<-s.done
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("server %s: %w", s.name, err)
	}
	return nil
}
