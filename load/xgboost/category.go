package xgboost

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"hew/ir"
	"hew/load/internal/fault"
)

// firstInvalid is the first category that no split can list: float32 cannot tell it
// from its successor (dmlc/xgboost:src/common/categorical.h, OutOfRangeCat).
const firstInvalid = 1 << 24

// A span is a half-open interval of categories.
type span struct{ begin, end int32 }

// listedSets holds each distinct list of categories once.
type listedSets struct {
	lists [][]span // ascending, not touching
	index map[string]int32
	codes []int32 // scratch
	key   []byte  // scratch
}

// add returns the index of the list of the given categories.
func (s *listedSets) add(categories []int32) (int32, error) {
	s.codes = append(s.codes[:0], categories...)
	slices.Sort(s.codes)
	if first, last := s.codes[0], s.codes[len(s.codes)-1]; first < 0 || last >= firstInvalid {
		bad := last
		if first < 0 {
			bad = first
		}
		return 0, fault.Formatf("category %d out of range [0, %d)", bad, firstInvalid)
	}
	s.key = s.key[:0]
	spans := 0
	for i, c := range s.codes {
		if i == 0 || c > s.codes[i-1]+1 {
			spans++
		}
		s.key = binary.LittleEndian.AppendUint32(s.key, uint32(c))
	}
	if i, ok := s.index[string(s.key)]; ok {
		return i, nil
	}
	list := make([]span, 0, spans)
	for i, c := range s.codes {
		if i == 0 || c > s.codes[i-1]+1 {
			list = append(list, span{c, c})
		}
		list[len(list)-1].end = c + 1
	}
	if s.index == nil {
		s.index = map[string]int32{}
	}
	i := int32(len(s.lists))
	s.index[string(s.key)] = i
	s.lists = append(s.lists, list)
	return i, nil
}

// A categoryRule is how a version of XGBoost decides a categorical split. In all,
// the listed categories go right, and a value is cut to an integer first.
type categoryRule uint8

const (
	// Values that are negative, or too large for a category, go left
	// (src/common/categorical.h of 1.7.3, PR 8591).
	strayLeft categoryRule = iota
	// The same, and so do values at or beyond the bit set of the node, but to the
	// default child (1.6.0 to 1.7.2, issue 8573).
	strayDefault
	// The value is cut to an integer before it is judged: what is above -1 is
	// category 0 (1.3 to 1.5).
	castFirst
)

func (v version) categoryRule() categoryRule {
	switch {
	case v.before(1, 6, 0):
		return castFirst
	case v.before(1, 7, 3):
		return strayDefault
	}
	return strayLeft
}

// left returns the set of the values that go left at a node whose listed
// categories go right.
func (r categoryRule) left(listed []span, defaultLeft bool) ir.Set {
	right := make(ir.Set, 0, 2*len(listed)+2)
	for _, s := range listed {
		right = append(right, float64(s.begin), float64(s.end))
	}
	switch {
	case r == castFirst && right[0] == 0:
		right[0] = float64(math.Nextafter32(-1, 0))
	case r == strayDefault && !defaultLeft:
		// Left is what is in the bit set, which is in words of 32 bits, and not
		// listed there.
		last := listed[len(listed)-1].end
		capacity := float64((last + 31) / 32 * 32)
		if right[0] == 0 {
			right = right[1:]
		} else {
			right = append(ir.Set{0}, right...)
		}
		if right[len(right)-1] == capacity {
			return right[:len(right)-1]
		}
		return append(right, capacity)
	}
	return right.Complement()
}

// bind replaces the lists that nodes refer to by the sets of the values that go left.
func (s *listedSets) bind(trees []ir.Tree, rule categoryRule) []ir.Set {
	if len(s.lists) == 0 {
		return nil
	}
	type key struct {
		list        int32
		defaultLeft bool
	}
	var sets []ir.Set
	index := map[key]int32{}
	for t := range trees {
		for i := range trees[t].Nodes {
			n := &trees[t].Nodes[i]
			if n.IsLeaf() || n.Set == ir.NoSet {
				continue
			}
			k := key{n.Set, rule == strayDefault && n.DefaultLeft}
			set, ok := index[k]
			if !ok {
				set = int32(len(sets))
				index[k] = set
				sets = append(sets, rule.left(s.lists[n.Set], n.DefaultLeft))
			}
			n.Set = set
		}
	}
	return sets
}

