package onnx

import (
	"fmt"
	"math"
	"slices"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// A Data is what a name in a network stands for: one of a Value of
// floating-point numbers, integers, strings, or a list of others. Booleans are
// integers too, 0 and 1.
type Data struct {
	Value   autograd.Value // float, double, float16, bfloat16; as an input also bool, given as a mask
	Ints    autograd.Ints  // integers of any width, and bool
	Strings []string       // in row-major order
	Shape   []int          // of the Strings
	List    []Data         // of a sequence
}

// A datum is what a name stands for in a run. Numbers are a Value once an
// operator wants one, so that settings and shapes leave no trace in the
// recording; masks that come of comparisons stay Values until an operator wants
// them as booleans.
type datum struct {
	elem  message.Elem
	value autograd.Value  // the zero Value: not recorded
	param *autograd.Param // whose Value it is, once it is recorded
	host  *array          // nil: only recorded
	kind  kind
	list  []datum // of a sequence, and the one element of an optional
}

type kind uint8

const (
	tensor kind = iota
	sequence
	optional
	absent // an input that was left out
)

// An array is a tensor beside the graph: one of the slices is in use.
type array struct {
	shape   []int
	floats  []float64
	ints    []int64 // bits of a uint64
	strings []string

	// given are the same integers in the memory of the caller's Ints, or of
	// those that ArgMax and the like returned, if they are. Operations take
	// these, so that an exporter knows where they came from.
	given []int
}

// shape returns the dimensions, which must not be changed.
func (d datum) shape() []int {
	switch {
	case d.host != nil:
		return d.host.shape
	case d.param != nil:
		return d.param.Shape()
	case d.value.IsZero():
		return nil
	}
	return d.value.Shape()
}

func (d datum) rank() int { return len(d.shape()) }
func (d datum) size() int { return product(d.shape()) }

// isFloat reports whether the elements are numbers with a fraction.
func isFloat(e message.Elem) bool {
	switch e {
	case message.Float, message.Double, message.Float16, message.BFloat16:
		return true
	}
	return isSmallFloat(e)
}

func isInteger(e message.Elem) bool {
	switch e {
	case message.Int8, message.Int16, message.Int32, message.Int64, message.Uint8, message.Uint16, message.Uint32, message.Uint64:
		return true
	}
	return isSmallInt(e)
}

func isUnsigned(e message.Elem) bool {
	switch e {
	case message.Uint8, message.Uint16, message.Uint32, message.Uint64, uint4, uint2:
		return true
	}
	return false
}

func ofInts(e message.Elem, values []int64, shape ...int) datum {
	return datum{elem: e, host: &array{shape: shape, ints: values}}
}

func ofFloats(e message.Elem, values []float64, shape ...int) datum {
	return datum{elem: e, host: &array{shape: shape, floats: values}}
}

func ofStrings(values []string, shape ...int) datum {
	return datum{elem: message.String, host: &array{shape: shape, strings: values}}
}

func ofValue(e message.Elem, v autograd.Value) datum { return datum{elem: e, value: v} }

// ofMask is a bool that a comparison of Values gave.
func ofMask(v autograd.Value) datum { return datum{elem: message.Bool, value: v} }

func ofBool(b bool) datum { return ofInts(message.Bool, []int64{truth(b)}) }

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// inInts returns Ints of the caller, or the indices of arg max and the like.
func inInts(e message.Elem, x autograd.Ints) datum {
	values := make([]int64, x.Size())
	for i, v := range x.Values() {
		values[i] = int64(v)
	}
	d := ofInts(e, values, x.Shape()...)
	d.host.given = x.Values()
	return d
}

// product returns the number of elements, or −1 if it overflows or a dimension
// is negative.
func product(shape []int) int {
	n, zero := 1, false
	for _, d := range shape {
		switch {
		case d < 0:
			return -1
		case d == 0:
			zero = true
		case n > math.MaxInt/d:
			n = -1
		}
		if n < 0 {
			break
		}
		if d > 0 {
			n *= d
		}
	}
	if zero {
		return 0
	}
	return n
}

// extent is product with dimensions of 0 left out: what a result may have along
// the other axes alone, as a sum over no elements does.
func extent(shape []int) int {
	n := 1
	for _, d := range shape {
		if d < 0 || n > math.MaxInt/max(d, 1) {
			return -1
		}
		n *= max(d, 1)
	}
	return n
}

// isVast reports whether a tensor without elements has axes so long that what
// is computed of it may have more than a number of elements.
func isVast(shape []int, limit int) bool {
	if product(shape) != 0 {
		return false
	}
	n := extent(shape)
	return n < 0 || n > limit
}

// broadcast returns the shape that shapes broadcast to, and whether they do.
func broadcast(shapes ...[]int) ([]int, bool) {
	rank := 0
	for _, s := range shapes {
		rank = max(rank, len(s))
	}
	to := slices.Repeat([]int{1}, rank)
	for _, s := range shapes {
		for i, d := range s {
			at := &to[rank-len(s)+i]
			switch {
			case *at == 1:
				*at = d
			case d != 1 && d != *at:
				return nil, false
			}
		}
	}
	return to, true
}

// describe says what a datum is, in messages.
func (d datum) describe() string {
	switch d.kind {
	case sequence:
		return "a sequence"
	case optional:
		return "an optional"
	case absent:
		return "nothing"
	}
	return fmt.Sprintf("%s %v", elemName(d.elem), d.shape())
}
