package quantize

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hew/internal/lossy"
	"hew/internal/nearest"
	"hew/ir"
)

// Options say which numbers to narrow. The zero value leaves all of them as they are.
type Options struct {
	// Thresholds is F16 or BF16: thresholds become numbers of that type. Or it is
	// Uint8 or Uint16: a feature keeps so many distinct thresholds at most that a
	// rank among them fits such an integer, which is MaxBounds or MaxBounds16.
	Thresholds Format

	// Merge makes one of the thresholds of a feature that lie within this share of
	// the distance between its smallest and its largest finite one. 0 merges none.
	Merge float64

	// Leaves is F16 or BF16: leaves become numbers of that type. Or it is Int8 or
	// Int16: they become q × 2^-k with an integer q of that type, −128 and −32768
	// aside, and base margins multiples of a smaller power of two for which all sums are
	// exact, if there is one. Or it is Fixed: they, and the base margins, become q × 2^-k such that
	// every sum of them is exact in the type of sums, in whatever order.
	Leaves Format

	// TreeScale gives each tree a k of its own, with Int8 and Int16. Otherwise all
	// leaves share the largest k that their values permit.
	TreeScale bool
}

// A Format is a kind of numbers.
type Format uint8

// The formats.
const (
	Kept   Format = iota // as the trainer made them
	F16                  // IEEE binary16
	BF16                 // bfloat16, the upper half of a float32
	Uint8                // few enough for ranks of this type
	Uint16               // few enough for ranks of this type
	Int8                 // integers of this type, scaled
	Int16                // integers of this type, scaled
	Fixed                // integers that the type of sums adds exactly, scaled
)

var formatNames = []string{"kept", "f16", "bf16", "uint8", "uint16", "int8", "int16", "fixed"}

func (f Format) String() string { return formatNames[f] }

var (
	thresholdFormats = []Format{F16, BF16, Uint8, Uint16}
	leafFormats      = []Format{F16, BF16, Int16, Int8, Fixed}
)

// A setting is a key of the text form of options.
type setting struct {
	key  string
	set  func(o *Options, value string) error
	text func(o *Options) string // of the value; empty if it is the default
}

// settings are in the order in which the passes run.
var settings = []setting{
	{"merge", parseMerge, func(o *Options) string {
		if o.Merge == 0 {
			return ""
		}
		return strconv.FormatFloat(o.Merge, 'g', -1, 64)
	}},
	{"thresholds", func(o *Options, v string) error { return parseFormat(&o.Thresholds, v, thresholdFormats) },
		func(o *Options) string { return formatText(o.Thresholds) }},
	{"leaves", func(o *Options, v string) error { return parseFormat(&o.Leaves, v, leafFormats) },
		func(o *Options) string { return formatText(o.Leaves) }},
	{"scale", parseScale, func(o *Options) string {
		if !o.TreeScale {
			return ""
		}
		return "tree"
	}},
}

// Parse reads options such as thresholds=uint8,leaves=f16,merge=1e-3: keys with
// values, in any order, each key at most once. The empty text stands for the zero
// value.
func Parse(text string) (Options, error) {
	var o Options
	if text == "" {
		return o, nil
	}
	seen := map[string]bool{}
	for item := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(item), "=")
		i := slices.IndexFunc(settings, func(s setting) bool { return s.key == key })
		switch {
		case i < 0:
			return Options{}, unknown("quantization", key, settingKeys())
		case seen[key]:
			return Options{}, fmt.Errorf("%s is given twice", key)
		}
		seen[key] = true
		if err := settings[i].set(&o, value); err != nil {
			return Options{}, fmt.Errorf("%s: %w", key, err)
		}
	}
	return o, nil
}

// String returns the text that Parse reads, in canonical form.
func (o Options) String() string {
	var items []string
	for _, s := range settings {
		if v := s.text(&o); v != "" {
			items = append(items, s.key+"="+v)
		}
	}
	return strings.Join(items, ",")
}

