package pickle

import (
	"fmt"

	"hew/load/sklearn/internal/record"
)

// A memo holds the values that the pickle refers to again. Python counts entries up,
// and there is one for almost every value, so they lie in blocks.
type memo struct {
	blocks [][]record.Value
	n      int
	sparse map[uint64]record.Value // entries that are not in order
}

const memoBlock = 1 << 10

// len returns the number of entries, as the instruction MEMOIZE counts them.
func (m *memo) len() uint64 { return uint64(m.n + len(m.sparse)) }

func (m *memo) get(i uint64) (record.Value, bool) {
	if i < uint64(m.n) {
		return m.blocks[i/memoBlock][i%memoBlock], true
	}
	v, ok := m.sparse[i]
	return v, ok
}

func (m *memo) put(i uint64, v record.Value) {
	switch {
	case i < uint64(m.n):
		m.blocks[i/memoBlock][i%memoBlock] = v
	case i == uint64(m.n):
		if m.n%memoBlock == 0 {
			m.blocks = append(m.blocks, make([]record.Value, 0, memoBlock))
		}
		last := &m.blocks[len(m.blocks)-1]
		*last = append(*last, v)
		m.n++
	default:
		if m.sparse == nil {
			m.sparse = map[uint64]record.Value{}
		}
		m.sparse[i] = v
	}
}

// put stores the top of the stack in the memo.
func (p *parser) put(i uint64) error {
	v, err := p.top()
	if err != nil {
		return err
	}
	p.memo.put(i, v)
	return p.spend(1)
}

// get pushes an entry of the memo.
func (p *parser) get(i uint64) error {
	v, ok := p.memo.get(i)
	if !ok {
		return fmt.Errorf("memo entry %d does not exist", i)
	}
	return p.push(v)
}
