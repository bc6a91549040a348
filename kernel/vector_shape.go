//go:build amd64 && !purego

package kernel

// vectorShapes numbers the shapes of the pieces of a model. There are 132 binary
// trees of six nodes.
type vectorShapes struct {
	numbers map[uint16]byte
	exits   []byte // for each shape and all decisions, bit i being that of node i
}

const shapedDecisions = 1 << shapedNodes

func newVectorShapes() *vectorShapes { return &vectorShapes{numbers: map[uint16]byte{}} }

// number returns the number of a shape.
func (s *vectorShapes) number(shape uint16) byte {
	n, ok := s.numbers[shape]
	if !ok {
		n = byte(len(s.numbers))
		s.numbers[shape] = n
		p := shapeParser{shape: shape, left: shapedNodes + shapedNodes + 1}
		root := p.parse()
		for decisions := range shapedDecisions {
			s.exits = append(s.exits, p.exit(root, decisions))
		}
	}
	return n
}

// table returns the exits of all shapes that have a number.
func (s *vectorShapes) table() []byte {
	t := aligned[byte](max(len(s.exits), line))
	copy(t, s.exits)
	return t
}

// fullExits are the exits of a full block by its decisions.
func fullExits() []byte {
	const full = 0b1_1_100_100_1_100_100
	p := shapeParser{shape: full, left: 15}
	root := p.parse()
	t := aligned[byte](256)
	for decisions := range t {
		t[decisions] = p.exit(root, decisions)
	}
	return t
}

// A shapeParser reads a shape, from its highest bit on.
type shapeParser struct {
	shape    uint16
	left     int // bits that are not read
	exits    int // that were read
	children [][2]int
}

// parse reads a node or an exit; exit e is ^e.
func (p *shapeParser) parse() int {
	p.left--
	if p.shape>>p.left&1 == 0 {
		p.exits++
		return ^(p.exits - 1)
	}
	i := len(p.children)
	p.children = append(p.children, [2]int{})
	left := p.parse()
	right := p.parse()
	p.children[i] = [2]int{left, right}
	return i
}

func (p *shapeParser) exit(i, decisions int) byte {
	for i >= 0 {
		i = p.children[i][decisions>>i&1]
	}
	return byte(^i)
}