func settingKeys() []string {
	var keys []string
	for _, s := range settings {
		keys = append(keys, s.key)
	}
	return keys
}

func parseFormat(f *Format, value string, formats []Format) error {
	var names []string
	for _, known := range formats {
		if value == known.String() {
			*f = known
			return nil
		}
		names = append(names, known.String())
	}
	return unknown("format", value, names)
}

func formatText(f Format) string {
	if f == Kept {
		return ""
	}
	return f.String()
}

func parseMerge(o *Options, value string) error {
	e, err := strconv.ParseFloat(value, 64)
	if err != nil || !(e > 0 && e < 1) {
		return fmt.Errorf("%.40q is not a number between 0 and 1, the share of a feature's range of thresholds", value)
	}
	o.Merge = e
	return nil
}

func parseScale(o *Options, value string) error {
	switch value {
	case "ensemble":
		o.TreeScale = false
	case "tree":
		o.TreeScale = true
	default:
		return unknown("scale", value, []string{"ensemble", "tree"})
	}
	return nil
}

// unknown reports a name that is none of the known ones; it suggests the nearest, or
// lists them if none is near.
func unknown(kind, name string, known []string) error {
	hint := nearest.Hint(name, known)
	if hint == "" {
		hint = " (want one of " + strings.Join(known, ", ") + ")"
	}
	return fmt.Errorf("unknown %s %.40q%s", kind, name, hint)
}

// Check reports why o cannot be applied to e, which it does not change. Rows are
// never needed: with them, Uint8 and Uint16 choose better.
func (o Options) Check(e *ir.Ensemble, hasRows bool) error {
	switch {
	case o == Options{}:
		return nil
	case e.Linear != nil:
		return errors.New("a linear model has no thresholds and no leaves to quantize")
	case len(e.Trees) == 0:
		return errors.New("the model has no trees to quantize")
	case o.Thresholds != Kept && !slices.Contains(thresholdFormats, o.Thresholds):
		return fmt.Errorf("thresholds=%v: a format of leaves", o.Thresholds)
	case o.Leaves != Kept && !slices.Contains(leafFormats, o.Leaves):
		return fmt.Errorf("leaves=%v: a format of thresholds", o.Leaves)
	case o.Merge != 0 && !(o.Merge > 0 && o.Merge < 1):
		return fmt.Errorf("merge=%v: want a number between 0 and 1", o.Merge)
	case o.TreeScale && o.Leaves == Fixed:
		return errors.New("scale=tree: sums of fixed leaves are exact because all trees share one scale")
	case o.TreeScale && o.Leaves != Int8 && o.Leaves != Int16:
		return errors.New("scale=tree: only leaves=int8 and leaves=int16 have a scale to choose")
	}
	if err := checkThresholds(e, o.Thresholds); err != nil {
		return fmt.Errorf("thresholds=%v: %w", o.Thresholds, err)
	}
	if err := o.checkLeaves(e); err != nil {
		return fmt.Errorf("leaves=%v: %w", o.Leaves, err)
	}
	return nil
}

// Passes returns the passes that o asks for, in the order in which they must run:
// what merges thresholds by their distance sees them as the trainer made them.
func (o Options) Passes() []lossy.Pass {
	var passes []lossy.Pass
	if o.Merge > 0 {
		passes = append(passes, lossy.Pass{
			Name: "merge", Run: o.merge,
			Doc: fmt.Sprintf("make one of the thresholds of a feature that lie within %v of their range", o.Merge),
		})
	}
	if o.Thresholds != Kept {
		passes = append(passes, lossy.Pass{Name: "thresholds", Doc: thresholdDoc(o.Thresholds), Run: o.narrowThresholds})
	}
	if o.Leaves != Kept {
		passes = append(passes, lossy.Pass{Name: "leaves", Doc: leafDoc(o.Leaves), Run: o.narrowLeaves})
	}
	return passes
}
