package score

import (
	"strconv"

	"hew/predict"
	"hew/rows"
)

// shape is that of w values per row: a column, or a matrix if there are several.
func (s *scorer) shape(w int) []int {
	if w == 1 {
		return []int{s.n}
	}
	return []int{s.n, w}
}

// shaped returns values as a column, or as a matrix if they have several columns.
func (s *scorer) shaped(v predict.Values, names []string) rows.Output {
	return rows.Output{Columns: names, Shape: s.shape(len(names)), Float32: v.F32, Float64: v.F64}
}

// after returns the name of an output for each class, "proba_yes".
func after(output string, classes []string) []string {
	if len(classes) == 1 {
		return []string{output}
	}
	names := make([]string, len(classes))
	for k, class := range classes {
		names[k] = output + "_" + class
	}
	return names
}

// numbered returns the name of an output for each of its columns, "margin_0".
func numbered(output string, width int) []string {
	if width == 1 {
		return []string{output}
	}
	names := make([]string, width)
	for k := range names {
		names[k] = output + "_" + strconv.Itoa(k)
	}
	return names
}

func treeNames(trees int) []string {
	names := make([]string, trees)
	for i := range names {
		names[i] = "tree_" + strconv.Itoa(i)
	}
	return names
}

func wideOf(v []int32) []int64 {
	wide := make([]int64, len(v))
	for i, n := range v {
		wide[i] = int64(n)
	}
	return wide
}
