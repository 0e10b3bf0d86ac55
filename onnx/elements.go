package onnx

import (
	"fmt"
	"math"

	"nabla/onnx/internal/message"
)

// Types of elements that package message has no names for.
const (
	float8E4M3FN   message.Elem = 17
	float8E4M3FNUZ message.Elem = 18
	float8E5M2     message.Elem = 19
	float8E5M2FNUZ message.Elem = 20
	uint4          message.Elem = 21
	int4           message.Elem = 22
	float4E2M1     message.Elem = 23
	float8E8M0     message.Elem = 24
	uint2          message.Elem = 25
	int2           message.Elem = 26
	float6E2M3     message.Elem = 27
	float6E3M2     message.Elem = 28
)

func isSmallInt(e message.Elem) bool {
	return e == uint4 || e == int4 || e == uint2 || e == int2
}

func isSmallFloat(e message.Elem) bool {
	_, ok := smallFloats[e]
	return ok
}

func elemName(e message.Elem) string {
	switch e {
	case float8E4M3FN:
		return "float8e4m3fn"
	case float8E4M3FNUZ:
		return "float8e4m3fnuz"
	case float8E5M2:
		return "float8e5m2"
	case float8E5M2FNUZ:
		return "float8e5m2fnuz"
	case uint4:
		return "uint4"
	case int4:
		return "int4"
	case float4E2M1:
		return "float4e2m1"
	case float8E8M0:
		return "float8e8m0"
	case uint2:
		return "uint2"
	case int2:
		return "int2"
	case float6E2M3:
		return "float6e2m3"
	case float6E3M2:
		return "float6e3m2"
	}
	if e < 0 || e > message.BFloat16 {
		return fmt.Sprintf("elements of type %d", e)
	}
	return e.String()
}

// A floatFormat is how a floating-point number of 16 bits or fewer is encoded.
type floatFormat struct {
	exponent, mantissa int  // bits of each, behind the sign
	bias               int  //
	infinite           bool // the highest exponent is infinity and NaN, as in IEEE 754
	unsignedZero       bool // the code of −0 is NaN, the only one
	finite             bool // there is neither NaN nor infinity
}

var (
	half   = floatFormat{exponent: 5, mantissa: 10, bias: 15, infinite: true}
	bfloat = floatFormat{exponent: 8, mantissa: 7, bias: 127, infinite: true}

	smallFloats = map[message.Elem]floatFormat{
		float8E4M3FN:   {exponent: 4, mantissa: 3, bias: 7},
		float8E4M3FNUZ: {exponent: 4, mantissa: 3, bias: 8, unsignedZero: true},
		float8E5M2:     {exponent: 5, mantissa: 2, bias: 15, infinite: true},
		float8E5M2FNUZ: {exponent: 5, mantissa: 2, bias: 16, unsignedZero: true},
		float4E2M1:     {exponent: 2, mantissa: 1, bias: 1, finite: true},
		float6E2M3:     {exponent: 2, mantissa: 3, bias: 1, finite: true},
		float6E3M2:     {exponent: 3, mantissa: 2, bias: 3, finite: true},
		float8E8M0:     {exponent: 8, bias: 127}, // no sign: see decodeScale
	}
)

// formatOf returns the format of a type that is narrower than float32.
func formatOf(e message.Elem) (floatFormat, bool) {
	switch e {
	case message.Float16:
		return half, true
	case message.BFloat16:
		return bfloat, true
	}
	f, ok := smallFloats[e]
	return f, ok
}

