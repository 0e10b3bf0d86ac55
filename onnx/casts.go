package onnx

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// casts give elements another type.
func casts() map[string]operator {
	return map[string]operator{
		"BitCast":  {since(26), 1, 1, 1, buildBitCast},
		"Cast":     {since(1, 6, 9, 13, 19, 21, 23, 24, 25, 28), 1, 1, 1, buildCast},
		"CastLike": {since(15, 19, 21, 23, 24, 25), 2, 2, 1, buildCastLike},
	}
}

// A conversion is how numbers that do not fit are rounded.
type conversion struct {
	saturate bool
	mode     string
}

func (n *node) conversion() conversion {
	return conversion{n.bool("saturate", true), n.oneOf("round_mode", "up", "up", "down", "nearest")}
}

func buildCast(n *node) func(*call) {
	var elem message.Elem
	if n.version == 1 {
		elem = elemNamed(n.string("to", ""))
	} else {
		elem = message.Elem(n.int("to", 0))
	}
	if !isFloat(elem) && !isInteger(elem) && elem != message.Bool && elem != message.String {
		n.unsupported(fmt.Sprintf("a cast to %s", elemName(elem)))
	}
	how := n.conversion()
	return func(c *call) { c.set(0, c.cast(c.tensor(0), elem, how)) }
}

// elemNamed returns a type by the name that the first opset used.
func elemNamed(name string) message.Elem {
	for e := message.Float; e <= message.BFloat16; e++ {
		if strings.EqualFold(e.String(), name) {
			return e
		}
	}
	return message.ElemUndefined
}

func buildCastLike(n *node) func(*call) {
	how := n.conversion()
	return func(c *call) { c.set(0, c.cast(c.tensor(0), c.tensor(1).elem, how)) }
}

// cast returns a tensor in another type.
func (c *call) cast(x datum, elem message.Elem, how conversion) datum {
	switch {
	case x.elem == elem:
		return x
	case elem == message.String:
		return c.castToStrings(x)
	case x.elem == message.String:
		return c.castStrings(x, elem, how)
	case isFloat(elem):
		return c.castToFloats(x, elem, how)
	case elem == message.Bool && x.host == nil:
		return ofMask(c.valueOf(x).NotEqualScalar(0))
	case isFloat(x.elem):
		numbers := c.floatsOf(x)
		values := make([]int64, len(numbers))
		for i, v := range numbers {
			values[i] = integerOf(elem, v)
		}
		return ofInts(elem, values, x.shape()...)
	}
	from := c.intsOf(x)
	values := make([]int64, len(from))
	for i, v := range from {
		values[i] = wrap(elem, v)
	}
	return ofInts(elem, values, x.shape()...)
}

func integerOf(elem message.Elem, v float64) int64 {
	switch {
	case elem == message.Bool:
		return truth(v != 0)
	case isSmallInt(elem):
		return wrap(elem, toInteger(message.Int64, v))
	}
	return toInteger(elem, v)
}

// castToFloats rounds numbers to a narrower type. The gradient passes as if
// nothing had been rounded.
func (c *call) castToFloats(x datum, elem message.Elem, how conversion) datum {
	round := rounding(elem, how)
	if x.host == nil {
		v := c.valueOf(x)
		if round != nil && (isFloat(x.elem) && !holds(elem, x.elem)) {
			v = rounded(v, elem, round)
		}
		return ofValue(elem, v)
	}
	numbers := c.floatsOf(x)
	if round != nil {
		numbers = converted(numbers, round)
	}
	return ofFloats(elem, numbers, x.host.shape...)
}

// holds reports whether a type has all numbers of another, so that nothing is
// rounded.
func holds(elem, of message.Elem) bool {
	return elem == message.Double || elem == message.Float && of != message.Double
}

// rounding returns how a number is rounded to a type, nil for not at all.
func rounding(elem message.Elem, how conversion) func(float64) float64 {
	switch {
	case elem == message.Double:
		return nil
	case elem == message.Float:
		return func(v float64) float64 { return float64(float32(v)) }
	case elem == float8E8M0:
		return func(v float64) float64 { return roundScale(v, how.mode, how.saturate) }
	}
	f, _ := formatOf(elem)
	return func(v float64) float64 { return f.round(v, how.saturate) }
}

