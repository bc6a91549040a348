package libm_test

import (
	"compress/gzip"
	"encoding/json"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/internal/libm"
)

// A sweep names the arguments for one function; testdata/record.py says how.
type sweep struct {
	Name      string
	Bits      int
	Low, High float64
	Edges     []float64
}

const (
	sweepCount = 1 << 17
	neighbours = 32
)

var (
	narrow = map[string]func(float32) float32{
		"expf": libm.Expf, "logf": libm.Logf, "log1pf": libm.Log1pf, "expm1f": libm.Expm1f,
	}
	wide = map[string]func(float64) float64{
		"exp": libm.Exp, "log1p": libm.Log1p, "log": libm.Log, "log2": libm.Log2,
		"log10": libm.Log10, "expm1": libm.Expm1, "tanh": libm.Tanh, "cbrt": libm.Cbrt,
		"pow 2 x":     func(x float64) float64 { return libm.Pow(2, x) },
		"pow x 1.5":   func(x float64) float64 { return libm.Pow(x, 1.5) },
		"pow x -0.75": func(x float64) float64 { return libm.Pow(x, -0.75) },
	}

	// Good to a few ulps, which leaves the recorded bits to tell which neighbour
	// the C library chose.
	approximate = map[string]func(float64) float64{
		"expf": math.Exp, "logf": math.Log, "log1pf": math.Log1p, "expm1f": math.Expm1,
		"exp": squaredExp, "log1p": math.Log1p, "log": log, "log2": log2,
		"log10": func(x float64) float64 { return log(x) / math.Ln10 }, "expm1": expm1, "tanh": tanh, "cbrt": math.Cbrt,
		"pow 2 x":     math.Exp2,
		"pow x 1.5":   func(x float64) float64 { return math.Abs(x * root(x)) },
		"pow x -0.75": func(x float64) float64 { return 1 / (root(x) * root(root(x))) },
	}
)

// root is the square root, but of -Inf, which has powers.
func root(x float64) float64 {
	if math.IsInf(x, -1) {
		return -x
	}
	return math.Sqrt(x)
}

// log is good to a few ulps; math.Log is not for subnormal numbers on amd64.
func log(x float64) float64 {
	if x > 0 && x < 0x1p-1022 {
		return math.Log(x*0x1p52) - 52*math.Ln2
	}
	return math.Log(x)
}

// log2 is good to a few ulps; math.Log2 is not near 1.
func log2(x float64) float64 {
	if math.Abs(x-1) < 0.1 {
		return math.Log1p(x-1) * math.Log2E
	}
	return math.Log2(x)
}

// tanh is good to a few ulps; math.Tanh is not for small numbers.
func tanh(x float64) float64 {
	e := math.Expm1(-2 * math.Abs(x))
	return math.Copysign(e/(e+2), x)
}

// expm1 is good to a few ulps; math.Expm1 is not where it nearly overflows.
func expm1(x float64) float64 {
	if x > 700 {
		return squaredExp(x)
	}
	return math.Expm1(x)
}

// squaredExp is good to a few ulps; math.Exp is not where it nearly overflows.
func squaredExp(x float64) float64 {
	h := math.Exp(x / 2)
	return h * h
}

func TestSweep(t *testing.T) {
	b, err := os.ReadFile("testdata/sweep.json")
	require.NoError(t, err)
	var sweeps []sweep
	require.NoError(t, json.Unmarshal(b, &sweeps))
	require.Len(t, sweeps, len(narrow)+len(wide))

	f, err := os.Open("testdata/sweep.gz")
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	recorded, err := io.ReadAll(z)
	require.NoError(t, err)
	require.Len(t, recorded, len(sweeps)*sweepCount/2)

	for i, s := range sweeps {
		t.Run(s.Name, func(t *testing.T) {
			low := recorded[i*sweepCount/2:]
			n, wrong := 0, 0
			s.arguments(func(bits uint64) bool {
				got, want := s.results(bits, uint64(low[n/2]>>(n%2*4)&15))
				if got != want {
					if wrong++; wrong <= 5 {
						t.Errorf("argument %#x: got %#x, want %#x", bits, got, want)
					}
				}
				n++
				return n < sweepCount
			})
			require.Equal(t, sweepCount, n)
			require.Zero(t, wrong, "of %d arguments", n)
		})
	}
}

// results returns the bits of the function's result and of the recorded one,
// whose lowest four bits are low. A NaN is 1, which no number in them is.
func (s *sweep) results(bits, low uint64) (got, want uint64) {
	var about uint64
	var nan bool
	if s.Bits == 32 {
		x := math.Float32frombits(uint32(bits))
		a := float32(approximate[s.Name](float64(x)))
		nan, about = a != a, uint64(math.Float32bits(a))
		y := narrow[s.Name](x)
		if got = uint64(math.Float32bits(y)); y != y {
			got = math.MaxUint64
		}
	} else {
		x := math.Float64frombits(bits)
		a := approximate[s.Name](x)
		nan, about = a != a, math.Float64bits(a)
		y := wide[s.Name](x)
		if got = math.Float64bits(y); y != y {
			got = math.MaxUint64
		}
	}
	if nan {
		return got, math.MaxUint64
	}
	d := (low - about) & 15
	if d >= 8 {
		d -= 16
	}
	return got, about + d
}

