package serve

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"hew/internal/nearest"
)

// A Log writes one JSON object per line. A nil Log writes nothing.
//
// It is not a slog.Logger because importing log/slog links encoding/json and
// adds 290 KB to a binary of 6 MB (Go 1.26, amd64), whichever handler is used.
type Log struct {
	mu    sync.Mutex // guards w
	w     io.Writer
	level Level
}

// NewLog returns a log that leaves out what is below the level.
func NewLog(w io.Writer, level Level) *Log { return &Log{w: w, level: level} }

// A Level is how much a line of the log matters. It is a flag.Value.
type Level int8

// The levels. Debug has a line for every request.
const (
	LevelDebug Level = iota
	LevelInfo
	LevelWarn
	LevelError
)

var levels = []string{"debug", "info", "warn", "error"}

func (l *Level) String() string { return levels[*l] }

// Set implements flag.Value.
func (l *Level) Set(s string) error {
	for i, name := range levels {
		if s == name {
			*l = Level(i)
			return nil
		}
	}
	return fmt.Errorf("unknown level%s; want %s", nearest.Hint(s, levels), strings.Join(levels, ", "))
}

// Enabled reports whether lines of the level are written.
func (l *Log) Enabled(level Level) bool { return l != nil && level >= l.level }

// Info logs what a user should see of normal work.
func (l *Log) Info(msg string, args ...any) { l.Log(LevelInfo, msg, args...) }

// Error logs what went wrong on the server's side.
func (l *Log) Error(msg string, args ...any) { l.Log(LevelError, msg, args...) }

// Log writes a line; args are keys, which are strings, and values in turn.
func (l *Log) Log(level Level, msg string, args ...any) {
	if !l.Enabled(level) {
		return
	}
	b := append(make([]byte, 0, 512), `{"time":"`...)
	b = time.Now().UTC().AppendFormat(b, time.RFC3339Nano)
	b = appendText(append(append(append(b, `","level":"`...), levels[level]...), `","msg":`...), msg)
	for i := 0; i+1 < len(args); i += 2 {
		b = append(appendText(append(b, ','), args[i].(string)), ':')
		switch v := args[i+1].(type) {
		case int:
			b = strconv.AppendInt(b, int64(v), 10)
		case time.Duration: // in seconds
			b = strconv.AppendFloat(b, v.Seconds(), 'g', -1, 64)
		default:
			b = appendText(b, fmt.Sprint(v))
		}
	}
	b = append(b, "}\n"...)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.w.Write(b) // there is nowhere to tell that it failed
}

// Write makes the log the destination of net/http's own, which tells of
// connections that went wrong.
func (l *Log) Write(line []byte) (int, error) {
	l.Log(LevelDebug, strings.TrimSpace(string(line)))
	return len(line), nil
}
