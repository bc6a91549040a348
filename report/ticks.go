package report

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"

	"hew/bench"
)

// A space is the room that an axis has for labels.
type space struct {
	length   float64
	vertical bool
}

// The room of axes in pixels, as far as it is the same in all plots.
var (
	spaceX = space{length: plotWidth - 90}
	spaceY = space{length: lineHeight - 70, vertical: true}
)

// holds reports whether no labels of ticks, in rising order, would overlap.
func (s space) holds(ticks []plot.Tick, axis plot.Normalizer, low, high float64) bool {
	end := math.Inf(-1) // of the last label
	for _, t := range labelled(ticks) {
		half := fontSize / 2.0
		if !s.vertical {
			half = float64(style("text", fontSize).Width(t.Label)) / 2
		}
		middle := s.length * axis.Normalize(low, high, t.Value)
		if middle-half < end+4 {
			return false
		}
		end = middle + half
	}
	return true
}

// densest returns the first ticks that the space holds, of ever fewer.
func (s space) densest(axis plot.Normalizer, low, high float64, ticks func(level int) []plot.Tick) []plot.Tick {
	const enough = 100
	for level := range enough {
		if t := ticks(level); s.holds(t, axis, low, high) {
			return t
		}
	}
	return nil
}

// logTicks marks powers of ten, and 2 and 5 times them where there is room. An axis that
// is too short for that has multiples of a round number.
type logTicks struct {
	space
	label func(float64) string
}

func (t logTicks) Ticks(low, high float64) []plot.Tick {
	ticks := t.densest(plot.LogScale{}, low, high, func(level int) []plot.Tick { return t.powers(low, high, level) })
	if high/low < 3 || len(labelled(ticks)) < 2 {
		return t.densest(plot.LogScale{}, low, high, func(level int) []plot.Tick { return multiples(low, high, level, t.label) })
	}
	return ticks
}

