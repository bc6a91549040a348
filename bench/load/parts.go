package load

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"hew/bench"
)

// counts are what a server has counted since it started.
type counts struct {
	requests float64 // that predicted something, by the protocol that is measured
	seconds  float64 // answering them
	parsing  float64 // seconds of that before the predictor is called
	scores   float64 // calls of predictors
	scoring  float64 // seconds in predictors
}

// settle is how long a server that has sent an answer may take to count it.
const settle = 10 * time.Millisecond

// settled returns the counts of an idle server, which counts a request only after its
// answer is under way: it asks until two counts agree.
func settled(addr, protocol string) (counts, error) {
	last, err := readCounts(addr, protocol)
	for range 20 {
		time.Sleep(settle)
		c, err := readCounts(addr, protocol)
		if err != nil || c == last {
			return c, err
		}
		last = c
	}
	return last, err
}

// readCounts asks the server with a REST front end at addr, host:port, for its
// counts. Protocol is "http" or "grpc".
func readCounts(addr, protocol string) (counts, error) {
	client := http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://" + addr + "/metrics")
	if err != nil {
		return counts{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return counts{}, fmt.Errorf("GET /metrics: %s", resp.Status)
	}
	return parseCounts(resp.Body, protocol)
}

// parseCounts reads the Prometheus text format, as far as package serve writes it.
func parseCounts(r io.Reader, protocol string) (counts, error) {
	var c counts
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		name, labels, _ := strings.Cut(lines.Text(), "{")
		sum := map[string]*float64{
			"hew_request_seconds_sum": &c.seconds, "hew_request_seconds_count": &c.requests,
			"hew_parse_seconds_sum": &c.parsing, "hew_score_seconds_sum": &c.scoring, "hew_score_seconds_count": &c.scores,
		}[name]
		if sum == nil || strings.HasPrefix(name, "hew_request") && !predicts(labels, protocol) {
			continue
		}
		text := labels[strings.LastIndexByte(labels, ' ')+1:]
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return c, fmt.Errorf("GET /metrics: %q", lines.Text())
		}
		*sum += v
	}
	return c, lines.Err()
}

// predicts reports whether the labels of a route say that it predicts.
func predicts(labels, protocol string) bool {
	labels = strings.ToLower(labels)
	return strings.Contains(labels, `protocol="`+protocol+`"`) &&
		(strings.Contains(labels, "infer\"") || strings.Contains(labels, "predict\""))
}

// parts returns where the time of n requests went that took total between sending
// and the checked answer. It is nil if the server counted others, too.
func (c counts) parts(before counts, n int64, total time.Duration) []bench.Part {
	sent := float64(n)
	if n == 0 || c.requests-before.requests != sent || c.scores-before.scores != sent {
		return nil
	}
	parse, score, serve := c.parsing-before.parsing, c.scoring-before.scoring, c.seconds-before.seconds
	mean := func(seconds float64) float64 { return max(seconds, 0) * 1000 / sent }
	return []bench.Part{
		{Name: "parse", Mean: mean(parse)},
		{Name: "score", Mean: mean(score)},
		{Name: "encode", Mean: mean(serve - parse - score)},
		{Name: "network", Mean: mean(total.Seconds() - serve)},
	}
}
