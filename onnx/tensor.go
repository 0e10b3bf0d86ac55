package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"nabla/onnx/internal/message"
)

// decodeTensor returns a tensor of a file as an array. Elements of a type that
// is not supported are reported as such.
func decodeTensor(t *message.Tensor, outside *external) (datum, error) {
	shape, err := dimensions(t.Dims)
	if err != nil {
		return datum{}, fmt.Errorf("tensor %q: %w", t.Name, err)
	}
	if t.Segment {
		return datum{}, fmt.Errorf("tensor %q is a segment of another", t.Name)
	}
	raw := t.Raw
	if t.Outside || len(t.External) > 0 {
		if raw, err = outside.read(t); err != nil {
			return datum{}, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
	}
	d := datum{elem: t.Elem, host: &array{shape: shape}}
	if err := d.host.fill(t, raw, product(shape)); err != nil {
		return datum{}, fmt.Errorf("tensor %q: %w", t.Name, err)
	}
	return d, nil
}

// dimensions returns a shape, whose product fits an int.
func dimensions(dims []int64) ([]int, error) {
	shape := make([]int, len(dims))
	for i, d := range dims {
		if d < 0 || int64(int(d)) != d {
			return nil, fmt.Errorf("a dimension is %d", d)
		}
		shape[i] = int(d)
	}
	if product(shape) < 0 {
		return nil, fmt.Errorf("too many elements: %v", shape)
	}
	return shape, nil
}

// fill decodes n elements.
func (a *array) fill(t *message.Tensor, raw []byte, n int) error {
	switch {
	case t.Elem == message.String:
		return a.fillStrings(t, n)
	case isFloat(t.Elem):
		return a.fillFloats(t, raw, n)
	case isInteger(t.Elem) || t.Elem == message.Bool:
		return a.fillInts(t, raw, n)
	}
	return fmt.Errorf("%s are not supported", elemName(t.Elem))
}

func (a *array) fillStrings(t *message.Tensor, n int) error {
	if err := count(len(t.Strings), n); err != nil {
		return err
	}
	a.strings = make([]string, n)
	for i, s := range t.Strings {
		a.strings[i] = string(s)
	}
	return nil
}

// count returns an error unless there are as many elements as the shape says.
func count(got, want int) error {
	if got != want {
		return fmt.Errorf("%d elements for a shape of %d", got, want)
	}
	return nil
}

func (a *array) fillFloats(t *message.Tensor, raw []byte, n int) error {
	of, width := bitsOf(t.Elem)
	if raw != nil || rawOnly(t) {
		return a.fillRawFloats(raw, of, width, n)
	}
	var err error
	switch t.Elem {
	case message.Float:
		if err = count(len(t.Floats), n); err == nil {
			a.floats = converted(t.Floats, func(v float32) float64 { return float64(v) })
		}
	case message.Double:
		if err = count(len(t.Doubles), n); err == nil {
			a.floats = converted(t.Doubles, func(v float64) float64 { return v })
		}
	default:
		perByte := max(8/width, 1)
		if err = count(len(t.Int32s), (n+perByte-1)/perByte); err == nil {
			a.floats = make([]float64, n)
			for i := range a.floats {
				a.floats[i] = of(uint64(uint32(t.Int32s[i/perByte])) >> (i % perByte * width) & (1<<width - 1))
			}
		}
	}
	return err
}

// rawOnly reports whether a tensor has no numbers but those in Raw, which may
// be empty.
func rawOnly(t *message.Tensor) bool {
	return len(t.Floats)+len(t.Int32s)+len(t.Int64s)+len(t.Doubles)+len(t.Uint64s) == 0
}

func converted[T, U any](from []T, of func(T) U) []U {
	to := make([]U, len(from))
	for i, v := range from {
		to[i] = of(v)
	}
	return to
}

// bitsOf returns how the bits of a number are read, and how many it has.
func bitsOf(e message.Elem) (of func(uint64) float64, width int) {
	switch e {
	case message.Float:
		return func(b uint64) float64 { return float64(math.Float32frombits(uint32(b))) }, 32
	case message.Double:
		return math.Float64frombits, 64
	case float8E8M0:
		return func(b uint64) float64 { return decodeScale(uint32(b)) }, 8
	}
	f, _ := formatOf(e)
	width = 1 + f.exponent + f.mantissa
	return func(b uint64) float64 { return f.decode(uint32(b)) }, width
}

func (a *array) fillRawFloats(raw []byte, of func(uint64) float64, width, n int) error {
	if err := rawLength(raw, width, n); err != nil {
		return err
	}
	a.floats = make([]float64, n)
	for i := range a.floats {
		a.floats[i] = of(element(raw, width, i))
	}
	return nil
}

// rawLength returns an error unless there are n elements of that many bits.
func rawLength(raw []byte, width, n int) error {
	if n > math.MaxInt/width || len(raw) != (n*width+7)/8 {
		return fmt.Errorf("%d bytes for %d elements of %d bits", len(raw), n, width)
	}
	return nil
}

// element returns the bits of an element. Those of fewer than 8 are packed, the
// first in the lowest bits; 6 bits run on from byte to byte.
func element(raw []byte, width, i int) uint64 {
	switch width {
	case 8:
		return uint64(raw[i])
	case 16:
		return uint64(binary.LittleEndian.Uint16(raw[2*i:]))
	case 32:
		return uint64(binary.LittleEndian.Uint32(raw[4*i:]))
	case 64:
		return binary.LittleEndian.Uint64(raw[8*i:])
	}
	at := i * width
	bits := uint64(raw[at/8])
	if at/8+1 < len(raw) {
		bits |= uint64(raw[at/8+1]) << 8
	}
	return bits >> (at % 8) & (1<<width - 1)
}

var integerWidths = map[message.Elem]int{
	message.Bool: 8, message.Int8: 8, message.Uint8: 8, message.Int16: 16, message.Uint16: 16,
	message.Int32: 32, message.Uint32: 32, message.Int64: 64, message.Uint64: 64, uint4: 4, int4: 4, uint2: 2, int2: 2,
}

func (a *array) fillInts(t *message.Tensor, raw []byte, n int) error {
	width := integerWidths[t.Elem]
	if raw != nil || rawOnly(t) {
		if err := rawLength(raw, width, n); err != nil {
			return err
		}
		a.ints = make([]int64, n)
		for i := range a.ints {
			a.ints[i] = wrap(t.Elem, int64(element(raw, width, i)))
		}
		return nil
	}
	var err error
	switch t.Elem {
	case message.Int64:
		if err = count(len(t.Int64s), n); err == nil {
			a.ints = converted(t.Int64s, func(v int64) int64 { return v })
		}
	case message.Uint32, message.Uint64:
		if err = count(len(t.Uint64s), n); err == nil {
			a.ints = converted(t.Uint64s, func(v uint64) int64 { return wrap(t.Elem, int64(v)) })
		}
	default:
		perByte := max(8/width, 1)
		if err = count(len(t.Int32s), (n+perByte-1)/perByte); err == nil {
			a.ints = make([]int64, n)
			for i := range a.ints {
				a.ints[i] = wrap(t.Elem, int64(t.Int32s[i/perByte])>>(i%perByte*width%64))
			}
		}
	}
	return err
}
