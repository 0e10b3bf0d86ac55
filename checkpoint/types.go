package checkpoint

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// bitsOf are the types that a file may have, and how many bits their elements
// take.
var bitsOf = map[string]uint64{
	"F64": 64, "F32": 32, "F16": 16, "BF16": 16,
	"I64": 64, "I32": 32, "I16": 16, "I8": 8,
	"U64": 64, "U32": 32, "U16": 16, "U8": 8, "BOOL": 8,
	"C64": 64, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E5M2FNUZ": 8, "F8_E4M3FNUZ": 8, "F8_E8M0": 8,
	"F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
}

func isFloat(name string) bool {
	switch name {
	case "F64", "F32", "F16", "BF16":
		return true
	}
	return false
}

// decode widens or rounds the numbers of a type to those of dst.
func decode[T float32 | float64](dst []T, src []byte, name string) {
	switch name {
	case "F64":
		for i := range dst {
			dst[i] = T(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
		}
	case "F32":
		for i := range dst {
			dst[i] = T(math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:])))
		}
	case "F16":
		for i := range dst {
			dst[i] = T(half(binary.LittleEndian.Uint16(src[2*i:])))
		}
	case "BF16": // the upper half of a float32
		for i := range dst {
			dst[i] = T(math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16))
		}
	}
}

// half returns a number of IEEE 754's binary16: a sign, 5 bits of exponent and
// 10 of fraction. All of them are numbers of float32 too.
func half(b uint16) float32 {
	sign, exponent, fraction := uint32(b>>15)<<31, uint32(b>>10&0x1f), uint32(b&0x3ff)
	switch exponent {
	case 0: // subnormal: fraction · 2⁻²⁴
		v := float32(fraction) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 0x1f: // infinity or NaN
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// decodeInts reads whole numbers. It reports whether all are ints.
func decodeInts(dst []int, src []byte, name string) bool {
	ok := true
	for i := range dst {
		var v int64
		switch name {
		case "I64":
			v = int64(binary.LittleEndian.Uint64(src[8*i:]))
		case "U64":
			u := binary.LittleEndian.Uint64(src[8*i:])
			v, ok = int64(u), ok && u <= math.MaxInt64
		case "I32":
			v = int64(int32(binary.LittleEndian.Uint32(src[4*i:])))
		case "U32":
			v = int64(binary.LittleEndian.Uint32(src[4*i:]))
		case "I16":
			v = int64(int16(binary.LittleEndian.Uint16(src[2*i:])))
		case "U16":
			v = int64(binary.LittleEndian.Uint16(src[2*i:]))
		case "I8":
			v = int64(int8(src[i]))
		default: // U8, BOOL
			v = int64(src[i])
		}
		dst[i] = int(v)
		ok = ok && int64(dst[i]) == v
	}
	return ok
}

// littleEndian is whether the numbers of a file lie in it as in memory.
var littleEndian = func() bool {
	v := uint16(1)
	return *(*byte)(unsafe.Pointer(&v)) == 1
}()

// raw returns the memory of numbers.
func raw[T float32 | float64](x []T) []byte {
	if len(x) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), len(x)*int(unsafe.Sizeof(x[0])))
}

// encode appends the bytes of numbers.
func encode[T float32 | float64](dst []byte, x []T) []byte {
	for _, v := range x {
		if unsafe.Sizeof(v) == 4 {
			dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(v)))
		} else {
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(float64(v)))
		}
	}
	return dst
}

// typeOf returns the type that numbers have in a file.
func typeOf[T float32 | float64]() string {
	var v T
	if unsafe.Sizeof(v) == 4 {
		return "F32"
	}
	return "F64"
}
