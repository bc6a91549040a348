package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestServe starts hew serve as a user does, asks it and stops it.
func TestServe(t *testing.T) {
	t.Setenv("HEW_GRPC", "off")
	t.Setenv("HEW_ENGINE", "table")
	ctx, stop := context.WithCancel(t.Context())
	log, stderr := io.Pipe()
	code := make(chan int, 1)
	go func() {
		args := []string{"serve", "cover=" + golden + "/xgboost-3.2-categorical-pandas-strings/model.json", "--http", "127.0.0.1:0", "--drain-delay", "0s"}
		code <- run(ctx, args, strings.NewReader(""), io.Discard, stderr)
		stderr.Close()
	}()
	lines := bufio.NewScanner(log)
	require.True(t, lines.Scan(), "no log")
	var listening struct{ Msg, Front, Addr string }
	require.NoError(t, json.Unmarshal(lines.Bytes(), &listening), lines.Text())
	require.Equal(t, "listening", listening.Msg)
	require.Equal(t, "http", listening.Front, "gRPC is off")
	go io.Copy(io.Discard, log)

	row := `{"Elevation":3008,"Aspect":355,"Slope":14,"Horizontal_Distance_To_Hydrology":330,"Vertical_Distance_To_Hydrology":149,` +
		`"Horizontal_Distance_To_Roadways":1034,"Wilderness_Area":"Comanche Peak","Soil_Type":"soil 23","Band":"80"}`
	resp, err := http.Post("http://"+listening.Addr+"/predict", "application/json", strings.NewReader(row))
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode, string(body))
	// The first row of rows.csv, so these are the first numbers of predict.npy.
	require.Contains(t, string(body), `"prediction":[0.21464276,0.39918038,0.06230253,0.07790029,0.07638798,0.13016374,0.03942229]`)

	resp, err = http.Get("http://" + listening.Addr + "/metrics")
	require.NoError(t, err)
	metrics, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	resp.Body.Close()
	require.Regexp(t, `hew_model_info\{[^}]*engine="table"`, string(metrics))

	stop()
	require.Equal(t, 0, <-code)
}

// A flag wins over the environment, and both are checked.
func TestServeFlags(t *testing.T) {
	model := golden + "/xgboost-3.2-dart-binary/model.json"
	for _, c := range []struct {
		env  string
		args []string
		want string
	}{
		{"many", []string{"serve", model}, "HEW_MAX_ROWS"},
		{"", []string{"serve", model, "--max-rows", "0"}, "must be positive"},
		{"", []string{"serve", model, "--http"}, "--http"},
		{"", []string{"serve"}, "takes [NAME=]MODEL…"},
		{"", []string{"serve", model, "--engine", "fast"}, `unknown engine "fast"`},
	} {
		if c.env != "" {
			t.Setenv("HEW_MAX_ROWS", c.env)
		} else {
			t.Setenv("HEW_MAX_ROWS", "5")
		}
		var stderr strings.Builder
		require.NotEqual(t, 0, run(t.Context(), c.args, strings.NewReader(""), io.Discard, &stderr))
		require.Contains(t, stderr.String(), c.want)
	}
}
