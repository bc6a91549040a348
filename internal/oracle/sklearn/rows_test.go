//go:build oracle

package sklearn_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"hew/compile"
	"hew/internal/npy"
	"hew/ir"
)

// noCategory is the code of a text that is none of a feature's categories and
// that the feature is not open for.
const noCategory = -2

// read returns rows as hew takes them, float64 numbers with codes in place of
// texts.
func (m *model) read(t *testing.T, what string) [][]float64 {
	var rows [][]float64
	if m.Texts {
		rows = m.readCSV(t, m.prefix+"."+what+".csv")
	} else if v := m.numbers(t, what); len(v) > 0 {
		rows = slices.Collect(slices.Chunk(v, len(m.e.Features)))
	}
	if what == "rows" {
		m.rows = rows
	}
	return rows
}

func (m *model) readCSV(t *testing.T, path string) [][]float64 {
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	used := m.used()
	var rows [][]float64
	for j, name := range lines[0] {
		require.Equal(t, name, m.e.Features[j].Name)
	}
	for _, line := range lines[1:] {
		row := make([]float64, len(line))
		for j, text := range line {
			if used[j] {
				row[j], err = number(&m.e.Features[j], text)
				require.NoError(t, err, "%s", m.Model)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// used reports which features the model looks at. Of others hew does not know
// whether they are texts.
func (m *model) used() []bool {
	used := make([]bool, len(m.e.Features))
	for _, c := range m.e.Columns {
		used[c.Feature] = true
	}
	for _, s := range m.e.Post {
		for _, c := range s.Columns {
			used[c.Feature] = true
		}
	}
	return used
}

func number(f *ir.Feature, text string) (float64, error) {
	switch {
	case text == "":
		return math.NaN(), nil
	case f.Categories == nil:
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			err = fmt.Errorf("feature %s has no categories: %w", f.Name, err)
		}
		return v, err
	}
	if i := slices.Index(f.Categories, text); i >= 0 {
		return float64(i), nil
	}
	if f.Open {
		return -1, nil
	}
	return noCategory, nil
}

// round rounds rows to float32, as a model does that takes no others.
func round(rows [][]float64) {
	for _, row := range rows {
		for j, v := range row {
			row[j] = float64(float32(v))
		}
	}
}

// refusal says why hew would refuse a row, or "".
func (m *model) refusal(row []float64) string {
	used := m.used()
	for j, f := range compile.Info(m.e, m.name).Features {
		why := ""
		switch {
		case f.Categories == nil || row[j] != noCategory:
			why = f.Refused(row[j])
		case used[j]:
			why = "an unknown text"
		}
		if why != "" {
			return f.Name + ": " + why
		}
	}
	return ""
}

// numbers returns what is in a .npy file of the model, or nil if there is none.
func (m *model) numbers(t *testing.T, what string) []float64 {
	f, err := os.Open(m.prefix + "." + what + ".npy")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	require.NoError(t, err)
	defer f.Close()
	a, err := npy.Read(f)
	require.NoError(t, err)
	return a.Float64s()
}

// same reports whether two numbers have the same bits or are both NaN.
func same(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b
}

func within(got, want, bound float64) bool {
	return math.Abs(got-want) <= bound || math.IsInf(bound, 1)
}
