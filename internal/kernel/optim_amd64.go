package kernel

// sgdStep leaves the first step with momentum, which does not read the
// velocity, to the portable loop.
func (l *vectors[T]) sgdStep(w, g, velocity []T, rate, momentum, decay float64, nesterov, first bool) {
	n := len(w)
	switch {
	case n == 0:
	case velocity == nil:
		g = g[:n]
		l.sgd(&w[0], &g[0], n, T(rate), T(decay))
	case first:
		sgd(w, g, velocity, rate, momentum, decay, nesterov, first)
	case nesterov:
		g, velocity = g[:n], velocity[:n]
		l.sgdNesterov(&w[0], &g[0], &velocity[0], n, T(rate), T(momentum), T(decay))
	default:
		g, velocity = g[:n], velocity[:n]
		l.sgdMomentum(&w[0], &g[0], &velocity[0], n, T(rate), T(momentum), T(decay))
	}
}

func (l *vectors[T]) adamStep(w, g, m, v []T, k Settings) {
	n := len(w)
	if n == 0 {
		return
	}
	g, m, v = g[:n], m[:n], v[:n]
	coupledDecay, keep := decays[T](k)
	l.adam(&w[0], &g[0], &m[0], &v[0], n, coupledDecay, keep, T(k.Beta1), T(k.Beta2), T(1-k.Beta1), T(1-k.Beta2), T(k.Rate/k.A), T(k.B), T(k.Epsilon))
}

// rmsPropStep leaves the forms that are centered or have momentum to the
// portable loop.
func (l *vectors[T]) rmsPropStep(w, g, v, mean, velocity []T, rate, alpha, eps, momentum, decay float64) {
	n := len(w)
	switch {
	case n == 0:
	case mean != nil || velocity != nil:
		rmsProp(w, g, v, mean, velocity, rate, alpha, eps, momentum, decay)
	default:
		g, v = g[:n], v[:n]
		l.rmsProp(&w[0], &g[0], &v[0], n, T(rate), T(alpha), T(1-alpha), T(eps), T(decay))
	}
}
