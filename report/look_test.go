package report

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot/plotter"
)

// colourOf is red, green and blue as amounts of light, 0 to 1.
type colourOf [3]float64

func parseColour(t *testing.T, hex string) (c colourOf) {
	for i := range c {
		v, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		require.NoError(t, err)
		if c[i] = float64(v) / 255; c[i] <= 0.04045 {
			c[i] /= 12.92
		} else {
			c[i] = math.Pow((c[i]+0.055)/1.055, 2.4)
		}
	}
	return c
}

func (c colourOf) luminance() float64 { return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2] }

// seenBy returns how the colour looks to those whose eyes have a matrix.
func (c colourOf) seenBy(m [3]colourOf) (s colourOf) {
	for i := range s {
		s[i] = min(1, max(0, m[i][0]*c[0]+m[i][1]*c[1]+m[i][2]*c[2]))
	}
	return s
}

// lab returns the colour in CIELAB, where a distance of 2 can just be seen.
func (c colourOf) lab() colourOf {
	f := func(v float64) float64 {
		if v > 0.008856 {
			return math.Cbrt(v)
		}
		return 7.787*v + 16.0/116
	}
	x, y, z := f((0.4124*c[0]+0.3576*c[1]+0.1805*c[2])/0.9505), f(c.luminance()), f((0.0193*c[0]+0.1192*c[1]+0.9505*c[2])/1.089)
	return colourOf{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

// eyes are those of most people and of those who lack one kind of cones (Machado,
// Oliveira and Fernandes 2009).
var eyes = map[string][3]colourOf{
	"all cones":    {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"tritanopia":   {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

// TestColours: series can be told apart by all readers, and from what is behind them.
func TestColours(t *testing.T) {
	schemes := strings.Split(plotStyle, "@media")
	require.Len(t, schemes, 2)
	variable := regexp.MustCompile(`--([a-z0-9]+): (#[0-9a-f]{6});`)
	for i, scheme := range schemes {
		named := map[string]colourOf{}
		for _, m := range variable.FindAllStringSubmatch(scheme, -1) {
			named[m[1]] = parseColour(t, m[2])
		}
		for c := 1; c <= colours; c++ {
			one := named[fmt.Sprint("c", c)]
			light, dark := one.luminance(), named["panel"].luminance()
			contrast := (max(light, dark) + 0.05) / (min(light, dark) + 0.05)
			require.Greater(t, contrast, 3.0, "scheme %d, c%d", i, c)
			for o := 1; o < c; o++ {
				for kind, m := range eyes {
					a, b := one.seenBy(m).lab(), named[fmt.Sprint("c", o)].seenBy(m).lab()
					distance := math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
					require.Greater(t, distance, 20.0, "scheme %d, c%d and c%d, %s", i, o, c, kind)
				}
			}
		}
	}
}

// TestSeries: no two of many series look the same.
func TestSeries(t *testing.T) {
	seen := map[string]bool{}
	for i := range 40 {
		m := series(i, "")
		seen[fmt.Sprintf("%v %T", m.ink, m.glyph)] = true
	}
	require.Len(t, seen, 40)
}

// TestStaircase: the front is the steps of the points that no other is as good as.
func TestStaircase(t *testing.T) {
	line := staircase(plotter.XYs{{X: 30, Y: 2}, {X: 10, Y: 9}, {X: 20, Y: 4}, {X: 25, Y: 4}, {X: 22, Y: 7}, {X: 10, Y: 11}}, 50, 12)
	require.Equal(t, plotter.XYs{{X: 10, Y: 12}, {X: 10, Y: 9}, {X: 20, Y: 9}, {X: 20, Y: 4}, {X: 30, Y: 4}, {X: 30, Y: 2}, {X: 50, Y: 2}}, line.XYs)
}

func TestNumbers(t *testing.T) {
	for got, want := range map[string]string{
		seconds(0): "0", seconds(99.5): "99.5 ns", seconds(1234): "1.23 µs", seconds(5e6): "5 ms", seconds(2e9): "2 s",
		percent(-0.001): "−0.1 %", percent(0): "0 %", thousandths(-1e-7): "0.000 %", thousandths(0.12345): "12.345 %",
		digits(0, 3): "0.00", digits(23, 3): "23.0", digits(0.5431, 4): "0.5431", digits(12345, 3): "12345", digits(-1e-9, 3): "-1.00e-09",
		bytes(999).Text: "999 B", bytes(1000).Text: "1.0 kB", bytes(2.5e6).Text: "2.5 MB",
	} {
		require.Equal(t, want, got)
	}
}
