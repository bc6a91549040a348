package tune

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"hew/ir"
)

// A Candidate is a choice of lossy passes: settings as prune.Parse and quantize.Parse
// read them. The zero value is the model as it is.
type Candidate struct{ Prune, Quantize string }

func (c Candidate) String() string {
	var words []string
	if c.Prune != "" {
		words = append(words, "--prune "+c.Prune)
	}
	if c.Quantize != "" {
		words = append(words, "--quantize "+c.Quantize)
	}
	return cmp.Or(strings.Join(words, " "), "unpruned")
}

// A knob is one setting that candidates vary.
type knob struct {
	quantize bool // a setting of quantize; otherwise of prune
	key      string

	// values returns what to try first. Between two numbers that were tried lies
	// another, halfway on the knob's scale.
	values func(e *ir.Ensemble) []string
	scale  scale
}

// A scale tells what lies between two values.
type scale uint8

const (
	discrete  scale = iota // nothing
	integers               // whole numbers, halfway by difference
	percents               // whole percentages, halfway by difference
	geometric              // numbers, halfway by ratio
)

// knobs are in the order in which settings are written.
var knobs = []knob{
	{key: "truncate", scale: integers, values: func(e *ir.Ensemble) []string {
		texts := shares(e.NumRounds(), 0.2, 0.4, 0.6, 0.8)
		if e.BestRound >= 0 && e.BestRound+1 < e.NumRounds() {
			texts = append(texts, strconv.Itoa(e.BestRound+1))
		}
		return texts
	}},
	{key: "trees", scale: percents, values: func(*ir.Ensemble) []string { return []string{"20%", "40%", "60%", "80%"} }},
	{key: "min-cover", scale: geometric, values: func(e *ir.Ensemble) []string { return quantiles(covers(e)) }},
	{key: "epsilon", scale: geometric, values: func(e *ir.Ensemble) []string { return quantiles(gaps(e)) }},
	{key: "reduced-error", values: func(*ir.Ensemble) []string { return []string{""} }},
	{key: "refit", scale: geometric, values: func(*ir.Ensemble) []string { return []string{"1", "100", "10000"} }},
	{quantize: true, key: "thresholds", values: func(*ir.Ensemble) []string { return []string{"f16", "bf16", "uint8", "uint16"} }},
	{quantize: true, key: "merge", scale: geometric, values: func(*ir.Ensemble) []string { return []string{"0.001", "0.01", "0.1"} }},
	{quantize: true, key: "leaves", values: func(*ir.Ensemble) []string {
		return []string{"f16", "bf16", "int16", "int8", "int8,scale=tree", "fixed"}
	}},
}

// shares returns shares of n, as whole numbers between 1 and n−1.
func shares(n int, of ...float64) []string {
	var texts []string
	for _, s := range of {
		if v := int(math.Round(s * float64(n))); v >= 1 && v < n {
			texts = append(texts, strconv.Itoa(v))
		}
	}
	return slices.Compact(texts)
}

// quantiles returns numbers between which a fifth of the values, which are positive,
// lies.
func quantiles(values []float64) []string {
	if len(values) == 0 {
		return nil
	}
	slices.Sort(values)
	var texts []string
	for _, q := range []float64{0.2, 0.4, 0.6, 0.8} {
		texts = append(texts, short(values[int(q*float64(len(values)-1))]))
	}
	return slices.Compact(texts)
}

// short returns a positive number with two digits.
func short(v float64) string {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 1, 64), 64)
	if err != nil {
		return ""
	}
	return strconv.FormatFloat(rounded, 'g', -1, 64)
}

// covers returns the training weights of the leaves.
func covers(e *ir.Ensemble) []float64 {
	var values []float64
	for i := range e.Trees {
		for _, n := range e.Trees[i].Nodes {
			if n.IsLeaf() && n.Cover > 0 {
				values = append(values, float64(n.Cover))
			}
		}
	}
	return values
}

// gaps returns, for each split above two leaves, how far they are apart.
func gaps(e *ir.Ensemble) []float64 {
	var values []float64
	for i := range e.Trees {
		t := &e.Trees[i]
		for _, n := range t.Nodes {
			if n.IsLeaf() || !t.Nodes[n.Left].IsLeaf() || !t.Nodes[n.Right].IsLeaf() {
				continue
			}
			if d := farthest(e.LeafValues(t, &t.Nodes[n.Left]), e.LeafValues(t, &t.Nodes[n.Right])); d > 0 && !math.IsInf(d, 1) {
				values = append(values, d)
			}
		}
	}
	return values
}

// farthest returns the largest distance of two numbers at one place.
func farthest(a, b []float64) float64 {
	most := 0.0
	for k, v := range a {
		most = max(most, math.Abs(v-b[k]))
	}
	return most
}

// A choice is a knob that is set, by its index, and its value.
type choice struct {
	knob  int
	value string
}

// A setting is a candidate as the search sees it: choices in the order of knobs.
type setting []choice

// candidate returns s as texts.
func (s setting) candidate() Candidate {
	var prune, quantize []string
	for _, c := range s {
		k := &knobs[c.knob]
		item := k.key
		if c.value != "" {
			item += "=" + c.value
		}
		if k.quantize {
			quantize = append(quantize, item)
		} else {
			prune = append(prune, item)
		}
	}
	return Candidate{strings.Join(prune, ","), strings.Join(quantize, ",")}
}

// with returns s and t together; ok is false if both set one knob.
func (s setting) with(t setting) (both setting, ok bool) {
	both = append(slices.Clone(s), t...)
	slices.SortStableFunc(both, func(a, b choice) int { return cmp.Compare(a.knob, b.knob) })
	for i := range both[1:] {
		if both[i].knob == both[i+1].knob {
			return nil, false
		}
	}
	return both, true
}

// set returns s with another value for the choice at an index.
func (s setting) set(at int, value string) setting {
	t := slices.Clone(s)
	t[at].value = value
	return t
}

// number returns the value of a choice on a scale.
func (c choice) number() float64 {
	v, err := strconv.ParseFloat(strings.TrimSuffix(c.value, "%"), 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

// halfway returns the value between two choices of one knob, and false if there is
// none, or none that is worth a try.
func halfway(a, b choice) (string, bool) {
	low, high := min(a.number(), b.number()), max(a.number(), b.number())
	switch knobs[a.knob].scale {
	case integers:
		mid := math.Round((low + high) / 2)
		return strconv.Itoa(int(mid)), mid > low && mid < high
	case percents:
		mid := math.Round((low + high) / 2)
		return strconv.Itoa(int(mid)) + "%", mid > low && mid < high
	case geometric:
		mid := short(math.Sqrt(low * high))
		v := choice{a.knob, mid}.number()
		return mid, v > low*1.04 && v < high/1.04
	}
	return "", false
}
