package worker

import (
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A process is the program behind a client.
type process struct {
	name   string
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.Reader
	stderr tail
}

func start(cmd *exec.Cmd) (*process, error) {
	p := &process{name: filepath.Base(cmd.Path), cmd: cmd}
	p.cmd.Stderr = &p.stderr
	p.cmd.WaitDelay = time.Second // for what the program itself left running
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if p.out, err = p.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	return p, p.cmd.Start()
}

func (p *process) kill() { _ = p.cmd.Process.Kill() } // it may be gone, which is as good

// wait waits until the program has ended, and reports if it did not end well.
func (p *process) wait() error {
	if err := p.cmd.Wait(); err != nil {
		return &Error{p.name, err, p.stderr.String()}
	}
	return nil
}

// end stops the program, if it has not stopped by itself, and says what became
// of it.
func (p *process) end(cause error) error {
	p.kill()
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		cause = err
	} else if errors.Is(cause, io.EOF) || errors.Is(cause, io.ErrUnexpectedEOF) {
		cause = errors.New("it stopped answering")
	}
	return &Error{p.name, cause, p.stderr.String()}
}

// A tail keeps the first and the last kilobytes of what is written to it: a
// crash begins with its reason.
type tail struct{ head, last []byte }

const tailSize = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	n := min(len(b), tailSize-len(t.head))
	t.head = append(t.head, b[:n]...)
	t.last = append(t.last, b[n:]...)
	if cut := len(t.last) - tailSize; cut > 0 {
		t.last = append(t.last[:0], t.last[cut:]...)
	}
	return len(b), nil
}

func (t *tail) String() string { return string(t.head) + string(t.last) }

// reason returns the line of stderr that says why a Go program ended: the one
// that a crash begins with, or the last.
func reason(stderr string) string {
	last := ""
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return line
		}
		if line != "" {
			last = line
		}
	}
	return last
}
