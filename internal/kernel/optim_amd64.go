package kernel

import "math"

// updates are the assembly loops of the optimizers in one precision, over n > 0 elements.
type updates[T Float] struct {
	plain    func(w, g *T, n int, rate, decay T)
	momentum func(w, g, v *T, n int, rate, momentum, decay T)
	nesterov func(w, g, v *T, n int, rate, momentum, decay T)
	adam     func(w, g, m, v *T, n int, decay, keep, beta1, beta2, rest1, rest2, rate, root, eps T)
	rmsProp  func(w, g, v *T, n int, rate, alpha, rest, eps, decay T)
}

var (
	updates32 = updates[float32]{sgd32AVX2, sgdMomentum32AVX2, sgdNesterov32AVX2, adam32AVX2, rmsProp32AVX2}
	updates64 = updates[float64]{sgd64AVX2, sgdMomentum64AVX2, sgdNesterov64AVX2, adam64AVX2, rmsProp64AVX2}
)

// sgdStep leaves the first step with momentum, which only writes the velocity, to the portable loop.
func (u *updates[T]) sgdStep(w, g, velocity []T, rate, momentum, decay float64, nesterov, first bool) {
	n := len(w)
	switch {
	case n == 0:
	case velocity == nil:
		g = g[:n]
		u.plain(&w[0], &g[0], n, T(rate), T(decay))
	case first:
		sgd(w, g, velocity, rate, momentum, decay, nesterov, first)
	case nesterov:
		g, velocity = g[:n], velocity[:n]
		u.nesterov(&w[0], &g[0], &velocity[0], n, T(rate), T(momentum), T(decay))
	default:
		g, velocity = g[:n], velocity[:n]
		u.momentum(&w[0], &g[0], &velocity[0], n, T(rate), T(momentum), T(decay))
	}
}

func (u *updates[T]) adamStep(w, g, m, v []T, rate, beta1, beta2, eps, decay float64, decoupled bool, step int) {
	n := len(w)
	if n == 0 {
		return
	}
	g, m, v = g[:n], m[:n], v[:n]
	coupledDecay, keep := T(decay), T(1)
	if decoupled {
		coupledDecay, keep = 0, T(1-rate*decay)
	}
	r := T(rate / (1 - math.Pow(beta1, float64(step))))
	root := T(math.Sqrt(1 - math.Pow(beta2, float64(step))))
	u.adam(&w[0], &g[0], &m[0], &v[0], n, coupledDecay, keep, T(beta1), T(beta2), T(1-beta1), T(1-beta2), r, root, T(eps))
}

// rmsPropStep leaves the centered form and that with momentum to the portable loop.
func (u *updates[T]) rmsPropStep(w, g, v, mean, velocity []T, rate, alpha, eps, momentum, decay float64) {
	n := len(w)
	switch {
	case n == 0:
	case mean != nil || velocity != nil:
		rmsProp(w, g, v, mean, velocity, rate, alpha, eps, momentum, decay)
	default:
		g, v = g[:n], v[:n]
		u.rmsProp(&w[0], &g[0], &v[0], n, T(rate), T(alpha), T(1-alpha), T(eps), T(decay))
	}
}
