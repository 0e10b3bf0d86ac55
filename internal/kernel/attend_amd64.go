package kernel

import "math"

// scoring returns the loops of attention over rows that are not empty.
func (l *vectors[T]) scoring() scoring[T] {
	portable := portableScoring[T]()
	return scoring[T]{
		largest: func(x []T) T { return l.largest(&x[0], len(x)) },
		powers: func(dst, x []T, most T) float64 {
			if len(x) == 0 || isHuge(most) {
				return portable.powers(dst, x, most)
			}
			return l.shiftedExp(&dst[0], &x[0], len(x), most, nearestPower(most))
		},
		between: func(from, to T) float64 {
			if isHuge(from) || isHuge(to) {
				return portable.between(from, to)
			}
			return math.Ldexp(1, int(nearestPower(from)-nearestPower(to)))
		},
		dot: func(x, y []T) float64 {
			if len(x) == 0 {
				return 0
			}
			return l.dot(&x[0], &y[0], len(x))
		},
		slope: func(dst, gy, y []T, mean float64) {
			if len(y) > 0 {
				l.softmaxGrad(&dst[0], &gy[0], &y[0], len(y), mean)
			}
		},
	}
}

// nearestPower returns the k for which k·ln 2 is nearest to x.
func nearestPower[T Float](x T) float64 { return math.RoundToEven(float64(x) * math.Log2E) }
