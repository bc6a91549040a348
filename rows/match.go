package rows

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hew/internal/nearest"
	"hew/predict"
)

// dropped marks a column of a file that is left out.
const dropped = -1

// match finds the feature that each named column of a file holds, or dropped,
// and gives the features. Every one of them is held by exactly one column.
//
// If no name is known but their number is right, and the model has only the
// names that XGBoost makes up (f0, f1, …), columns are taken by position.
// Without o.Features every column that is not dropped is a feature.
func match(header []string, o Options) (places []int, features []predict.Feature, err error) {
	names := featureNames(o, header)
	n := len(names) - o.Extra
	for _, name := range names[n:] {
		if !slices.Contains(header, name) {
			return nil, nil, fmt.Errorf("there is no column %s%s", quote(name), nearest.Hint(name, header))
		}
	}
	if o.Drop = slices.Concat(o.Drop, names[n:]); positional(header, names[:n], o) {
		names = slices.Concat(keep(header, o.Drop), names[n:])
	}
	o.Drop = o.Drop[:len(o.Drop)-o.Extra]
	index := make(map[string]int, len(names))
	for i, name := range names {
		index[name] = i
	}
	places = make([]int, len(header))
	found := make([]bool, len(names))
	for i, name := range header {
		f, known := index[name]
		switch {
		case slices.Contains(o.Drop, name):
			places[i] = dropped
			continue
		case !known:
			return nil, nil, unknownColumn(header, name, names[:n], o.Extra > 0)
		case found[f]:
			return nil, nil, fmt.Errorf("column %s stands there twice", quote(name))
		}
		places[i] = f
		found[f] = true
	}
	if err := allFound(names, found); err != nil {
		return nil, nil, err
	}
	if o.Features == nil {
		return places, plain(names), nil
	}
	return places, o.Features, nil
}

// byPosition gives the features for a file of n columns without names.
func byPosition(n int, o Options) ([]predict.Feature, error) {
	if o.Features == nil {
		names := make([]string, n)
		for i := range names {
			names[i] = "f" + strconv.Itoa(i)
		}
		return plain(names), nil
	}
	if n != len(o.Features) {
		text := fmt.Sprintf("%s, the model has %s", count(n, "column"), count(len(o.Features)-o.Extra, "feature"))
		if o.Extra > 0 {
			text += fmt.Sprintf(", behind which %s should stand", count(o.Extra, "other column"))
		}
		return nil, errors.New(text)
	}
	return o.Features, nil
}

// inOrder places n columns as they stand.
func inOrder(n int) []int {
	places := make([]int, n)
	for i := range places {
		places[i] = i
	}
	return places
}

// plain makes features that are numbers.
func plain(names []string) []predict.Feature {
	features := make([]predict.Feature, len(names))
	for i, name := range names {
		features[i] = predict.Feature{Name: name, Type: "float"}
	}
	return features
}

// featureNames are the names that the columns of a file should have.
func featureNames(o Options, header []string) []string {
	if o.Features == nil {
		return keep(header, o.Drop)
	}
	names := make([]string, len(o.Features))
	for i, f := range o.Features {
		names[i] = f.Name
	}
	return names
}

// keep is the header without the columns to leave out.
func keep(header, drop []string) []string {
	return slices.DeleteFunc(slices.Clone(header), func(name string) bool { return slices.Contains(drop, name) })
}

// positional reports whether the columns of a file are those of a model that
// was trained without names.
func positional(header, names []string, o Options) bool {
	kept := keep(header, o.Drop)
	if len(kept) != len(names) || looksLikeValues(kept) {
		return false
	}
	madeUp := make(map[string]bool, len(names))
	for i, name := range names {
		if name != "f"+strconv.Itoa(i) {
			return false
		}
		madeUp[name] = true
	}
	return !slices.ContainsFunc(kept, func(name string) bool { return madeUp[name] })
}

// looksLikeValues reports whether a header is rather the first row of a file
// without one. The numbers 0, 1, 2, … are how pandas names columns.
func looksLikeValues(header []string) bool {
	counted := true
	for i, name := range header {
		if _, ok := parseNumber(name, 64); !ok && !missingCells[name] {
			return false
		}
		counted = counted && name == strconv.Itoa(i)
	}
	return !counted
}

func unknownColumn(header []string, name string, names []string, labelled bool) error {
	if looksLikeValues(header) {
		return errors.New("the first line holds values, not the names of the columns: say that there is no header")
	}
	if hint := nearest.Hint(name, names); hint != "" {
		return fmt.Errorf("column %s is not a feature of the model%s", quote(name), hint)
	}
	if labelled {
		return fmt.Errorf("column %s is neither a feature of the model nor named as that of labels, weights or queries", quote(name))
	}
	return fmt.Errorf("column %s is not a feature of the model; drop it by name if it should be left out", quote(name))
}

// allFound reports the features that have no column.
func allFound(names []string, found []bool) error {
	const most = 3
	var absent []string
	count := 0
	for i, ok := range found {
		if !ok {
			if count++; count <= most {
				absent = append(absent, quote(names[i]))
			}
		}
	}
	switch {
	case count == 0:
		return nil
	case count > most:
		return fmt.Errorf("no column for the features %s and %d more", strings.Join(absent, ", "), count-most)
	case count > 1:
		return fmt.Errorf("no column for the features %s", strings.Join(absent, ", "))
	}
	return fmt.Errorf("no column for the feature %s", absent[0])
}

// count is a number of things, as in "1 row" and "2 rows".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}
