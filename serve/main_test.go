package serve_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hew/predict"
	"hew/serve"
)

func TestFlagsAndEnvironment(t *testing.T) {
	fake := serve.Front{Name: "grpc", Addr: ":8081", Title: "gRPC"}
	defaults := serve.DefaultConfig()
	for name, c := range map[string]struct {
		args   string
		env    map[string]string
		fronts []serve.Front
		want   func(*serve.Config)
		err    string
	}{
		"defaults":      {want: func(*serve.Config) {}},
		"all":           {args: "--http off --grpc :1 --max-body 2 --max-rows 3 --read-timeout 4s --drain-delay 5s --drain-timeout 6s --log-level warn", fronts: []serve.Front{fake}, want: all},
		"all from env":  {env: allEnv, fronts: []serve.Front{fake}, want: all},
		"flag wins":     {args: "-max-rows=7", env: map[string]string{"HEW_MAX_ROWS": "8", "HEW_MAX_BODY": "9"}, want: func(c *serve.Config) { c.MaxRows, c.MaxBody = 7, 9 }},
		"grpc off":      {args: "--grpc off", want: func(*serve.Config) {}},
		"no grpc":       {args: "--grpc :8081", err: `invalid value ":8081" for flag -grpc: this server was built without gRPC; build it without --rest-only`},
		"no grpc env":   {env: map[string]string{"HEW_GRPC": ":8081"}, err: `invalid value ":8081" for environment variable HEW_GRPC: this server was built without gRPC; build it without --rest-only`},
		"bad env":       {env: map[string]string{"HEW_MAX_ROWS": "many"}, err: `invalid value "many" for environment variable HEW_MAX_ROWS: parse error`},
		"bad level":     {args: "--log-level warning", err: `invalid value "warning" for flag -log-level: unknown level (did you mean "warn"?); want debug, info, warn, error`},
		"unknown":       {args: "--htp :1", err: "flag provided but not defined: -htp"},
		"empty address": {args: "--http=", err: `invalid value "" for flag -http: empty address`},
	} {
		got := serve.DefaultConfig()
		fs := flag.NewFlagSet("", flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		got.Flags(fs, c.fronts...)
		err := serve.Environ(fs, func(key string) (string, bool) {
			value, ok := c.env[key]
			return value, ok
		})
		if err == nil {
			err = fs.Parse(strings.Fields(c.args))
		}
		if c.err != "" {
			require.EqualError(t, err, c.err, name)
			continue
		}
		require.NoError(t, err, name)
		want := serve.DefaultConfig()
		c.want(&want)
		require.Equal(t, want, got, name)
	}
	require.Equal(t, serve.DefaultConfig(), defaults)
}

func all(c *serve.Config) {
	c.Addrs["http"], c.Addrs["grpc"] = "off", ":1"
	c.MaxBody, c.MaxRows = 2, 3
	c.ReadTimeout, c.DrainDelay, c.DrainTimeout = 4*time.Second, 5*time.Second, 6*time.Second
	c.LogLevel = serve.LevelWarn
}

var allEnv = map[string]string{
	"HEW_HTTP": "off", "HEW_GRPC": ":1", "HEW_MAX_BODY": "2", "HEW_MAX_ROWS": "3", "HEW_READ_TIMEOUT": "4s", "HEW_DRAIN_DELAY": "5s", "HEW_DRAIN_TIMEOUT": "6s",
	"HEW_LOG_LEVEL": "warn",
}

func TestMainExits(t *testing.T) {
	for _, c := range []struct {
		args           string
		status         int
		stdout, stderr string // regular expressions
	}{
		{"--version", 0, `^churn version 1: churn.ubj \(xgboost 3.2.0 ubjson, sha256 9f2c\), engine fake, exact true, hew dev, go1.*\n$`, `^$`},
		{"-h", 0, `(?s)^Flags.*--drain-timeout time.*\(default 25s\)\n.*--http address +address of REST, off for none \(default :8080\)\n.*--max-rows rows .*\(default 100000\)`, `^$`},
		{"--bogus", 2, `^$`, `^flag provided but not defined: -bogus \(-h shows the flags\)\n$`},
		{"--max-rows 0", 2, `^$`, `^max-body and max-rows must be positive`},
		{"--drain-timeout 0s", 2, `^$`, `^timeouts must be positive`},
		{"model.json", 2, `^$`, `^unexpected argument "model.json"`},
		{"--http 127.0.0.1:999999", 1, `^$`, `"level":"error","msg":"failed","error":"http: listen tcp: address 999999: invalid port"}\n$`},
		{"--http off", 1, `^$`, `"every front end is off"}\n$`},
	} {
		var stdout, stderr bytes.Buffer
		status := serve.Main(strings.Fields(c.args), &stdout, &stderr, []predict.Predictor{churn()})
		require.Equal(t, c.status, status, c.args)
		require.Regexp(t, c.stdout, stdout.String(), c.args)
		require.Regexp(t, c.stderr, stderr.String(), c.args)
	}
	t.Setenv("HEW_VERSION", "1.2.3") // an image may well say so
	require.Equal(t, 0, serve.Main([]string{"--version"}, io.Discard, io.Discard, []predict.Predictor{churn()}))
	require.Equal(t, 2, serve.Main([]string{"--bogus"}, io.Discard, io.Discard, []predict.Predictor{churn()}))
	t.Setenv("HEW_MAX_ROWS", "x")
	var stderr bytes.Buffer
	require.Equal(t, 2, serve.Main(nil, io.Discard, &stderr, []predict.Predictor{churn()}))
	require.Regexp(t, `^invalid value "x" for environment variable HEW_MAX_ROWS`, stderr.String())
}

// lockedBuffer is a log that a test reads while the server writes.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A predictor is called before its server listens: generated code makes its tables
// then.
func TestMainPrepares(t *testing.T) {
	p, calls := churn(), [][]float32{}
	margin := p.Margin
	p.Margin = func(dst, x predict.Values) {
		calls = append(calls, x.F32)
		margin(dst, x)
	}
	require.Equal(t, 1, serve.Main([]string{"--http", "off"}, io.Discard, io.Discard, []predict.Predictor{p}))
	require.Len(t, calls, 1)
	require.Len(t, calls[0], 64*p.NumFeatures, "more than code for few rows takes")
	for _, v := range calls[0] {
		require.True(t, v != v, "rows of missing values")
	}
	require.Equal(t, 0, serve.Main([]string{"--version"}, io.Discard, io.Discard, []predict.Predictor{p}))
	require.Len(t, calls, 1, "there is nothing to prepare for")

	answers := []int{}
	p = shades(textLabels)
	answer := p.Answer
	p.Answer = func(i int, dst, margins, x predict.Values) {
		answers = append(answers, i)
		require.Equal(t, 64, x.Len()/2)
		answer(i, dst, margins, x)
	}
	require.Equal(t, 1, serve.Main([]string{"--http", "off"}, io.Discard, io.Discard, []predict.Predictor{p}))
	require.Equal(t, []int{0, 1, 2}, answers)
}

// A real SIGTERM ends the server with status 0, and every line of its log is JSON.
func TestMainStopsOnSIGTERM(t *testing.T) {
	var log lockedBuffer
	status := make(chan int, 1)
	go func() {
		status <- serve.Main([]string{"--http", "127.0.0.1:0", "--drain-delay", "0s", "--log-level", "debug"}, io.Discard, &log, []predict.Predictor{argmax()})
	}()
	listening := regexp.MustCompile(`"addr":"([^"]+)"`)
	require.Eventually(t, func() bool { return listening.MatchString(log.String()) }, 10*time.Second, time.Millisecond)
	addr := listening.FindStringSubmatch(log.String())[1]
	answer, err := http.Post("http://"+addr+"/predict", "", strings.NewReader(`[13]`))
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, 500, answer.StatusCode)

	require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGTERM))
	require.Equal(t, 0, <-status)
	for line := range strings.Lines(log.String()) {
		require.True(t, json.Valid([]byte(line)), line)
	}
	require.Regexp(t, `"level":"error","msg":"panic","where":"POST /predict","value":"thirteen","stack":".*model_test.go`, log.String())
	require.Regexp(t, `"level":"warn","msg":"request","method":"POST","path":"/predict","status":500,"seconds":`, log.String())
	require.Contains(t, log.String(), `"msg":"stopped"`)
}
