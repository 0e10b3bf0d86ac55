package message

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Limits of what Unmarshal reads. A message takes two bytes of a file, but some
// hundred of memory, so that their number is bounded; all else is as long as
// the file says it in bytes.
const (
	MaxMessages = 2 << 20
	MaxDepth    = 64 // messages inside messages: 4 for each graph inside a graph
)

// Unmarshal reads a model. The tensors' Raw, and strings that are []byte, are
// parts of b. It returns an error, which says where, for what is not such a
// file, for more messages than MaxMessages, and for deeper ones than MaxDepth.
func Unmarshal(b []byte) (*Model, error) {
	d := decoder{left: MaxMessages}
	m := new(Model)
	if err := d.message(b, m.field); err != nil {
		return nil, fmt.Errorf("onnx: the file is not a model: %w", err)
	}
	return m, nil
}

// UnmarshalTensor reads a tensor that is in a file of its own. It returns
// errors as Unmarshal does.
func UnmarshalTensor(b []byte) (*Tensor, error) {
	d := decoder{left: MaxMessages}
	t := new(Tensor)
	if err := d.message(b, t.field); err != nil {
		return nil, fmt.Errorf("onnx: the file is not a tensor: %w", err)
	}
	return t, nil
}

type decoder struct{ left, depth int }

// A field is one field of a message, not yet given a meaning.
type field struct {
	d      *decoder
	number protowire.Number
	wire   protowire.Type
	varint uint64 // also of fixed numbers
	bytes  []byte
}

// message calls f for each field of a message.
func (d *decoder) message(b []byte, f func(field) error) error {
	d.left--
	d.depth++
	defer func() { d.depth-- }()
	switch {
	case d.left < 0:
		return fmt.Errorf("more than %d messages", MaxMessages)
	case d.depth > MaxDepth:
		return fmt.Errorf("messages inside messages, more than %d deep", MaxDepth)
	}
	for len(b) > 0 {
		next, n := d.next(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		if err := f(next); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// next returns the field that b begins with, and its length.
func (d *decoder) next(b []byte) (field, int) {
	f := field{d: d}
	var tag, n int
	f.number, f.wire, tag = protowire.ConsumeTag(b)
	if tag < 0 {
		return f, tag
	}
	b = b[tag:]
	switch f.wire {
	case protowire.VarintType:
		f.varint, n = protowire.ConsumeVarint(b)
	case protowire.Fixed32Type:
		var v uint32
		v, n = protowire.ConsumeFixed32(b)
		f.varint = uint64(v)
	case protowire.Fixed64Type:
		f.varint, n = protowire.ConsumeFixed64(b)
	case protowire.BytesType:
		f.bytes, n = protowire.ConsumeBytes(b)
	default:
		n = protowire.ConsumeFieldValue(f.number, f.wire, b)
	}
	if n < 0 {
		return f, n
	}
	return f, tag + n
}

// is returns an error if the field is not encoded as one of that name.
func (f field) is(name string, wire protowire.Type) error {
	if f.wire != wire {
		return fmt.Errorf("%s has wire type %d instead of %d", name, f.wire, wire)
	}
	return nil
}

func (f field) string(name string, v *string) error {
	if err := f.is(name, protowire.BytesType); err != nil {
		return err
	}
	*v = string(f.bytes)
	return nil
}

func (f field) raw(name string, v *[]byte) error {
	if err := f.is(name, protowire.BytesType); err != nil {
		return err
	}
	*v = f.bytes[:len(f.bytes):len(f.bytes)]
	return nil
}

func (f field) int(name string, v *int64) error {
	if err := f.is(name, protowire.VarintType); err != nil {
		return err
	}
	*v = int64(f.varint)
	return nil
}

func (f field) elem(name string, v *Elem) error {
	var i int64
	if err := f.int(name, &i); err != nil {
		return err
	}
	*v = Elem(i)
	return nil
}

func (f field) strings(name string, v *[]string) error {
	var s string
	if err := f.string(name, &s); err != nil {
		return err
	}
	*v = append(*v, s)
	return nil
}

func (f field) many(name string, v *[][]byte) error {
	var s []byte
	if err := f.raw(name, &s); err != nil {
		return err
	}
	*v = append(*v, s)
	return nil
}

// numbers appends a repeated number, packed or not.
func numbers[T any](f field, name string, v *[]T, wire protowire.Type, of func(uint64) T) error {
	if f.wire == wire {
		*v = append(*v, of(f.varint))
		return nil
	}
	if err := f.is(name, protowire.BytesType); err != nil {
		return err
	}
	for b := f.bytes; len(b) > 0; {
		next, n := number(b, wire)
		if n < 0 {
			return fmt.Errorf("%s: %w", name, protowire.ParseError(n))
		}
		*v = append(*v, of(next))
		b = b[n:]
	}
	return nil
}

func number(b []byte, wire protowire.Type) (uint64, int) {
	switch wire {
	case protowire.Fixed32Type:
		v, n := protowire.ConsumeFixed32(b)
		return uint64(v), n
	case protowire.Fixed64Type:
		return protowire.ConsumeFixed64(b)
	}
	return protowire.ConsumeVarint(b)
}

func (f field) ints(name string, v *[]int64) error {
	return numbers(f, name, v, protowire.VarintType, func(u uint64) int64 { return int64(u) })
}

func (f field) floats(name string, v *[]float32) error {
	return numbers(f, name, v, protowire.Fixed32Type, func(u uint64) float32 { return math.Float32frombits(uint32(u)) })
}

// message reads a message with a function for its fields.
func (f field) message(name string, fields func(field) error) error {
	if err := f.is(name, protowire.BytesType); err != nil {
		return err
	}
	if err := f.d.message(f.bytes, fields); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// A decodable is a pointer to a message.
type decodable[T any] interface {
	*T
	field(field) error
}

// one reads a message that a field holds once. As the encoding has it, a second
// one adds to the first.
func one[T any, P decodable[T]](f field, name string, v **T) error {
	if *v == nil {
		*v = new(T)
	}
	return f.message(name, P(*v).field)
}

// each appends a message of a repeated field.
func each[T any, P decodable[T]](f field, name string, v *[]*T) error {
	if err := f.is(name, protowire.BytesType); err != nil {
		return err
	}
	m := new(T)
	if err := f.d.message(f.bytes, P(m).field); err != nil {
		return fmt.Errorf("%s %d: %w", name, len(*v), err)
	}
	*v = append(*v, m)
	return nil
}

// eachValue does so where the slice holds no pointers.
func eachValue[T any, P decodable[T]](f field, name string, v *[]T) error {
	var m T
	if err := f.message(name, P(&m).field); err != nil {
		return err
	}
	*v = append(*v, m)
	return nil
}