// arguments calls yield with bit patterns until it returns false; the rule is
// that of testdata/record.py.
func (s *sweep) arguments(yield func(uint64) bool) {
	bits := func(x float64) uint64 { return uint64(math.Float32bits(float32(x))) }
	if s.Bits == 64 {
		bits = math.Float64bits
	}
	sign := uint64(1) << (s.Bits - 1)
	for _, edge := range s.Edges {
		for d := -neighbours; d <= neighbours; d++ {
			if b := int64(bits(edge)) + int64(d); b >= 0 && !(yield(uint64(b)) && yield(uint64(b)|sign)) {
				return
			}
		}
	}
	for _, x := range []float64{math.Inf(1), math.Inf(-1), math.NaN()} {
		if !yield(bits(x)) {
			return
		}
	}
	state := uint64(1)
	next := func() uint64 {
		state = state*6364136223846793005 + 1442695040888963407
		return state >> 32
	}
	for {
		b, low := next(), next()
		if s.Bits == 64 {
			b = b<<32 | low
		}
		u := float64(next()) / (1 << 32)
		if !yield(b) || !yield(bits(s.Low+float64((s.High-s.Low)*u))) {
			return
		}
	}
}

func TestSpecial(t *testing.T) {
	inf := float32(math.Inf(1))
	require.Equal(t, float32(1), libm.Expf(0))
	require.Equal(t, inf, libm.Expf(89))
	require.Equal(t, float32(0), libm.Expf(-inf))
	require.Equal(t, -inf, libm.Logf(0))
	require.Equal(t, uint32(0), math.Float32bits(libm.Logf(1)))
	require.True(t, math.IsNaN(float64(libm.Logf(-1))))
	require.Equal(t, -inf, libm.Log1pf(-1))
	require.Equal(t, uint32(1<<31), math.Float32bits(libm.Log1pf(float32(math.Copysign(0, -1)))))
	require.Equal(t, float32(-1), libm.Expm1f(-inf))
	require.Equal(t, 5e-324, libm.Exp(-745))
	require.Equal(t, math.Inf(-1), libm.Log1p(-1))
}

// SciPy's own numbers: scipy.special.ndtri of 1.17.
func TestNdtri(t *testing.T) {
	for y, want := range map[float64]float64{
		1e-300:                -37.0470962993612,
		1e-20:                 -9.262340089798409,
		9.999999977795539e-08: -5.199337582605575,
		0.001:                 -3.090232306167813,
		0.1:                   -1.2815515655446004,
		0.13:                  -1.1263911290388007,
		0.2:                   -0.8416212335729142,
		0.5:                   0.0,
		0.7:                   0.5244005127080407,
		0.86:                  1.0803193408149558,
		0.87:                  1.1263911290388007,
		0.99:                  2.3263478740408408,
		0.999999999:           5.997807019601637,
		0.0:                   math.Inf(-1),
		1.0:                   math.Inf(1),
	} {
		require.Equal(t, want, libm.Ndtri(y), "%v", y)
	}
	require.True(t, math.IsNaN(libm.Ndtri(-1)) && math.IsNaN(libm.Ndtri(2)))
}

// TestSource checks the promise that generated packages rely on: the sources
// together form a package that needs nothing but math, and none declares a name
// that is not its own.
func TestSource(t *testing.T) {
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range []string{"exp", "expf", "expm1f", "log", "log1p", "log1pf", "log2", "logf", "ndtri", "pow"} {
		f, err := parser.ParseFile(fset, name+".go", libm.Source(name), parser.SkipObjectResolution)
		require.NoError(t, err)
		require.Len(t, f.Imports, 1)
		require.Equal(t, `"math"`, f.Imports[0].Path.Value)
		files = append(files, f)
	}
	conf := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	pkg, err := conf.Check("foreign", fset, files, nil)
	require.NoError(t, err)
	for _, object := range pkg.Scope().Names() {
		file := fset.Position(pkg.Scope().Lookup(object).Pos()).Filename
		own := strings.TrimSuffix(file, ".go")
		exported := strings.ToUpper(own[:1]) + own[1:]
		require.True(t, object == exported || strings.HasPrefix(object, own), "%s in %s", object, file)
	}
	require.Panics(t, func() { libm.Source("sin") })
}

func BenchmarkExpf(b *testing.B) {
	x := float32(-20)
	for b.Loop() {
		libm.Expf(x)
		if x += 0.37; x > 20 {
			x = -20
		}
	}
}
