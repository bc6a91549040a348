package sklearn

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/load/sklearn/internal/record"
)

// TestContainers compares what is in the same values, written in every way, with
// what Python says is in them.
func TestContainers(t *testing.T) {
	for _, folder := range []string{"numpy1", "numpy2"} {
		folder = filepath.Join("testdata", "containers", folder)
		want := readLines(t, filepath.Join(folder, "values.txt"))
		files, err := os.ReadDir(folder)
		require.NoError(t, err)
		for _, f := range files {
			if f.Name() == "values.txt" {
				continue
			}
			t.Run(filepath.Base(folder)+"/"+f.Name(), func(t *testing.T) {
				data, err := os.ReadFile(filepath.Join(folder, f.Name()))
				require.NoError(t, err)
				v, container, err := open(data, f.Name())
				require.NoError(t, err)
				require.Equal(t, containerOf(f.Name()), container)
				requireValues(t, want, v)
			})
		}
	}
}

// TestTreeContainers compares one tree in every container with itself.
func TestTreeContainers(t *testing.T) {
	folder := filepath.Join("testdata", "containers", "tree")
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, files, 13)
	var want string
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(folder, f.Name()))
		require.NoError(t, err)
		v, _, err := open(data, f.Name())
		require.NoError(t, err, f.Name())
		if want == "" {
			want = spell(v)
		}
		require.Equal(t, want, spell(v), f.Name())
	}
	require.Contains(t, want, "sklearn.tree._tree.Tree")
}

func readLines(t *testing.T, path string) []string {
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

func containerOf(file string) string {
	name, ext, _ := strings.Cut(file, ".")
	switch n, isPickle := strings.CutPrefix(name, "protocol"); {
	case ext == "skops":
		return "skops"
	case ext == "joblib" && (isPickle || name == "unaligned"):
		return "joblib"
	case ext == "joblib":
		return "joblib " + strings.Replace(name, "bz2", "bzip2", 1)
	case isPickle:
		return "pickle protocol " + n
	}
	return "pickle protocol 4"
}

func requireValues(t *testing.T, want []string, v record.Value) {
	t.Helper()
	d, ok := v.(*record.Dict)
	require.True(t, ok)
	for _, line := range want {
		key, text, _ := strings.Cut(line, " ")
		value, ok := d.Get(key)
		if key == "many" && !ok { // skops has no such list
			continue
		}
		require.True(t, ok, key)
		require.Equal(t, text, spell(value), key)
	}
}

// spell spells a value as spell in make.py does.
func spell(v record.Value) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return strings.ToUpper(fmt.Sprint(v)[:1]) + fmt.Sprint(v)[1:]
	case int64, *big.Int:
		return fmt.Sprint(v)
	case float64:
		return bits(v)
	case string:
		return "s" + hex.EncodeToString([]byte(v))
	case []byte:
		return "b" + hex.EncodeToString(v)
	case *record.Global:
		return v.String()
	case *record.DType:
		return "dtype" + v.String()
	case *record.List:
		items := spellAll(v.Items)
		if v.Kind == "set" || v.Kind == "frozenset" {
			slices.Sort(items)
		}
		return v.Kind + "[" + strings.Join(items, " ") + "]"
	case *record.Dict:
		return spellPairs(v)
	case *record.Array:
		return "array" + fmt.Sprint(v.Shape) + spellArray(v)
	case *record.Object:
		return spellObject(v)
	}
	return fmt.Sprintf("%T", v)
}

func bits(x float64) string {
	if x != x {
		return "fnan"
	}
	return fmt.Sprintf("f%016x", math.Float64bits(x))
}

func spellAll(items []record.Value) []string {
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = spell(item)
	}
	return out
}

func spellPairs(d *record.Dict) string {
	pairs := make([]string, len(d.Keys))
	for i, k := range d.Keys {
		pairs[i] = spell(k) + "=" + spell(d.Values[i])
	}
	return "{" + strings.Join(pairs, " ") + "}"
}

func spellObject(o *record.Object) string {
	s := o.Class.String()
	if len(o.Args) > 0 {
		s += "tuple[" + strings.Join(spellAll(o.Args), " ") + "]"
	}
	if o.Entries != nil {
		return s + spellPairs(o.Entries) // Bunch has a state too, in pickles of some versions
	}
	if o.State != nil {
		s += spell(o.State)
	}
	return s
}

func spellArray(a *record.Array) string {
	var items []string
	switch {
	case a.DType.Fields != nil:
		var s string
		for _, f := range a.DType.Fields {
			field, err := a.Field(f.Name)
			if err != nil {
				return err.Error()
			}
			s += " " + f.Name + "=" + spellArray(field)
			if f.DType.Base != nil {
				continue
			}
			c, err := a.Column(f.Name)
			if err != nil {
				return err.Error()
			}
			if in := "[" + strings.Join(spellColumn(&c), " ") + "]"; in != spellArray(field) {
				return "column " + f.Name + " is " + in
			}
		}
		return s
	case a.DType.Kind == 'O':
		items = spellAll(a.Items)
	case a.DType.Numeric():
		c, err := a.Column("")
		if err != nil {
			return err.Error()
		}
		items = spellColumn(&c)
	default:
		texts, err := a.Strings()
		if err != nil {
			return err.Error()
		}
		for _, s := range texts {
			items = append(items, spell(s))
		}
	}
	return "[" + strings.Join(items, " ") + "]"
}

func spellColumn(c *record.Column) []string {
	out := make([]string, c.Len())
	for i := range out {
		if c.Integer() {
			out[i] = fmt.Sprint(c.Int64(i))
		} else {
			out[i] = bits(c.Float64(i))
		}
	}
	return out
}
