package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"hew/load/internal/fault"
	"hew/load/sklearn/internal/record"
)

const opStop = '.'

// step executes one instruction.
func (p *parser) step(op byte) error {
	if p.protocol == 0 && binaryOps[op] {
		p.protocol = 1
	}
	switch op {
	case 0x80: // PROTO
		return p.proto()
	case 0x95: // FRAME, a hint for readers of streams
		return p.frame()
	case '(': // MARK
		return p.mark()
	case '0': // POP
		return p.drop()
	case '1': // POP_MARK
		_, err := p.popMark()
		return err
	case '2': // DUP
		v, err := p.top()
		if err != nil {
			return err
		}
		return p.push(v)
	case 'p', 'q', 'r', 0x94: // PUT, BINPUT, LONG_BINPUT, MEMOIZE
		return p.store(op)
	case 'g', 'h', 'j': // GET, BINGET, LONG_BINGET
		i, err := p.index(op)
		if err != nil {
			return err
		}
		return p.get(i)
	case 'N': // NONE
		return p.push(nil)
	case 0x88, 0x89: // NEWTRUE, NEWFALSE
		return p.push(op == 0x88)
	case 'K', 'M', 'J', 'I', 'L', 0x8a, 0x8b, 'G', 'F':
		return p.number(op)
	case 'U', 'T', 'S', 'V', 'X', 0x8c, 0x8d, 'C', 'B', 0x8e, 0x96:
		return p.text(op)
	case ')', 't', 0x85, 0x86, 0x87, ']', 'l', 0x8f, 0x91, '}', 'd', 'a', 'e', 's', 'u', 0x90:
		return p.container(op)
	case 'c', 0x93, 'R', 0x81, 0x92, 'b':
		return p.object(op)
	}
	if why := refused[op]; why != "" {
		return fault.Unsupportedf("%s", why)
	}
	return fmt.Errorf("%#02x is no instruction of a pickle", op)
}

// refused says why an instruction is not executed.
var refused = map[byte]string{
	'i':  "instruction INST, which creates an object of Python 2, is not supported; write the model again with a pickle protocol of 2 or later",
	'o':  "instruction OBJ, which creates an object of Python 2, is not supported; write the model again with a pickle protocol of 2 or later",
	'P':  "instruction PERSID refers to an object outside of the file",
	'Q':  "instruction BINPERSID refers to an object outside of the file",
	0x82: "instruction EXT1 refers to a registry outside of the file",
	0x83: "instruction EXT2 refers to a registry outside of the file",
	0x84: "instruction EXT4 refers to a registry outside of the file",
	0x97: "instruction NEXT_BUFFER refers to a buffer outside of the file; write the model without a buffer_callback",
	0x98: "instruction READONLY_BUFFER refers to a buffer outside of the file; write the model without a buffer_callback",
}

// binaryOps are the instructions that protocol 0 does not have; later protocols say
// their number.
var binaryOps = func() (set [256]bool) {
	for _, op := range []byte("qrhjKMJGUTX)]}eu1") {
		set[op] = true
	}
	return set
}()

func (p *parser) proto() error {
	n, err := p.uint(1)
	if err == nil && n > 5 {
		return fault.Unsupportedf("pickle protocol %d is not supported; write the model with protocol 5 or earlier", n)
	}
	p.protocol = int(n)
	return err
}

func (p *parser) frame() error {
	n, err := p.uint(8)
	if err == nil && n > uint64(len(p.data)-p.pos) {
		return errShort
	}
	return err
}

// drop removes the top of the stack, which may be a mark.
func (p *parser) drop() error {
	if len(p.marks) > 0 && len(p.stack) == p.floor() {
		_, err := p.popMark()
		return err
	}
	_, err := p.pop()
	return err
}

// index reads the index of a memo entry.
func (p *parser) index(op byte) (uint64, error) {
	switch op {
	case 'q', 'h':
		return p.uint(1)
	case 'r', 'j':
		return p.uint(4)
	}
	return p.decimal()
}

func (p *parser) store(op byte) error {
	if op == 0x94 {
		return p.put(p.memo.len())
	}
	i, err := p.index(op)
	if err != nil {
		return err
	}
	return p.put(i)
}

// number pushes a number.
func (p *parser) number(op byte) error {
	var v record.Value
	var n uint64
	var err error
	switch op {
	case 'K', 'M': // BININT1, BININT2
		n, err = p.uint(int(op-'K')/2 + 1)
		v = int64(n)
	case 'J': // BININT
		n, err = p.uint(4)
		v = int64(int32(n))
	case 0x8a, 0x8b: // LONG1, LONG4
		v, err = p.long(op)
	case 'G': // BINFLOAT
		var b []byte
		if b, err = p.take(8); err == nil {
			v = math.Float64frombits(binary.BigEndian.Uint64(b))
		}
	case 'I', 'L': // INT, LONG
		v, err = p.textInt(op)
	case 'F': // FLOAT
		v, err = p.textFloat()
	}
	if err != nil {
		return err
	}
	return p.push(v)
}