// rounded records a rounding.
func rounded(x value, elem message.Elem, round func(float64) float64) value {
	return autograd.Custom(autograd.Operation{
		Name: "cast to " + elemName(elem),
		Forward: func(in []autograd.Tensor) autograd.Tensor {
			return newTensor(converted(in[0].Float64s(), round), in[0].Shape()).In(in[0].Precision())
		},
		Rule: func(r *autograd.Rule) { r.Add(0, r.Grad()) },
	}, x)
}

func (c *call) castToStrings(x datum) datum {
	texts := make([]string, x.size())
	if isFloat(x.elem) {
		bits := 64
		if x.elem != message.Double {
			bits = 32
		}
		for i, v := range c.floatsOf(x) {
			texts[i] = floatText(v, bits)
		}
	} else {
		for i, v := range c.intsOf(x) {
			texts[i] = decimal(x.elem, v)
		}
	}
	return ofStrings(texts, x.shape()...)
}

// floatText writes a number as ONNX's own implementation does.
func floatText(v float64, bits int) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 1):
		return "INF"
	case math.IsInf(v, -1):
		return "-INF"
	}
	return strconv.FormatFloat(v, 'g', -1, bits)
}

func (c *call) castStrings(x datum, elem message.Elem, how conversion) datum {
	numbers := make([]float64, len(x.host.strings))
	for i, s := range x.host.strings {
		v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil && (v == 0 || !math.IsInf(v, 0)) {
			c.fail("%q is no number", s)
		}
		numbers[i] = v
	}
	return c.cast(ofFloats(message.Double, numbers, x.host.shape...), elem, how)
}

// buildBitCast reads the bits of numbers as those of another type of the same
// width.
func buildBitCast(n *node) func(*call) {
	elem := message.Elem(n.int("to", 0))
	return func(c *call) {
		x := c.tensor(0)
		from, to := widthOf(x.elem), widthOf(elem)
		if from == 0 || from != to {
			c.fail("%s have another width than %s", elemName(x.elem), elemName(elem))
		}
		bits := c.bits(x)
		if isFloat(elem) {
			of, _ := bitsOf(elem)
			c.set(0, ofFloats(elem, converted(bits, of), x.shape()...))
			return
		}
		c.set(0, ofInts(elem, converted(bits, func(b uint64) int64 { return wrap(elem, int64(b)) }), x.shape()...))
	}
}

// widthOf returns how many bits an element has, 0 for strings.
func widthOf(e message.Elem) int {
	if isFloat(e) {
		_, width := bitsOf(e)
		return width
	}
	return integerWidths[e]
}

// bits returns the bits of each element.
func (c *call) bits(x datum) []uint64 {
	if !isFloat(x.elem) {
		return converted(c.intsOf(x), func(v int64) uint64 { return uint64(v) & (1<<widthOf(x.elem) - 1) })
	}
	numbers := c.floatsOf(x)
	switch x.elem {
	case message.Double:
		return converted(numbers, math.Float64bits)
	case message.Float:
		return converted(numbers, func(v float64) uint64 { return uint64(math.Float32bits(float32(v))) })
	}
	return converted(numbers, codes(x.elem))
}

// codes returns how numbers of 16 or fewer bits are encoded: by looking for the
// code that means them.
func codes(elem message.Elem) func(float64) uint64 {
	of, width := bitsOf(elem)
	table := make(map[uint64]uint64, 1<<width)
	nan := uint64(0)
	for code := uint64(1<<width) - 1; ; code-- {
		if v := of(code); math.IsNaN(v) {
			nan = code
		} else {
			table[math.Float64bits(v)] = code
		}
		if code == 0 {
			break
		}
	}
	return func(v float64) uint64 {
		if math.IsNaN(v) {
			return nan
		}
		return table[math.Float64bits(v)]
	}
}
