package kernel

// primitives are the loops in one precision that generic functions call:
// portable ones, or vectors.
type primitives[T Float] struct {
	fill  func(dst []T, v T)
	where func(dst, c, x, y []T)

	sum, max, min, logSumExp func(dst, x []T, outer, n, inner int)
	norm                     func(x []T, p float64) float64 // of a row
	finite                   func(x []T) bool               // whether it is known that all are finite
	variance                 func(dst, x []T, outer, n, inner, correction int, root bool)

	softmax, logSoftmax         func(dst, x []T, outer, n, inner int)
	softmaxGrad, logSoftmaxGrad func(dst, gy, y []T, outer, n, inner int)

	normalizing[T]
	scoring[T]
	cells cellLoops[T]

	sgd     func(w, g, velocity []T, rate, momentum, decay float64, nesterov, first bool)
	adam    func(w, g, m, v []T, k Settings) // as AdamRule has them
	rmsProp func(w, g, v, mean, velocity []T, rate, alpha, eps, momentum, decay float64)
}

var (
	primitives32 = portablePrimitives[float32]()
	primitives64 = portablePrimitives[float64]()
)

func portablePrimitives[T Float]() primitives[T] {
	return primitives[T]{
		fill: fill[T], where: where[T],
		sum: sumAxis[T], max: maxAxis[T], min: minAxis[T], logSumExp: logSumExpAxis[T], norm: normOfRow[T], finite: unknownFinite[T], variance: varAxis[T],
		softmax: softmaxAxis[T], logSoftmax: logSoftmaxAxis[T], softmaxGrad: softmaxGradAxis[T], logSoftmaxGrad: logSoftmaxGradAxis[T],
		normalizing: portableNormalizing[T](),
		scoring:     portableScoring[T](),
		cells:       portableCells[T](),
		sgd:         sgd[T], adam: adam[T], rmsProp: rmsProp[T],
	}
}

// primitivesOf returns the loops of a precision.
func primitivesOf[T Float]() *primitives[T] {
	if p, ok := any(&primitives32).(*primitives[T]); ok {
		return p
	}
	return any(&primitives64).(*primitives[T])
}

// conversions are the loops of Convert32 and Convert64.
var conversions = struct {
	narrow func(dst []float32, src []float64)
	widen  func(dst []float64, src []float32)
}{convert[float32, float64], convert[float64, float32]}

func convert[T, S Float](dst []T, src []S) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = T(v)
	}
}