// text pushes text or bytes.
func (p *parser) text(op byte) error {
	var v record.Value
	var b []byte
	var err error
	switch op {
	case 'X': // BINUNICODE
		v, err = p.unicode(4)
	case 0x8c: // SHORT_BINUNICODE
		v, err = p.unicode(1)
	case 0x8d: // BINUNICODE8
		v, err = p.unicode(8)
	case 'C': // SHORT_BINBYTES
		b, err = p.counted(1)
		v = b
	case 'B': // BINBYTES
		b, err = p.counted(4)
		v = b
	case 0x8e, 0x96: // BINBYTES8, BYTEARRAY8
		b, err = p.counted(8)
		v = b
	case 'U': // SHORT_BINSTRING
		b, err = p.counted(1)
		v = oldString(b)
	case 'T': // BINSTRING
		b, err = p.counted(4)
		v = oldString(b)
	case 'S': // STRING
		v, err = p.textString()
	case 'V': // UNICODE
		v, err = p.textUnicode()
	}
	if err != nil {
		return err
	}
	return p.push(v)
}

// container pushes a container or fills one.
func (p *parser) container(op byte) error {
	switch op {
	case ')': // EMPTY_TUPLE
		return p.push(&record.List{Kind: "tuple"})
	case ']': // EMPTY_LIST
		return p.push(&record.List{Kind: "list"})
	case 0x8f: // EMPTY_SET
		return p.push(&record.List{Kind: "set"})
	case '}': // EMPTY_DICT
		return p.push(&record.Dict{})
	case 0x85, 0x86, 0x87: // TUPLE1, TUPLE2, TUPLE3
		return p.tuple(int(op) - 0x84)
	case 't': // TUPLE
		return p.list("tuple")
	case 'l': // LIST
		return p.list("list")
	case 0x91: // FROZENSET
		return p.list("frozenset")
	case 'a': // APPEND
		v, err := p.pop()
		if err != nil {
			return err
		}
		return p.extend("list", v)
	case 'e', 0x90: // APPENDS, ADDITEMS
		items, err := p.popMark()
		if err != nil {
			return err
		}
		if op == 0x90 {
			return p.extend("set", items...)
		}
		return p.extend("list", items...)
	case 's': // SETITEM
		return p.setItem()
	case 'u': // SETITEMS
		items, err := p.popMark()
		if err != nil {
			return err
		}
		return p.setItems(items)
	}
	items, err := p.popMark() // DICT
	if err != nil {
		return err
	}
	items = append([]record.Value(nil), items...)
	if err := p.push(&record.Dict{}); err != nil {
		return err
	}
	return p.setItems(items)
}

// tuple replaces n values by a tuple of them.
func (p *parser) tuple(n int) error {
	start := len(p.stack) - n
	if start < p.floor() {
		return errUnderflow
	}
	items := append([]record.Value(nil), p.stack[start:]...)
	p.stack = p.stack[:start]
	return p.push(&record.List{Items: items, Kind: "tuple"})
}

// list replaces the values above the mark by a list of them.
func (p *parser) list(kind string) error {
	items, err := p.popMark()
	if err != nil {
		return err
	}
	return p.push(&record.List{Items: append([]record.Value(nil), items...), Kind: kind})
}

// extend appends to the list or the set on the top of the stack, or to an object of
// a subclass of list.
func (p *parser) extend(kind string, items ...record.Value) error {
	v, err := p.top()
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *record.List:
		if v.Kind == kind {
			v.Items = append(v.Items, items...)
			return nil
		}
	case *record.Object:
		v.Items = append(v.Items, items...)
		return nil
	}
	return fmt.Errorf("items are added to something that is no %s", kind)
}

func (p *parser) setItem() error {
	start := len(p.stack) - 2
	if start < p.floor() {
		return errUnderflow
	}
	items := p.stack[start:]
	p.stack = p.stack[:start]
	return p.setItems(items)
}

// setItems sets keys and values, in turns, in the dict on the top of the stack or in
// an object of a subclass of dict.
func (p *parser) setItems(items []record.Value) error {
	v, err := p.top()
	if err != nil {
		return err
	}
	var d *record.Dict
	switch v := v.(type) {
	case *record.Dict:
		d = v
	case *record.Object:
		if v.Entries == nil {
			v.Entries = &record.Dict{}
		}
		d = v.Entries
	default:
		return errors.New("items are set in something that is no dict")
	}
	if len(items)%2 != 0 {
		return errors.New("a dict has a key without a value")
	}
	if d.Keys == nil { // mostly all of them come at once
		n := len(items) / 2
		both := make([]record.Value, 2*n)
		d.Keys, d.Values = both[:0:n], both[n:n]
	}
	for i := 0; i < len(items); i += 2 {
		d.Set(items[i], items[i+1])
	}
	return nil
}
