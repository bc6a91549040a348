package compile

// Tables returns the size of what g evaluates: trees, nodes and leaves after the exact
// passes, the bytes of the tables, and the number of columns of bytes that a row is
// ranked into, which is 0 for engine interp.
func (g *Engine) Tables() (s Size, columns int) {
	if g.tables == nil {
		return SizeOf(g.e), 0
	}
	s = Size{Trees: len(g.tables.Trees), Bytes: int64(len(g.tables.Encode()))}
	for i := range g.tables.Trees {
		nodes := len(g.tables.Trees[i].Nodes)
		s.Nodes += nodes
		s.Leaves += (nodes + 1) / 2
	}
	return s, len(g.tables.Columns)
}
