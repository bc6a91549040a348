package codegen

// vectorFiles returns the leaf vectors: vector.bin and the code that adds one.
func (p *printer) vectorFiles() ([]File, error) {
	var data []float32
	for i := range p.e.Trees {
		for _, v := range p.e.Trees[i].Vectors {
			data = append(data, float32(v))
		}
	}
	f := p.newFile()
	f.Anon("embed")
	f.Add(code(`// vectorData holds the leaf vectors, rows of NumMargins values.
//
//go:embed vector.bin
var vectorData []byte

// addVector adds a row of vectorData to the margins m of a row.
func addVector(m []float32, row int32) {
	v := vectorData[int(row)*4*NumMargins:][:4*NumMargins]
	for k := range NumMargins {
		m[k] += @math.Float32frombits(@encoding/binary.LittleEndian.Uint32(v[4*k:]))
	}
}
`))
	file, err := render("vector.go", f)
	return []File{file, {"vector.bin", words(data)}}, err
}
