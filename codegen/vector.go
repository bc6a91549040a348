package codegen

import (
	"fmt"

	"hew/ir"
	"hew/predict"
)

// vectorFiles returns the leaf vectors: vector.bin and the code that adds one.
func (p *printer) vectorFiles() ([]File, error) {
	n := 0
	for i := range p.e.Trees {
		n += len(p.e.Trees[i].Vectors)
	}
	data := predict.MakeValues(predict.Type(p.e.Sum.String()), n)
	n = 0
	for i := range p.e.Trees {
		for _, v := range p.e.Trees[i].Vectors {
			data.Set(n, v)
			n++
		}
	}
	f := p.newFile()
	f.Anon("embed")
	f.Add(p.code(fmt.Sprintf(`// vectorData holds the leaf vectors, rows of NumMargins values.
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
`, size(p.e.Sum), 8*size(p.e.Sum))))
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
