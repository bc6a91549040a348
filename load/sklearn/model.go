package sklearn

import (
	"fmt"
	"strconv"

	"hew/ir"
	"hew/load/internal/fault"
)

// A model is an ensemble that is being read.
type model struct {
	e      *ir.Ensemble
	single bool // rows are float32, not float64
	codes  []map[string]float64
	named  bool             // features have names of the file
	closed []bool           // features of which an encoder takes no unknown text
	read   []bool           // features that something looks at
	index  map[string]int32 // of columns of e, by what they compute
	spans  []span           // of the trees of e
	sets   map[string]int32 // of e, by text
}

// newModel returns a model over n features of the given names; names may be nil.
func newModel(n int, names []string, single bool) *model {
	e := &ir.Ensemble{Sum: ir.Double, Input: ir.Double, BestRound: -1, Features: make([]ir.Feature, n)}
	if single {
		e.Input = ir.Single
	}
	for j := range e.Features {
		e.Features[j].Name = "f" + strconv.Itoa(j)
		if names != nil {
			e.Features[j].Name = names[j]
		}
	}
	return &model{e: e, single: single, named: names != nil, codes: make([]map[string]float64, n), closed: make([]bool, n), read: make([]bool, n),
		index: map[string]int32{}, sets: map[string]int32{}}
}

// A column is a column of the table that a step of a pipeline sees.
type column struct {
	ir.Column
	name   string // as scikit-learn names it; "" if it has none
	single bool   // its dtype is float32: arithmetic happens in that type
	small  bool   // its dtype is bool or a small integer, which beside float32 becomes that, and alone float64
	sparse bool   // it belongs to a sparse matrix
}

// raw returns the columns of the rows themselves. scikit-learn calls those of an
// array x0, x1 and so on.
func (m *model) raw() []column {
	columns := make([]column, len(m.e.Features))
	for j := range columns {
		columns[j] = column{Column: ir.Column{Feature: int32(j)}, name: "x" + strconv.Itoa(j), single: m.single}
		if m.named {
			columns[j].name = m.e.Features[j].Name
		}
	}
	return columns
}

// code returns the code of a category's text, which becomes one of the feature's
// categories if it is none yet.
func (m *model) code(feature int32, text string) float64 {
	f := &m.e.Features[feature]
	f.Type = ir.Categorical
	f.Refuses |= ir.NoCode // the codes are ours, a row cannot have others
	if m.codes[feature] == nil {
		m.codes[feature] = map[string]float64{}
	}
	c, ok := m.codes[feature][text]
	if !ok {
		c = float64(len(f.Categories))
		m.codes[feature][text] = c
		f.Categories = append(f.Categories, text)
	}
	return c
}

// use returns the index of c among the columns of the ensemble. What compares
// float32 values, as trees do, says so by rounded.
func (m *model) use(c column, rounded bool) (int32, error) {
	ops := c.Ops
	if err := m.wantNumbers(c); err != nil {
		return 0, err
	}
	if m.single && !rounded && !m.fitsSingle(c) {
		return 0, fault.Unsupportedf("column %q is float64 although the rows are float32; read the model with float64 rows", c.name)
	}
	if rounded && !c.single {
		ops = append(ops[:len(ops):len(ops)], ir.Op{Code: ir.OpRound})
	}
	key := fmt.Sprintf("%d %v", c.Feature, ops)
	i, ok := m.index[key]
	if !ok {
		i = int32(len(m.e.Columns))
		m.index[key] = i
		m.e.Columns = append(m.e.Columns, ir.Column{Feature: c.Feature, Ops: ops})
	}
	return i, nil
}

// wantNumbers reports a column that holds text where a model computes.
func (m *model) wantNumbers(c column) error {
	if m.isText(c) {
		return fault.Unsupportedf("column %q holds text that no step of the pipeline turns into numbers", c.name)
	}
	return nil
}
