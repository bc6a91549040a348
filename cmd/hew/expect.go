package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"

	"hew/internal/npy"
	"hew/predict"
	"hew/rows"
)

// readLike reads a .npy file as values of the kind that o holds: texts, float32 or,
// for all others, float64.
func readLike(file string, o *rows.Output) (like rows.Output, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return like, err
	}
	if o.Text != nil {
		if like.Text, err = texts(data); err != nil {
			err = fmt.Errorf("%s: %w", file, err)
		}
		return like, err
	}
	a, err := npy.Read(bytes.NewReader(data))
	if err != nil {
		return like, fmt.Errorf("%s: %w", file, err)
	}
	if o.Float32 != nil {
		like.Float32 = a.Float32s()
	} else {
		like.Float64 = a.Float64s()
	}
	return like, nil
}

// textHeader finds the width of the elements of an array of text.
var textHeader = regexp.MustCompile(`['"]descr['"]\s*:\s*['"]<U(\d+)['"]`)

// texts returns the elements of a .npy file of text: UTF-32 of one width, filled up
// with zeros.
func texts(data []byte) ([]string, error) {
	if len(data) < 10 {
		return nil, io.ErrUnexpectedEOF
	}
	body := 10 + int(binary.LittleEndian.Uint16(data[8:]))
	if body > len(data) {
		return nil, io.ErrUnexpectedEOF
	}
	m := textHeader.FindSubmatch(data[:body])
	if m == nil {
		return nil, fmt.Errorf("no array of text, which the labels are")
	}
	width, err := strconv.Atoi(string(m[1]))
	if data = data[body:]; err != nil || width < 1 || width > len(data)/4 || len(data)%(4*width) != 0 {
		return nil, fmt.Errorf("%d bytes are no texts of %s characters", len(data), m[1])
	}
	var all []string
	for ; len(data) > 0; data = data[4*width:] {
		var text []rune
		for i := range width {
			if r := binary.LittleEndian.Uint32(data[4*i:]); r != 0 {
				text = append(text, rune(r))
			}
		}
		all = append(all, string(text))
	}
	return all, nil
}

// values returns the numbers of o, as float64 unless they are float32.
func values(o *rows.Output) predict.Values {
	if o.Float32 != nil {
		return predict.ValuesOf(o.Float32)
	}
	wide := o.Float64
	for _, v := range o.Int64 {
		wide = append(wide, float64(v))
	}
	for _, v := range o.Bool {
		wide = append(wide, map[bool]float64{true: 1}[v])
	}
	return predict.ValuesOf(wide)
}
