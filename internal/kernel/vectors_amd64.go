package kernel

//go:generate go -C gen run ./elementwise

// unaryKernel is an assembly loop dst = f(x; a, b) over n > 0 elements.
type unaryKernel[T Float] = func(dst, x *T, n int, a, b float64)

// gradientKernel is an assembly loop dst = gy·f′(x; a, b) over n > 0 elements.
type gradientKernel[T Float] = func(dst, gy, x, y *T, n int, a, b float64)

// unaryVectors are the vector loops of a Unary; nil where it has none.
type unaryVectors struct {
	of  *Unary
	F64 func(dst, x []float64, a, b float64)
	F32 func(dst, x []float32, a, b float64)
	D64 func(dst, gy, x, y []float64, a, b float64)
	D32 func(dst, gy, x, y []float32, a, b float64)
}

// binaryVectors are the vector loops of a Binary.
type binaryVectors struct {
	of  *Binary
	A64 BinaryLoops[float64]
	A32 BinaryLoops[float32]
}

// ternaryVectors are the vector loops of a Ternary.
type ternaryVectors struct {
	of  *Ternary
	F64 func(dst, x, y, z []float64)
	F32 func(dst, x, y, z []float32)
}

func init() {
	if useAVX2 {
		swapTables(unariesAVX2, binariesAVX2, ternariesAVX2)
		vectors32, vectors64 = vectors[float32]{loops32AVX2}, vectors[float64]{loops64AVX2}
		primitives32, primitives64 = vectors32.primitives(), vectors64.primitives()
		conversions.narrow, conversions.widen = convertVectors(convert32AVX2), convertVectors(convert64AVX2)
	}
	if useAVX512 {
		swapTables(unariesAVX512, binariesAVX512, ternariesAVX512)
		vectors32, vectors64 = vectors[float32]{loops32AVX512}, vectors[float64]{loops64AVX512}
	}
}

// swapTables exchanges the loops of the tables for those in use, which the
// tests find in the tables then.
func swapTables(unaries []unaryVectors, binaries []binaryVectors, ternaries []ternaryVectors) {
	for i := range unaries {
		v := &unaries[i]
		swapLoop(&v.of.F64, &v.F64)
		swapLoop(&v.of.F32, &v.F32)
		swapGradient(&v.of.D64, &v.D64)
		swapGradient(&v.of.D32, &v.D32)
	}
	for i := range binaries {
		v := &binaries[i]
		v.of.A64, v.A64 = v.A64, v.of.A64
		v.of.A32, v.A32 = v.A32, v.of.A32
	}
	for i := range ternaries {
		v := &ternaries[i]
		v.of.F64, v.F64 = v.F64, v.of.F64
		v.of.F32, v.F32 = v.F32, v.of.F32
	}
}

func swapLoop[T Float](inUse, vector *func(dst, x []T, a, b float64)) {
	if *vector != nil {
		*inUse, *vector = *vector, *inUse
	}
}

func swapGradient[T Float](inUse, vector *func(dst, gy, x, y []T, a, b float64)) {
	if *vector != nil {
		*inUse, *vector = *vector, *inUse
	}
}

// vectors computes the primitives of a precision by the loops of a set.
type vectors[T Float] struct{ loops[T] }

// The vectors in use.
var (
	vectors32 vectors[float32]
	vectors64 vectors[float64]
)

func (l *vectors[T]) primitives() primitives[T] {
	return primitives[T]{
		fill: l.fillAll, where: l.whereAll,
		sum: l.sumAxis, max: l.maxAxis, min: l.minAxis, logSumExp: l.logSumExpAxis, norm: l.normOfRow, finite: l.finite, variance: l.varAxis,
		softmax: l.softmaxAxis, logSoftmax: l.logSoftmaxAxis, softmaxGrad: l.softmaxGradAxis, logSoftmaxGrad: l.logSoftmaxGradAxis,
		normalizing: l.normalizing(),
		scoring:     l.scoring(),
		cells:       l.cells(),
		sgd:         l.sgdStep, adam: l.adamStep, rmsProp: l.rmsPropStep,
	}
}

func (l *vectors[T]) fillAll(dst []T, value T) {
	if n := len(dst); n > 0 {
		l.fill(&dst[0], value, n)
	}
}

func (l *vectors[T]) whereAll(dst, c, x, y []T) {
	if n := len(c); n > 0 {
		dst, x, y = dst[:n], x[:n], y[:n]
		l.where(&dst[0], &c[0], &x[0], &y[0], n)
	}
}

func convertVectors[T, S Float](k func(dst *T, src *S, n int)) func(dst []T, src []S) {
	return func(dst []T, src []S) {
		if n := len(src); n > 0 {
			dst = dst[:n]
			k(&dst[0], &src[0], n)
		}
	}
}
