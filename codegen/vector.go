package codegen

import (
	"encoding/binary"
	"fmt"
	"math"

	"hew/ir"
	"hew/predict"
)

// A vectorTable holds the leaf vectors of all trees, those of the same bits once.
type vectorTable struct {
	values []float64        // row by row
	rows   [][]int32        // of each tree, where its vectors are
	width  int              // of a row
	known  map[string]int32 // rows by their bits
}

func newVectorTable(e *ir.Ensemble) *vectorTable {
	v := &vectorTable{rows: make([][]int32, len(e.Trees)), width: e.Outputs, known: map[string]int32{}}
	for i, body := range bodies(e) {
		if body != i {
			v.rows[i] = v.rows[body]
			continue
		}
		all := e.Trees[i].Vectors
		for at := 0; at < len(all); at += v.width {
			v.rows[i] = append(v.rows[i], v.add(all[at:at+v.width]))
		}
	}
	return v
}

// add returns the row of a vector, which it appends unless there is one of its bits.
func (v *vectorTable) add(vector []float64) int32 {
	key := make([]byte, 0, 64)
	for _, x := range vector {
		key = binary.LittleEndian.AppendUint64(key, math.Float64bits(x))
	}
	row, ok := v.known[string(key)]
	if !ok {
		row = int32(len(v.values) / v.width)
		v.known[string(key)] = row
		v.values = append(v.values, vector...)
	}
	return row
}

// row returns the row of the vector of a leaf.
func (v *vectorTable) row(tree int, n *ir.Node) int32 { return v.rows[tree][n.Vector] }

// vectorFiles returns the leaf vectors: vector.bin and the code that adds one.
func (t *treePrinter) vectorFiles() ([]File, error) {
	data := predict.MakeValues(predict.Type(t.e.Sum.String()), len(t.vectors.values))
	for i, v := range t.vectors.values {
		data.Set(i, v)
	}
	f := t.newFile()
	f.Anon("embed")
	f.Add(t.code(fmt.Sprintf(`// vectorData holds the leaf vectors, rows of NumMargins values.
//
//go:embed vector.bin
var vectorData []byte

// addVector adds a row of vectorData to the margins m of a row.
func addVector(m []$out, row int32) {
	v := vectorData[int(row)*%[1]d*NumMargins:][:%[1]d*NumMargins]
	for k := range NumMargins {
		m[k] += @math.$Foutfrombits(@encoding/binary.LittleEndian.Uint%[2]d(v[%[1]d*k:]))
	}
}
`, size(t.e.Sum), 8*size(t.e.Sum))))
	file, err := render("vector.go", f)
	return []File{file, {"vector.bin", values(data)}}, err
}

// size returns the bytes of a number of type p.
func size(p ir.Precision) int {
	if p == ir.Double {
		return 8
	}
	return 4
}
