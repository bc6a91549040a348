package worker

import (
	"encoding/binary"
	"fmt"
	"io"

	"hew/predict"
)

// A program that serves greets with banner, then answers each request with one
// response. Both are frames: the length of the payload, two more numbers, and
// the payload, numbers little-endian. In a request the two are the operation and
// the model; in a response they are the status and 0. A response that is not ok
// carries the text of an error.
//
// Rows are of the type that the model takes, as the operation says again; margins,
// predictions and answers are of the type that it gives.
const banner = "hew worker 2\n"

// The operations, with request → response payloads.
const (
	opInfo    = iota // nothing → models as JSON
	opRows           // rows to measure with → nothing
	opPredict        // rows → predictions
	opMargin         // rows → margins
	opLeaf           // rows → leaf numbers
	opMeasure        // order → sample
	opAnswer         // number of the answer, margins, rows → answers
)

// What is added to an operation on rows.
const (
	opSingly = 1 << 8 // each row is to be scored by a call of its own
	opDouble = 1 << 9 // the rows are float64, otherwise float32
)

const (
	statusOK = iota
	statusError
)

// maxPayload bounds a frame, so that a stream which is none of ours is an error
// and no allocation of gigabytes.
const maxPayload = 1 << 30

// An order is the payload of a request to measure: a measure.Spec and the
// nanoseconds to spend.
type order struct{ Batch, Threads, Nanos int64 }

type header struct{ Length, First, Second uint32 }

func writeFrame(w io.Writer, first, second uint32, payload []byte) error {
	if len(payload) > maxPayload {
		return fmt.Errorf("%d bytes in one message, at most %d fit; use fewer rows", len(payload), maxPayload)
	}
	if err := binary.Write(w, binary.LittleEndian, header{uint32(len(payload)), first, second}); err != nil {
		return err
	}
	_, err := w.Write(payload)
	return err
}

// readFrame returns io.EOF only if r ends before a frame.
func readFrame(r io.Reader) (first, second uint32, payload []byte, err error) {
	var h header
	if err := binary.Read(r, binary.LittleEndian, &h); err != nil {
		return 0, 0, nil, err
	}
	if h.Length > maxPayload {
		return 0, 0, nil, fmt.Errorf("message of %d bytes, at most %d fit", h.Length, maxPayload)
	}
	payload = make([]byte, h.Length)
	if _, err := io.ReadFull(r, payload); err != nil {
		return 0, 0, nil, fmt.Errorf("message of %d bytes: %w", h.Length, io.ErrUnexpectedEOF)
	}
	return h.First, h.Second, payload, nil
}

// encode returns the bytes of v, a number, a struct of numbers or a slice of them.
func encode(v any) []byte {
	b, err := binary.Append(nil, binary.LittleEndian, v)
	if err != nil {
		panic(err) // v is not of fixed size
	}
	return b
}

// decode reads b into v, all of both.
func decode(b []byte, v any) error {
	if size := binary.Size(v); size != len(b) {
		return fmt.Errorf("%d bytes where %d were expected", len(b), size)
	}
	_, err := binary.Decode(b, binary.LittleEndian, v)
	return err
}

// size returns the bytes of a number of type t.
func size(t predict.Type) int {
	if t == predict.Float64 {
		return 8
	}
	return 4
}

// encodeValues returns the bytes of v, and decodeValues reads b into v.
func encodeValues(v predict.Values) []byte {
	if v.Type() == predict.Float64 {
		return encode(v.F64)
	}
	return encode(v.F32)
}

func decodeValues(b []byte, v predict.Values) error {
	if v.Type() == predict.Float64 {
		return decode(b, v.F64)
	}
	return decode(b, v.F32)
}
