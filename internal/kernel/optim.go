package kernel

import "math"

// SGD updates the parameters w by their gradients g, in one pass.
//
//	d = g + decay·w
//	velocity = momentum·velocity + d            (velocity = d at the first step)
//	w = w − rate·velocity                       (Nesterov: w − rate·(d + momentum·velocity))
//
// A nil velocity means no momentum: w = w − rate·d.
func SGD[T Float](w, g, velocity []T, rate, momentum, decay float64, nesterov, first bool) {
	if len(w) == 1 && velocity == nil { // a network of scalars has many such
		w[0] -= T(rate) * (g[0] + T(decay)*w[0])
		return
	}
	if n := len(w); n >= sharedUpdate {
		shareArray(n, sgdUpdate[T]{w, g[:n], part(velocity, 0, n), rate, momentum, decay, nesterov, first})
		return
	}
	primitivesOf[T]().sgd(w, g, velocity, rate, momentum, decay, nesterov, first)
}

type sgdUpdate[T Float] struct {
	w, g, velocity        []T
	rate, momentum, decay float64
	nesterov, first       bool
}

func (t *sgdUpdate[T]) run(piece, _ int) {
	lo, hi := span(piece, len(t.w))
	primitivesOf[T]().sgd(t.w[lo:hi], t.g[lo:hi], part(t.velocity, lo, hi), t.rate, t.momentum, t.decay, t.nesterov, t.first)
}

func sgd[T Float](w, g, velocity []T, rate, momentum, decay float64, nesterov, first bool) {
	r, mu, l := T(rate), T(momentum), T(decay)
	g = g[:len(w)]
	if velocity == nil {
		for i, p := range w {
			w[i] = p - r*(g[i]+l*p)
		}
		return
	}
	velocity = velocity[:len(w)]
	for i, p := range w {
		d := g[i] + l*p
		v := d
		if !first {
			v += mu * velocity[i]
		}
		velocity[i] = v
		if nesterov {
			v = d + mu*v
		}
		w[i] = p - r*v
	}
}

// Adam updates the parameters w by their gradients g, with the running means m
// of the gradients and v of their squares, in one pass. Steps count from 1.
//
//	g = g + decay·w                             (decoupled, AdamW: w = w − rate·decay·w instead)
//	m = β₁·m + (1−β₁)·g,  v = β₂·v + (1−β₂)·g²
//	w = w − rate/(1−β₁ˢᵗᵉᵖ) · m / (√v/√(1−β₂ˢᵗᵉᵖ) + eps)
func Adam[T Float](w, g, m, v []T, rate, beta1, beta2, eps, decay float64, decoupled bool, step int) {
	k := Settings{Rate: rate, Decay: decay, Beta1: beta1, Beta2: beta2, Epsilon: eps, Decoupled: decoupled}
	k.A, k.B = 1-math.Pow(beta1, float64(step)), math.Sqrt(1-math.Pow(beta2, float64(step)))
	if n := len(w); n >= sharedWork {
		shareArray(n, adamUpdate[T]{w, g[:n], m[:n], v[:n], k})
		return
	}
	primitivesOf[T]().adam(w, g, m, v, k)
}

type adamUpdate[T Float] struct {
	w, g, m, v []T
	k          Settings
}

func (t *adamUpdate[T]) run(piece, _ int) {
	lo, hi := span(piece, len(t.w))
	primitivesOf[T]().adam(t.w[lo:hi], t.g[lo:hi], t.m[lo:hi], t.v[lo:hi], t.k)
}

func adam[T Float](w, g, m, v []T, k Settings) {
	coupledDecay, keep := decays[T](k)
	b1, b2, c1, c2, e := T(k.Beta1), T(k.Beta2), T(1-k.Beta1), T(1-k.Beta2), T(k.Epsilon)
	r, root := T(k.Rate/k.A), T(k.B)
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	for i, p := range w {
		d := g[i] + coupledDecay*p
		mean := b1*m[i] + c1*d
		square := b2*v[i] + c2*d*d
		m[i], v[i] = mean, square
		w[i] = p*keep - r*(mean/(T(math.Sqrt(float64(square)))/root+e))
	}
}

// RMSProp updates the parameters w by their gradients g, with the running mean
// v of the squared gradients, in one pass.
//
//	g = g + decay·w
//	v = alpha·v + (1−alpha)·g²
//	d = g / (√v + eps)
//	w = w − rate·d
//
// With mean, the running mean of the gradients (nil: not centered), d = g /
// (√(v − mean²) + eps). With velocity (nil: no momentum), velocity =
// momentum·velocity + d and w = w − rate·velocity.
func RMSProp[T Float](w, g, v, mean, velocity []T, rate, alpha, eps, momentum, decay float64) {
	if n := len(w); n >= sharedWork {
		shareArray(n, rmsPropUpdate[T]{w, g[:n], v[:n], part(mean, 0, n), part(velocity, 0, n), rate, alpha, eps, momentum, decay})
		return
	}
	primitivesOf[T]().rmsProp(w, g, v, mean, velocity, rate, alpha, eps, momentum, decay)
}

type rmsPropUpdate[T Float] struct {
	w, g, v, mean, velocity           []T
	rate, alpha, eps, momentum, decay float64
}

func (t *rmsPropUpdate[T]) run(piece, _ int) {
	lo, hi := span(piece, len(t.w))
	primitivesOf[T]().rmsProp(t.w[lo:hi], t.g[lo:hi], t.v[lo:hi], part(t.mean, lo, hi), part(t.velocity, lo, hi), t.rate, t.alpha, t.eps, t.momentum, t.decay)
}

func rmsProp[T Float](w, g, v, mean, velocity []T, rate, alpha, eps, momentum, decay float64) {
	r, a, c, e, mu, l := T(rate), T(alpha), T(1-alpha), T(eps), T(momentum), T(decay)
	g, v = g[:len(w)], v[:len(w)]
	for i, p := range w {
		d := g[i] + l*p
		square := a*v[i] + c*d*d
		v[i] = square
		if mean != nil {
			m := a*mean[i] + c*d
			mean[i] = m
			square = max(square-m*m, 0) // a rounding error may make the difference negative
		}
		d /= T(math.Sqrt(float64(square))) + e
		if velocity != nil {
			d += mu * velocity[i]
			velocity[i] = d
		}
		w[i] = p - r*d
	}
}