// powers labels 1, 2 and 5 at level 0, and every level-th power of ten at others.
func (t logTicks) powers(low, high float64, level int) []plot.Tick {
	var ticks []plot.Tick
	for power := math.Floor(math.Log10(low)); power <= math.Log10(high); power++ {
		for digit := 1.0; digit < 10; digit++ {
			v, _ := strconv.ParseFloat(strconv.FormatFloat(digit, 'f', 0, 64)+"e"+strconv.FormatFloat(power, 'f', 0, 64), 64)
			if v < low*(1-1e-9) || v > high*(1+1e-9) {
				continue
			}
			tick := plot.Tick{Value: v}
			if level == 0 && (digit == 1 || digit == 2 || digit == 5) || level > 0 && digit == 1 && math.Mod(power, float64(level)) == 0 {
				tick.Label = t.label(v)
			}
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

// around returns bounds of a log axis with some room around the values.
func around(values []float64) (low, high float64) {
	low, high = limits(values)
	room := max(1.1, math.Pow(high/low, 0.06))
	return low / room, high * room
}

func labelled(ticks []plot.Tick) []plot.Tick {
	var with []plot.Tick
	for _, t := range ticks {
		if t.Label != "" {
			with = append(with, t)
		}
	}
	return with
}

// linearTicks marks multiples of a round number.
type linearTicks struct {
	space
	label func(float64) string
}

func (t linearTicks) Ticks(low, high float64) []plot.Tick {
	return t.densest(plot.LinearScale{}, low, high, func(level int) []plot.Tick { return multiples(low, high, level, t.label) })
}

// multiples marks those of 1, 2 or 5 times a power of ten, about ten at level 0 and
// fewer at others.
func multiples(low, high float64, level int, label func(float64) string) []plot.Tick {
	step := math.Pow(10, math.Floor(math.Log10((high-low)/10))+float64(level/3)) * []float64{1, 2, 5}[level%3]
	var ticks []plot.Tick
	for k := math.Ceil(low/step - 1e-9); k*step <= high+1e-9*step && len(ticks) < 200; k++ {
		ticks = append(ticks, plot.Tick{Value: k * step, Label: label(k * step)})
	}
	return ticks
}

// valueTicks marks values that were measured, on a log axis, and labels those for which
// there is room.
func valueTicks(values []float64, low, high float64) plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for _, v := range values {
		ticks = append(ticks, plot.Tick{Value: v, Label: bench.Group(int(v))})
		if !spaceX.holds(ticks, plot.LogScale{}, low, high) {
			ticks[len(ticks)-1].Label = ""
		}
	}
	return ticks
}

// seconds returns a number of nanoseconds with a unit of its size.
func seconds(ns float64) string {
	if ns == 0 {
		return "0"
	}
	unit := "ns"
	for _, u := range []string{"µs", "ms", "s"} {
		if ns < 1000 {
			break
		}
		ns, unit = ns/1000, u
	}
	return short(ns) + " " + unit
}

// milliseconds is seconds for milliseconds.
func milliseconds(ms float64) string { return seconds(ms * 1e6) }

// short returns v with three digits, or all those before the point.
func short(v float64) string {
	if v == infinite {
		return "∞"
	}
	digits := 3
	if a := math.Abs(v); a >= 1000 {
		digits = int(math.Log10(a)) + 1
	}
	return strconv.FormatFloat(v, 'g', digits, 64)
}

// digits returns v with n digits, zeros at the end included, or all before the point; a
// number that is very small or very large has an exponent.
func digits(v float64, n int) string {
	if v == infinite {
		return "∞"
	}
	behind := n - 1
	if v != 0 {
		behind -= int(math.Floor(math.Log10(math.Abs(v))))
	}
	if behind > n+3 || behind < -12 {
		return strconv.FormatFloat(v, 'e', n-1, 64)
	}
	return strconv.FormatFloat(v, 'f', max(behind, 0), 64)
}

// percent returns a share as a number of percent, with as few digits as it has.
func percent(share float64) string { return percents(strconv.FormatFloat(share*100, 'g', 3, 64)) }

// thousandths returns a share as percent with three digits behind the point.
func thousandths(share float64) string { return percents(strconv.FormatFloat(share*100, 'f', 3, 64)) }

func percents(number string) string {
	number = strings.Replace(strings.TrimPrefix(number, "+"), "Inf", "∞", 1) // of an infinite share
	if strings.Trim(number, "-0.") == "" {
		number = strings.TrimPrefix(number, "-")
	}
	return strings.ReplaceAll(number, "-", "−") + " %"
}

// A bentScale is linear near 0 and logarithmic far from it, on both sides, so that a
// loss of 0.1 % and one of 30 % can both be read.
type bentScale struct{ linear float64 } // up to which |value| it is nearly linear

func (s bentScale) Normalize(low, high, x float64) float64 {
	at := func(v float64) float64 { return math.Asinh(v / s.linear) }
	return (at(x) - at(low)) / (at(high) - at(low))
}

// bentTicks marks 0 and powers of ten of both signs.
type bentTicks struct {
	space
	bentScale
	label func(float64) string
}

func (t bentTicks) Ticks(low, high float64) []plot.Tick {
	return t.densest(t.bentScale, low, high, func(level int) []plot.Tick {
		first := t.linear * math.Pow(10, float64(level)) // that has a label
		ticks := []plot.Tick{{Value: 0, Label: t.label(0)}}
		for v := t.linear; v <= max(high, -low); v *= 10 {
			for digit := 1.0; digit < 10; digit++ {
				for _, x := range []float64{-v * digit, v * digit} {
					if x < low || x > high {
						continue
					}
					tick := plot.Tick{Value: x}
					if digit == 1 && v >= 0.99*first {
						tick.Label = t.label(x)
					}
					ticks = append(ticks, tick)
				}
			}
		}
		slices.SortFunc(ticks, func(a, b plot.Tick) int { return cmp.Compare(a.Value, b.Value) })
		return ticks
	})
}