// decode returns the number that has these bits.
func (f floatFormat) decode(bits uint32) float64 {
	sign := bits >> (f.exponent + f.mantissa) & 1
	exponent := int(bits >> f.mantissa & (1<<f.exponent - 1))
	mantissa := bits & (1<<f.mantissa - 1)
	top := 1<<f.exponent - 1
	negative := sign == 1
	v := 0.0
	switch {
	case f.unsignedZero && negative && exponent == 0 && mantissa == 0:
		return math.NaN()
	case f.infinite && exponent == top && mantissa == 0:
		v = math.Inf(1)
	case f.infinite && exponent == top,
		!f.infinite && !f.unsignedZero && !f.finite && exponent == top && mantissa == 1<<f.mantissa-1:
		return math.NaN()
	case exponent == 0:
		v = math.Ldexp(float64(mantissa), 1-f.bias-f.mantissa)
	default:
		v = math.Ldexp(float64(mantissa)+float64(int(1)<<f.mantissa), exponent-f.bias-f.mantissa)
	}
	if negative {
		return -v
	}
	return v
}

// decodeScale returns a float8e8m0, a power of two without sign or mantissa.
func decodeScale(bits uint32) float64 {
	if bits == 255 {
		return math.NaN()
	}
	return math.Ldexp(1, int(bits)-127)
}

// largest returns the largest finite number.
func (f floatFormat) largest() float64 {
	top := 1<<f.exponent - 1
	mantissa := 1<<f.mantissa - 1
	switch {
	case f.infinite:
		top--
	case !f.unsignedZero && !f.finite:
		mantissa--
	}
	return math.Ldexp(float64(mantissa+1<<f.mantissa), top-f.bias-f.mantissa)
}

// round returns the nearest number of the format, at a tie the even one. What
// is too large becomes the largest if saturate, else infinity, or NaN where
// there is none.
func (f floatFormat) round(x float64, saturate bool) float64 {
	if math.IsNaN(x) || x == 0 {
		if f.unsignedZero && x == 0 {
			return 0
		}
		if f.finite && x != 0 {
			return math.Copysign(0, -1) // there is no NaN
		}
		return x
	}
	y := f.nearest(x)
	if largest := f.largest(); math.Abs(y) > largest {
		switch {
		case f.finite || saturate && f != half && f != bfloat:
			y = math.Copysign(largest, x)
		case f.infinite:
			y = math.Inf(int(math.Copysign(1, x)))
		default:
			y = math.NaN()
		}
	}
	if f.unsignedZero && y == 0 {
		return 0
	}
	return y
}

// nearest rounds as if there were any larger exponent.
func (f floatFormat) nearest(x float64) float64 {
	if math.IsInf(x, 0) {
		return x
	}
	_, exponent := math.Frexp(x) // x in [½, 1)·2^exponent
	step := max(exponent-1, 1-f.bias) - f.mantissa
	return math.Ldexp(math.RoundToEven(math.Ldexp(x, -step)), step)
}

// roundScale returns a float8e8m0: the power of two above unless x is one, as
// ONNX rounds up by default, or the nearest or the one below.
func roundScale(x float64, mode string, saturate bool) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) && !saturate {
		return math.NaN()
	}
	x = math.Abs(x)
	const least, most = -127, 127
	if x < math.Ldexp(1, least) {
		return math.Ldexp(1, least)
	}
	fraction, exponent := math.Frexp(x)
	exponent--
	switch {
	case fraction == 0.5 || mode == "down":
	case mode == "nearest" && fraction < 0.75:
	default:
		exponent++
	}
	if exponent > most || math.IsInf(x, 0) {
		if !saturate {
			return math.NaN()
		}
		exponent = most
	}
	return math.Ldexp(1, exponent)
}

// wrap returns an integer as one of a type has it: the lowest bits.
func wrap(e message.Elem, v int64) int64 {
	switch e {
	case message.Int8:
		return int64(int8(v))
	case message.Int16:
		return int64(int16(v))
	case message.Int32:
		return int64(int32(v))
	case message.Uint8:
		return int64(uint8(v))
	case message.Uint16:
		return int64(uint16(v))
	case message.Uint32:
		return int64(uint32(v))
	case uint4:
		return v & 15
	case int4:
		return v << 60 >> 60
	case uint2:
		return v & 3
	case int2:
		return v << 62 >> 62
	case message.Bool:
		return truth(v != 0)
	}
	return v
}
