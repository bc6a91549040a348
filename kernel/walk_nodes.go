package kernel

// walkPairs is the number of pairs of nodes in a cache line.
const walkPairs = line / 16

// A walkLayout gives the nodes of a group their indices.
//
// Two children of a node lie side by side, at an even index, so a step never has
// to know in which of two lines it ends. A line is filled from the top of a
// subtree with the heaviest nodes below it, and the next one continues with what
// is heaviest there: a walk meets few lines, and those of a subtree are close.
type walkLayout struct {
	even  bool
	nodes []walkNode
	ends  []walkEnd // of an even group: by leaf number; else by index, where there is a leaf
}

// A walkEnd is a leaf where walks of a group can end.
type walkEnd struct {
	tree *Tree // nil where no walk ends
	node *Node
}

// place adds the nodes of p below and including p.root. It returns the indices of
// root and of inner, a node of p.
func (l *walkLayout) place(p *walkPlan, inner int32) (root, innerAt uint32) {
	at := make([]uint32, len(p.nodes))
	if l.even && p.nodes[p.root].leaf >= 0 {
		root = l.end(p, p.root)
		return root, root
	}
	for len(l.nodes)%(2*walkPairs) != 0 {
		l.nodes = append(l.nodes, 0, 0)
	}
	at[p.root] = l.pair()
	for pending := []int32{p.root}; len(pending) > 0; {
		pending = l.line(p, at, pending)
	}
	return at[p.root], at[inner]
}

// line fills the present line. It takes the last of pending, which are nodes whose
// children have no place yet, and then what is below; what remains it leaves in
// pending.
func (l *walkLayout) line(p *walkPlan, at []uint32, pending []int32) []int32 {
	first := len(pending) - 1
	for room := walkPairs - len(l.nodes)/2%walkPairs; room > 0 && len(pending) > first; {
		i := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		q := &p.nodes[i]
		switch {
		case q.leaf >= 0:
			l.nodes[at[i]] = walkLeaf(at[i])
			l.endAt(p, i, at[i])
		case l.even && p.nodes[q.left].leaf >= 0:
			at[q.left] = l.end(p, q.left)
			if q.right >= 0 {
				l.end(p, q.right)
			}
			l.nodes[at[i]] = q.split(at[q.left])
		default:
			room--
			at[q.left] = l.pair()
			l.nodes[at[i]] = q.split(at[q.left])
			pending = p.insert(pending, first, q.left)
			if q.right >= 0 {
				at[q.right] = at[q.left] + 1
				pending = p.insert(pending, first, q.right)
			}
		}
	}
	return pending
}

// pair adds two nodes and returns the index of the first.
func (l *walkLayout) pair() uint32 {
	l.nodes = append(l.nodes, 0, 0)
	return uint32(len(l.nodes) - 2)
}

func (q *walkPlanned) split(left uint32) walkNode {
	if q.rank == 0 {
		return walkAlways(left)
	}
	return walkSplit(left, q.column, q.rank)
}

// insert inserts node i into list[first:], which ascends by weight.
func (p *walkPlan) insert(list []int32, first int, i int32) []int32 {
	list = append(list, i)
	for k := len(list) - 1; k > first && p.nodes[list[k]].weight < p.nodes[list[k-1]].weight; k-- {
		list[k], list[k-1] = list[k-1], list[k]
	}
	return list
}

// end gives leaf i of p the next leaf number.
func (l *walkLayout) end(p *walkPlan, i int32) uint32 {
	number := uint32(len(l.ends))
	l.endAt(p, i, number)
	return number
}

// endAt notes that a walk which ends at the given index has reached leaf i of p.
func (l *walkLayout) endAt(p *walkPlan, i int32, index uint32) {
	for len(l.ends) <= int(index) {
		l.ends = append(l.ends, walkEnd{})
	}
	l.ends[index] = walkEnd{p.t, &p.t.Nodes[p.nodes[i].leaf]}
}