// categoryNames is what the model file tells about the categories of a feature.
type categoryNames struct {
	names   []string
	garbled bool // they cannot be read
}

// readCategories reads the container that maps the categories of data frames to the
// codes that the trees test, from 3.1
// (dmlc/xgboost:src/data/cat_container.cc, CatContainer::Save). The code of a
// category is its place.
func (m *model) readCategories() error {
	return m.fieldsOf("cats", []field{{key: "enc", read: func() error {
		return m.array(func() error {
			c, err := m.readCategoryNames()
			m.categories = append(m.categories, c)
			return err
		})
	}}})
}

// readCategoryNames reads the categories of one feature: strings as their bytes and
// the offsets between them, or integers. Both are empty for other features.
func (m *model) readCategoryNames() (c categoryNames, err error) {
	var offsets, bytes []int32
	var numbers []string
	numeric := int64(-1)
	text := func() error {
		if numeric < 0 {
			bytes, err = m.ints(nil)
			return err
		}
		return m.strings(&numbers)()
	}
	// The type of integers stands before the values in what XGBoost writes. In
	// another order they are taken for bytes at first, which are integers as well.
	err = m.fieldsOf("the categories of a feature", []field{
		{key: "offsets", read: func() (err error) { offsets, err = m.ints(nil); return err }},
		{key: "type", read: func() (err error) { numeric, err = m.number("the type of categories", 0); return err }},
		{key: "values", read: text, required: true},
	})
	if err != nil {
		return c, err
	}
	if numeric < 0 {
		c.names, c.garbled = splitNames(offsets, bytes)
		return c, nil
	}
	for _, b := range bytes {
		numbers = append(numbers, strconv.Itoa(int(b)))
	}
	for i, s := range numbers {
		if numbers[i], err = unsigned(s, numeric); err != nil {
			return c, m.fail("category %.40q is no integer of type %d", s, numeric)
		}
	}
	c.names = numbers
	return c, nil
}

// unsigned returns an integer as the decimal text of its type. UBJSON has no wide
// unsigned types, so that XGBoost writes their bits as signed.
func unsigned(text string, kind int64) (string, error) {
	v, err := strconv.ParseInt(text, 10, 64)
	switch kind {
	case 9, 11, 13, 15: // int8, int16, int32, int64
		return text, err
	case 10:
		return strconv.Itoa(int(uint8(v))), err
	case 12:
		return strconv.Itoa(int(uint16(v))), err
	case 14:
		return strconv.FormatUint(uint64(uint32(v)), 10), err
	case 16:
		return strconv.FormatUint(uint64(v), 10), err
	}
	return "", fault.Formatf("unknown type")
}

// splitNames cuts the bytes of all names at the offsets. XGBoost up to 3.3 counts
// the offsets of pandas categories in characters, and cuts the bytes to that count
// (python-package/xgboost/_data_utils.py, pd_cat_inf), so that names with characters
// of several bytes are shifted. Not every shift makes names that are no UTF-8: see
// categoriesOf.
func splitNames(offsets, values []int32) (names []string, garbled bool) {
	if len(offsets) == 0 {
		return nil, len(values) > 0
	}
	text := make([]byte, len(values))
	for i, v := range values {
		if v < -128 || v > 255 {
			return nil, true
		}
		text[i] = byte(v) // int8 in UBJSON
	}
	if offsets[0] != 0 || int(offsets[len(offsets)-1]) != len(text) {
		return nil, true
	}
	names = make([]string, 0, len(offsets)-1)
	for i, begin := range offsets[:len(offsets)-1] {
		if offsets[i+1] < begin || int(offsets[i+1]) > len(text) {
			return nil, true
		}
		name := text[begin:offsets[i+1]]
		if !utf8.Valid(name) {
			return nil, true
		}
		names = append(names, string(name))
	}
	return names, false
}

// categoriesOf returns the names of the categories of a feature, and false if the
// file has names but they cannot be trusted.
func (m *model) categoriesOf(feature int) ([]string, bool) {
	if feature >= len(m.categories) {
		return nil, true
	}
	c := m.categories[feature]
	if c.garbled || m.version.before(3, 4, 0) && !isASCII(c.names) {
		return nil, false
	}
	return c.names, true
}

func isASCII(names []string) bool {
	for _, s := range names {
		for i := range len(s) {
			if s[i] >= utf8.RuneSelf {
				return false
			}
		}
	}
	return true
}
