package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// progress returns a function that draws a bar on w while work goes on, if w is
// a terminal and the work takes longer than a second; nil otherwise.
func progress(w io.Writer, what string) func(done, total int) {
	f, ok := w.(*os.File)
	if !ok || !isTerminal(f) {
		return nil
	}
	const width = 30
	start := time.Now()
	return func(done, total int) {
		if done == total {
			fmt.Fprint(w, "\r\x1b[K")
			return
		}
		if time.Since(start) < time.Second {
			return
		}
		full := width * done / total
		fmt.Fprintf(w, "\r%s [%s%s] %d%%", what, strings.Repeat("=", full), strings.Repeat(" ", width-full), 100*done/total)
	}
}

// working says on w, if it is a terminal, that work of unknown length goes on. The
// function that it returns takes the words away again.
func working(w io.Writer, what string) (done func()) {
	f, ok := w.(*os.File)
	if !ok || !isTerminal(f) {
		return func() {}
	}
	fmt.Fprintf(w, "%s …", what)
	return func() { fmt.Fprint(w, "\r\x1b[K") }
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
