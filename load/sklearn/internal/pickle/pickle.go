// Package pickle reads Python's pickles, and what joblib writes, into records.
//
// A pickle is a program for a machine with a stack, a memo and one dangerous
// instruction: call this function with these arguments. Here nothing is called.
// Every name of a class or a function is shown to the caller's allow function
// before it becomes a value; a call of it becomes a record of the call. The few
// calls that build plain data (arrays, dtypes, sets, bytes) are understood and give
// that data.
//
// Arrays and bytes are views of the file. What a file merely claims to hold is
// compared with the bytes that are there before anything is allocated.
//
// Sources: python/cpython:Lib/pickle.py and Lib/pickletools.py,
// joblib/joblib:joblib/numpy_pickle.py.
package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

// Limits of what a pickle may do, far above what models need.
const (
	maxValues = 1 << 24 // values that are pushed, and entries of the memo
	maxStack  = 1 << 23 // values on the stack
	maxMarks  = 1000    // containers that are being filled, one in the other
	maxNested = 8       // pickles in a pickle, which joblib has for arrays of objects
	maxLong   = 4096    // bytes of an integer
	maxName   = 256     // bytes of the name of a module, a class or a function
)

// A Pickle is the value in a pickle and how it was written.
type Pickle struct {
	Value    record.Value
	Protocol int
	Joblib   bool // arrays lie between the instructions
}

// String names the kind of pickle, such as "pickle protocol 4" or "joblib".
func (p *Pickle) String() string {
	if p.Joblib {
		return "joblib"
	}
	return "pickle protocol " + strconv.Itoa(p.Protocol)
}

// Read reads the pickle at the start of data; like Python it does not look at what
// follows. Classes and functions that allow does not know, by the names that
// record.Named gives, are an error. The value has passed record.Check and refers
// to data.
func Read(data []byte, allow func(module, name string) bool) (*Pickle, error) {
	return read(data, allow, maxValues)
}

func read(data []byte, allow func(module, name string) bool, values int) (*Pickle, error) {
	p := &parser{data: data, allow: allow, budget: &budget{values, len(data)}, arrays: true, fresh: map[*record.DType]bool{}}
	v, err := p.run()
	if err != nil {
		return nil, err
	}
	if err := record.Check(v); err != nil {
		return nil, fault.Formatf("%v", err)
	}
	return &Pickle{v, p.protocol, p.joblib}, nil
}

// A parser is the machine that runs a pickle.
type parser struct {
	data  []byte
	pos   int
	allow func(module, name string) bool

	stack []record.Value
	marks []int // where in the stack the containers begin
	memo  memo
	*budget

	fresh  map[*record.DType]bool // that nothing refers to but the stack and the memo
	nested int                    // pickles around this one
	arrays bool                   // arrays may lie between the instructions

	protocol int
	joblib   bool
}

// A budget is what a pickle and those inside of it may still make.
type budget struct {
	values  int
	decoded int // bytes that are decoded from text; all of the file's at most
}

var errShort = errors.New("the file ends in the middle of the pickle")

// run executes instructions up to STOP.
func (p *parser) run() (record.Value, error) {
	for {
		at := p.pos
		if p.pos == len(p.data) {
			return nil, p.fail(at, errShort)
		}
		op := p.data[p.pos]
		p.pos++
		if op == opStop {
			v, err := p.pop()
			if err != nil {
				return nil, p.fail(at, err)
			}
			return v, nil
		}
		if err := p.step(op); err != nil {
			return nil, p.fail(at, err)
		}
	}
}

// fail returns err as an error at an offset; an error that has one keeps it.
func (p *parser) fail(at int, err error) error {
	var e *fault.Error
	switch {
	case errors.As(err, &e):
		return err
	case !errors.Is(err, fault.ErrUnsupported):
		err = fault.Formatf("%v", err)
	}
	return fault.At(int64(at), err)
}

// take returns the next n bytes.
func (p *parser) take(n uint64) ([]byte, error) {
	if n > uint64(len(p.data)-p.pos) {
		return nil, errShort
	}
	b := p.data[p.pos : p.pos+int(n) : p.pos+int(n)]
	p.pos += int(n)
	return b, nil
}

// uint reads an integer of n bytes.
func (p *parser) uint(n int) (uint64, error) {
	b, err := p.take(uint64(n))
	if err != nil {
		return 0, err
	}
	var whole [8]byte
	copy(whole[:], b)
	return binary.LittleEndian.Uint64(whole[:]), nil
}

// counted returns the bytes behind their number, which takes n bytes.
func (p *parser) counted(n int) ([]byte, error) {
	length, err := p.uint(n)
	if err != nil {
		return nil, err
	}
	return p.take(length)
}

// floor returns where the container begins that is being filled.
func (p *parser) floor() int {
	if len(p.marks) == 0 {
		return 0
	}
	return p.marks[len(p.marks)-1]
}

// spend takes n values from what the pickle may make.
func (p *parser) spend(n int) error {
	if p.values -= n; p.values < 0 {
		return errors.New("a pickle of so many values is not supported")
	}
	return nil
}

// spendBytes takes n bytes from those that may be decoded, before they are.
func (p *parser) spendBytes(n int) error {
	if p.decoded -= n; p.decoded < 0 {
		return errors.New("the same text is decoded again and again")
	}
	return nil
}

func (p *parser) push(v record.Value) error {
	if len(p.stack) == maxStack {
		return fmt.Errorf("a pickle that needs a stack of more than %d values is not supported", maxStack)
	}
	p.stack = append(p.stack, v)
	return p.spend(1)
}

var errUnderflow = errors.New("an instruction of the pickle has no operand")

func (p *parser) pop() (record.Value, error) {
	top := len(p.stack) - 1
	if top < p.floor() {
		return nil, errUnderflow
	}
	v := p.stack[top]
	p.stack[top] = nil
	p.stack = p.stack[:top]
	return v, nil
}

// top returns the value that an instruction modifies.
func (p *parser) top() (record.Value, error) {
	if len(p.stack) <= p.floor() {
		return nil, errUnderflow
	}
	return p.stack[len(p.stack)-1], nil
}

func (p *parser) mark() error {
	if len(p.marks) == maxMarks {
		return fmt.Errorf("values are nested more than %d deep", maxMarks)
	}
	p.marks = append(p.marks, len(p.stack))
	return nil
}

// popMark returns the values above the mark; they are valid until the next push.
func (p *parser) popMark() ([]record.Value, error) {
	if len(p.marks) == 0 {
		return nil, errors.New("an instruction of the pickle needs a mark")
	}
	floor := p.floor()
	items := p.stack[floor:]
	p.stack = p.stack[:floor]
	p.marks = p.marks[:len(p.marks)-1]
	return items, nil
}
