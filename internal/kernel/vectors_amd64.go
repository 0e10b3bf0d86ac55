package kernel

//go:generate go -C gen run ./elementwise

// unaryKernel is an assembly loop dst = f(x; a, b) over n > 0 elements.
type unaryKernel[T Float] = func(dst, x *T, n int, a, b float64)

// gradientKernel is an assembly loop dst = gy·f′(x; a, b) over n > 0 elements.
type gradientKernel[T Float] = func(dst, gy, x, y *T, n int, a, b float64)

// unaryVectors are the loops of a Unary that replace others; those that are nil leave the other's in place.
type unaryVectors struct {
	of    *Unary
	loops Unary
}

// binaryVectors are the loops of a Binary that replace others.
type binaryVectors struct {
	of  *Binary
	a64 BinaryLoops[float64]
	a32 BinaryLoops[float32]
}

// swapLoops puts the loops of the tables in place of the current ones, which go to the tables: after an even number of calls
// the portable ones are in place.
func swapLoops() {
	for i := range vectorUnaries {
		vectorUnaries[i].swap()
	}
	for i := range vectorBinaries {
		vectorBinaries[i].swap()
	}
	primitives32, vectors32 = vectors32, primitives32
	primitives64, vectors64 = vectors64, primitives64
	conversions, vectorConversions = vectorConversions, conversions
}

func (v *unaryVectors) swap() {
	swapUnless(v.loops.F64 == nil, &v.of.F64, &v.loops.F64)
	swapUnless(v.loops.F32 == nil, &v.of.F32, &v.loops.F32)
	swapUnless(v.loops.D64 == nil, &v.of.D64, &v.loops.D64)
	swapUnless(v.loops.D32 == nil, &v.of.D32, &v.loops.D32)
}

func (v *binaryVectors) swap() {
	v.of.A64, v.a64 = v.a64, v.of.A64
	v.of.A32, v.a32 = v.a32, v.of.A32
}

func swapUnless[F any](condition bool, x, y *F) {
	if !condition {
		*x, *y = *y, *x
	}
}

func init() {
	if useAVX2 {
		swapLoops()
	}
	if useAVX512 {
		swapWide()
	}
}
