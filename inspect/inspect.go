// Package inspect describes an ensemble for people and machines.
package inspect

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"hew/ir"
)

// A Model is what there is to say about an ensemble before it is compiled. Its
// JSON form is what hew inspect --json prints.
type Model struct {
	File      string `json:"file"`
	SHA256    string `json:"sha256"`
	Format    string `json:"format"` // trainer, version and container: "xgboost 3.2.0 json"
	Booster   string `json:"booster"`
	Objective string `json:"objective"`

	Task       string   `json:"task"`
	Link       string   `json:"link"`
	Outputs    int      `json:"outputs"` // margins per row
	BaseMargin []Number `json:"base_margin"`
	Classes    []string `json:"classes,omitempty"`

	Trees     int  `json:"trees"`
	Rounds    int  `json:"rounds"`
	BestRound *int `json:"best_round,omitempty"` // of early stopping
	Nodes     int  `json:"nodes"`
	Leaves    int  `json:"leaves"`
	Depth     int  `json:"depth"` // splits on the longest path

	VectorLeaves bool `json:"vector_leaves"`
	Sets         int  `json:"categorical_splits"`
	MissingLeft  int  `json:"missing_left"`  // splits that send a missing value left
	MissingRight int  `json:"missing_right"` // splits that send it right

	NumFeatures  int       `json:"num_features"`
	UsedFeatures int       `json:"used_features"` // tested by some split, or with a weight
	Features     []Feature `json:"features"`

	Plan     []string `json:"plan"` // what hew will do with the model
	Warnings []string `json:"warnings,omitempty"`
}

// A Feature describes one column of a row.
type Feature struct {
	Name       string   `json:"name"`
	Type       string   `json:"type"`
	Categories []string `json:"categories,omitempty"`
	Splits     int      `json:"splits"`
	Thresholds int      `json:"thresholds"` // distinct values at which a test changes its answer
}

// A Number is a float32 that may be infinite: in JSON it is a number in its
// shortest form or, since JSON has no infinities, a string.
type Number float32

func (n Number) String() string { return strconv.FormatFloat(float64(n), 'g', -1, 32) }

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	if math.IsInf(float64(n), 0) {
		return []byte(strconv.Quote(n.String())), nil
	}
	return []byte(n.String()), nil
}

func numbers(v []float64) []Number {
	n := make([]Number, len(v))
	for i := range v {
		n[i] = Number(v[i])
	}
	return n
}

// Describe returns the description of e. The plan holds what the caller will do
// with it, a sentence each.
func Describe(e *ir.Ensemble, plan []string) *Model {
	m := &Model{
		File: e.Source.File, SHA256: e.Source.SHA256,
		Format:  strings.TrimSpace(e.Source.Trainer + " " + e.Source.Version + " " + e.Source.Container),
		Booster: e.Source.Booster, Objective: e.Source.Objective,
		Task: e.Task.String(), Link: e.Link.String(), Outputs: e.Outputs, BaseMargin: numbers(e.BaseMargin), Classes: e.Classes,
		Trees: len(e.Trees), Rounds: e.NumRounds(), Nodes: e.NumNodes(),
		NumFeatures: len(e.Features), Plan: plan, Warnings: e.Source.Warnings,
	}
	if e.BestRound >= 0 {
		m.BestRound = &e.BestRound
	}
	splits := m.countTrees(e)
	for j, bounds := range e.Bounds() {
		f := &e.Features[j]
		m.Features = append(m.Features, Feature{f.Name, f.Type.String(), f.Categories, splits[j], len(bounds)})
		if splits[j] > 0 || e.Linear != nil && weighs(e, j) {
			m.UsedFeatures++
		}
	}
	return m
}

// countTrees fills in what a walk over all nodes tells, and returns the number
// of splits on each feature.
func (m *Model) countTrees(e *ir.Ensemble) []int {
	splits := make([]int, len(e.Features))
	for i := range e.Trees {
		t := &e.Trees[i]
		m.Depth = max(m.Depth, t.Depth())
		m.Leaves += t.NumLeaves()
		m.VectorLeaves = m.VectorLeaves || t.Vectors != nil
		for j := range t.Nodes {
			n := &t.Nodes[j]
			if n.IsLeaf() {
				continue
			}
			splits[n.Feature]++
			if n.Set != ir.NoSet {
				m.Sets++
			}
			if n.DefaultLeft {
				m.MissingLeft++
			} else {
				m.MissingRight++
			}
		}
	}
	return splits
}

func weighs(e *ir.Ensemble, feature int) bool {
	for _, w := range e.Linear.Weights[feature*e.Outputs : (feature+1)*e.Outputs] {
		if w != 0 {
			return true
		}
	}
	return false
}

// maxListed is the number of features that Print lists; a wide model has its
// most split features listed in JSON.
const maxListed = 40

// Print writes m for a person.
func (m *Model) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("model", "%s (%s)", cmp.Or(m.File, "standard input"), m.Format)
	row("sha256", "%s", m.SHA256)
	row("objective", "%s, %s, link %s", m.Objective, m.Task, m.Link)
	row("outputs", "%d, base margin %s", m.Outputs, shortList(m.BaseMargin))
	if len(m.Classes) > 0 {
		row("classes", "%s", shortList(m.Classes))
	}
	if m.Trees > 0 || m.Booster != "gblinear" {
		row("trees", "%d in %d rounds%s, depth <= %d", m.Trees, m.Rounds, m.bestText(), m.Depth)
		row("nodes", "%d, %d leaves%s", m.Nodes, m.Leaves, vectorText(m.VectorLeaves))
		row("splits", "%d, %d of them categorical", m.MissingLeft+m.MissingRight, m.Sets)
		row("missing", "left in %d splits, right in %d", m.MissingLeft, m.MissingRight)
	} else {
		row("booster", "%s", m.Booster)
	}
	row("features", "%d, %d used", m.NumFeatures, m.UsedFeatures)
	for _, p := range m.Plan {
		row("plan", "%s", p)
	}
	for _, s := range m.Warnings {
		row("warning", "%s", s)
	}
	fmt.Fprintf(t, "\nfeature\ttype\tsplits\tthresholds\tcategories\n")
	for _, f := range m.Features[:min(len(m.Features), maxListed)] {
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%s\n", f.Name, f.Type, f.Splits, f.Thresholds, shortList(f.Categories))
	}
	if n := len(m.Features) - maxListed; n > 0 {
		fmt.Fprintf(t, "… and %d more (--json lists all)\n", n)
	}
	return t.Flush()
}

func (m *Model) bestText() string {
	if m.BestRound == nil {
		return ""
	}
	return fmt.Sprintf(" (best: %d)", *m.BestRound)
}

func vectorText(vector bool) string {
	if vector {
		return " (vectors)"
	}
	return ""
}

// shortList returns the first items of s, separated by commas.
func shortList[T any](s []T) string {
	const most = 8
	var b strings.Builder
	for i, v := range s {
		if i == most {
			fmt.Fprintf(&b, ", … (%d)", len(s))
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprint(&b, v)
	}
	return b.String()
}
