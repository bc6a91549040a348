package rows

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"hew/internal/nearest"
	"hew/predict"
)

// A column turns what a file says about one feature into values.
type column struct {
	name    string
	codes   map[string]float64  // by text; nil unless the categories are known
	numbers map[float64]float64 // by number, if all known categories are numbers
	texts   []string            // the known categories, for messages
	open    bool                // for texts that are none of them
	double  bool                // values are float64, not float32
}

func newColumns(features []predict.Feature, o *Options) []column {
	columns := make([]column, len(features))
	for i, f := range features {
		columns[i] = column{name: f.Name, open: f.Open, double: o.Type == predict.Float64}
		if f.Type == "categorical" && f.Categories != nil {
			columns[i].know(f.Categories)
		}
	}
	return columns
}

// know makes the column one of categories.
func (c *column) know(categories []string) {
	c.texts = categories
	c.codes = make(map[string]float64, len(categories))
	c.numbers = make(map[float64]float64, len(categories))
	for code, text := range categories {
		c.codes[text] = float64(code)
		if c.numbers == nil {
			continue
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			c.numbers = nil
			continue
		}
		c.numbers[v] = float64(code)
	}
}

// cell reads a CSV cell.
func (c *column) cell(s string) (float64, error) {
	if c.codes != nil {
		if _, known := c.codes[s]; !known && missingCells[s] {
			return nan, nil
		}
		return c.category(s)
	}
	if v, ok := c.parse(s); ok {
		return v, nil
	}
	if missingCells[s] {
		return nan, nil
	}
	trimmed := strings.TrimSpace(s)
	if v, ok := c.parse(trimmed); ok {
		return v, nil
	}
	if v, ok := booleans[trimmed]; ok {
		return v, nil
	}
	return 0, fmt.Errorf("%s is not a number", quote(s))
}

// category reads the text of a category.
func (c *column) category(s string) (float64, error) {
	if code, ok := c.codes[s]; ok {
		return code, nil
	}
	if c.numbers != nil {
		if v, err := strconv.ParseFloat(s, 64); err == nil {
			if code, ok := c.numbers[v]; ok {
				return code, nil
			}
		}
	}
	if c.open {
		return unknown, nil
	}
	return 0, fmt.Errorf("unknown category %s%s: the model was trained with %d others", quote(s), nearest.Hint(s, c.texts), len(c.texts))
}

// text reads a value that the file says is text.
func (c *column) text(s string) (float64, error) {
	if c.codes == nil {
		return 0, fmt.Errorf("%s is text, not a number", quote(s))
	}
	return c.category(s)
}

// boolean reads a value that the file says is a truth value. Of categories it
// is the one that Python or JSON would write so.
func (c *column) boolean(b bool) (float64, error) {
	if c.codes == nil {
		if b {
			return 1, nil
		}
		return 0, nil
	}
	s := strconv.FormatBool(b)
	if code, ok := c.codes[strings.ToUpper(s[:1])+s[1:]]; ok {
		return code, nil
	}
	return c.category(s)
}

// number reads a value that the file says is a number: v rounded, or the
// category that is that number.
func (c *column) number(v float64) (float64, error) {
	if c.codes == nil {
		return c.rounded(v), nil
	}
	if v != v {
		return nan, nil
	}
	if code, ok := c.numbers[v]; ok {
		return code, nil
	}
	return c.category(strconv.FormatFloat(v, 'g', -1, 64))
}

// unknown is the code of a text that is no category, where that is allowed.
const unknown = -1

// rounded returns v in the type of values.
func (c *column) rounded(v float64) float64 {
	if c.double {
		return v
	}
	return float64(float32(v))
}

// parse reads a number to the nearest value of the type.
func (c *column) parse(s string) (float64, bool) {
	if c.double {
		return parseNumber(s, 64)
	}
	return parseNumber(s, 32)
}

// parseNumber reads a decimal number, inf or nan to the nearest number of a type of
// that many bits. A number too large is infinite. What only Go takes for a number,
// 0x1p-2 and 1_000, is none.
func parseNumber(s string, bits int) (float64, bool) {
	if len(s) > 2 && (s[1]|0x20 == 'x' || s[2]|0x20 == 'x' || strings.IndexByte(s, '_') > 0) {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, bits)
	if err != nil && err.(*strconv.NumError).Err != strconv.ErrRange {
		return 0, false
	}
	return v, true
}

// missingCells are the cells that pandas.read_csv takes for missing
// (pandas-dev/pandas:pandas/_libs/parsers.pyx, STR_NA_VALUES).
var missingCells = map[string]bool{
	"": true, "#N/A": true, "#N/A N/A": true, "#NA": true, "-1.#IND": true, "-1.#QNAN": true, "-NaN": true,
	"-nan": true, "1.#IND": true, "1.#QNAN": true, "<NA>": true, "N/A": true, "NA": true, "NULL": true,
	"NaN": true, "None": true, "n/a": true, "nan": true, "null": true,
}

// booleans are the cells that pandas.read_csv takes for truth values.
var booleans = map[string]float64{"true": 1, "True": 1, "TRUE": 1, "false": 0, "False": 0, "FALSE": 0}

// quote shows text in a message, a long one cut.
func quote(s string) string {
	const most = 40
	if len(s) <= most {
		return strconv.Quote(s)
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strconv.Quote(s[:cut] + "…")
}
