package kernel

import "math"

// A Rule updates parameters w by their gradients g and by what is remembered of
// them, in one pass: s has as many arrays as the rule says, of w's length.
type Rule[T Float] func(w, g []T, s [3][]T, k Settings)

// Settings are the numbers of a step, the same for all elements. A rule uses
// what it names.
type Settings struct {
	Rate, Decay, Beta1, Beta2, Epsilon float64
	A, B, C                            float64 // of the rule alone
	Decoupled                          bool    // the decay shrinks w, and does not pass through the gradient
	First                              bool    // the Param's first step
	Nesterov                           bool    // look ahead along the velocity
}

// Update applies a rule, to shared pieces if there are many elements.
func Update[T Float](f Rule[T], w, g []T, s [3][]T, k Settings) {
	n := len(w)
	g = g[:n]
	if n >= sharedWork {
		shareArray(n, ruleUpdate[T]{f, w, g, s, k})
		return
	}
	f(w, g, s, k)
}

type ruleUpdate[T Float] struct {
	f    Rule[T]
	w, g []T
	s    [3][]T
	k    Settings
}

func (t *ruleUpdate[T]) run(piece, _ int) {
	lo, hi := span(piece, len(t.w))
	s := [3][]T{part(t.s[0], lo, hi), part(t.s[1], lo, hi), part(t.s[2], lo, hi)}
	t.f(t.w[lo:hi], t.g[lo:hi], s, t.k)
}

// UpdateRows applies a rule to some rows of w, and of what is remembered of
// them: row i of g is the gradient of row ids[i] of w. The ids differ.
func UpdateRows[T Float](f Rule[T], w, g []T, s [3][]T, k Settings, ids []int) {
	t := rowsUpdate[T]{f, w, g, s, k, ids}
	if pieces := blocks(len(g), sharedPiece); len(g) >= sharedWork && len(ids) >= pieces {
		share(pieces, t)
		return
	}
	t.update(0, len(ids))
}

type rowsUpdate[T Float] struct {
	f    Rule[T]
	w, g []T
	s    [3][]T
	k    Settings
	ids  []int
}

func (t *rowsUpdate[T]) run(piece, _ int) {
	n, pieces := len(t.ids), blocks(len(t.g), sharedPiece)
	t.update(piece*n/pieces, (piece+1)*n/pieces)
}

func (t *rowsUpdate[T]) update(first, end int) {
	width := len(t.g) / max(len(t.ids), 1)
	for i := first; i < end; i++ {
		lo, hi := t.ids[i]*width, (t.ids[i]+1)*width
		s := [3][]T{part(t.s[0], lo, hi), part(t.s[1], lo, hi), part(t.s[2], lo, hi)}
		t.f(t.w[lo:hi], t.g[i*width:(i+1)*width], s, t.k)
	}
}

// SGDRule is [SGD] with momentum Beta1 and the velocity s[0], which may be nil.
func SGDRule[T Float](w, g []T, s [3][]T, k Settings) {
	primitivesOf[T]().sgd(w, g, s[0], k.Rate, k.Beta1, k.Decay, k.Nesterov, k.First)
}

// AdamRule is [Adam] with m and v in s[0] and s[1]. A is 1−β₁ˢ, B √(1−β₂ˢ).
func AdamRule[T Float](w, g []T, s [3][]T, k Settings) {
	primitivesOf[T]().adam(w, g, s[0], s[1], k)
}

// RMSPropRule is [RMSProp] with α = Beta1, momentum Beta2, and v, mean and
// velocity in s, of which the last two may be nil.
func RMSPropRule[T Float](w, g []T, s [3][]T, k Settings) {
	primitivesOf[T]().rmsProp(w, g, s[0], s[1], s[2], k.Rate, k.Beta1, k.Epsilon, k.Beta2, k.Decay)
}

// decays returns what is added to the gradient for each w, and what w is
// multiplied by.
func decays[T Float](k Settings) (added, kept T) {
	if k.Decoupled {
		return 0, T(1 - k.Rate*k.Decay)
	}
	return T(k.Decay), 1
}

// sqrtOf is the square root in float64, which a float32 keeps all digits of.
func sqrtOf[T Float](x T) T { return T(math.Sqrt(float64(x))) }

// DampenedSGD is [SGD] with momentum Beta1, of which A is the part of the
// gradient that enters the velocity after the first step: s[0].
//
//	d = g + decay·w
//	velocity = β₁·velocity + A·d    (velocity = d at the first step)
//	w = w − rate·velocity
func DampenedSGD[T Float](w, g []T, s [3][]T, k Settings) {
	velocity := s[0]
	mu, a, r, l := T(k.Beta1), T(k.A), T(k.Rate), T(k.Decay)
	for i, p := range w {
		d := g[i] + l*p
		if !k.First {
			d = mu*velocity[i] + a*d
		}
		velocity[i] = d
		w[i] = p - r*d
	}
}

// AMSGrad is [Adam] with the greatest v so far, s[2], in place of v; s[0] and
// s[1] are m and v. A is 1−β₁ˢ, B √(1−β₂ˢ).
func AMSGrad[T Float](w, g []T, s [3][]T, k Settings) {
	m, v, most := s[0], s[1], s[2]
	added, kept := decays[T](k)
	b1, b2, c1, c2, e := T(k.Beta1), T(k.Beta2), T(1-k.Beta1), T(1-k.Beta2), T(k.Epsilon)
	r, correction := T(k.Rate/k.A), T(k.B)
	for i, p := range w {
		d := g[i] + added*p
		mean, square := b1*m[i]+c1*d, b2*v[i]+c2*d*d
		greatest := max(most[i], square)
		m[i], v[i], most[i] = mean, square, greatest
		w[i] = p*kept - r*(mean/(sqrtOf(greatest)/correction+e))
	}
}

// Adagrad divides by the root of the sum of all squares, s[0].
//
//	d = g + decay·w,  sum = sum + d²
//	w = w − rate·d / (√sum + eps)
func Adagrad[T Float](w, g []T, s [3][]T, k Settings) {
	sum := s[0]
	r, l, e := T(k.Rate), T(k.Decay), T(k.Epsilon)
	for i, p := range w {
		d := g[i] + l*p
		square := sum[i] + d*d
		sum[i] = square
		w[i] = p - r*(d/(sqrtOf(square)+e))
	}
}

// Adadelta measures gradients, s[0], and updates, s[1], by the roots of running
// means of their squares.
//
//	d = g + decay·w,  v = β₁·v + (1−β₁)·d²
//	u = d·√(updates + eps) / √(v + eps),  updates = β₁·updates + (1−β₁)·u²
//	w = w − rate·u
func Adadelta[T Float](w, g []T, s [3][]T, k Settings) {
	v, updates := s[0], s[1]
	r, l, b, c, e := T(k.Rate), T(k.Decay), T(k.Beta1), T(1-k.Beta1), T(k.Epsilon)
	for i, p := range w {
		d := g[i] + l*p
		square := b*v[i] + c*d*d
		u := sqrtOf(updates[i]+e) / sqrtOf(square+e) * d
		v[i], updates[i] = square, b*updates[i]+c*u*u
		w[i] = p - r*u
	}
}

// Adamax divides a running mean, s[0], by the largest gradient of late, s[1]. A
// is 1−β₁ˢ.
//
//	d = g + decay·w,  m = β₁·m + (1−β₁)·d
//	most = max(β₂·most, |d| + eps)
//	w = w − rate/A · m/most
func Adamax[T Float](w, g []T, s [3][]T, k Settings) {
	m, most := s[0], s[1]
	r, l, b1, b2, c1, e := T(k.Rate/k.A), T(k.Decay), T(k.Beta1), T(k.Beta2), T(1-k.Beta1), T(k.Epsilon)
	for i, p := range w {
		d := g[i] + l*p
		mean, greatest := b1*m[i]+c1*d, max(b2*most[i], T(math.Abs(float64(d)))+e)
		m[i], most[i] = mean, greatest
		w[i] = p - r*(mean/greatest)
	}
}

// NAdam is Adam whose step looks ahead along the mean; s[0] and s[1] are m and
// v. A and B are the rates of the gradient and the mean, C is √(1−β₂ˢ), and
// Rate counts for the decoupled decay alone.
//
//	d = g + decay·w (or w = w − rate·decay·w),  m, v as in Adam
//	w = w − (A·d + B·m) / (√v/C + eps)
func NAdam[T Float](w, g []T, s [3][]T, k Settings) {
	m, v := s[0], s[1]
	added, kept := decays[T](k)
	b1, b2, c1, c2, e := T(k.Beta1), T(k.Beta2), T(1-k.Beta1), T(1-k.Beta2), T(k.Epsilon)
	a, b, c := T(k.A), T(k.B), T(k.C)
	for i, p := range w {
		d := g[i] + added*p
		mean, square := b1*m[i]+c1*d, b2*v[i]+c2*d*d
		m[i], v[i] = mean, square
		w[i] = p*kept - (a*d+b*mean)/(sqrtOf(square)/c+e)
	}
}

// RAdam is Adam, with m and v in s[0] and s[1], that does not divide by √v
// before enough of it is known. A is 1−β₁ˢ, B √(1−β₂ˢ) times the rectification,
// or 0 where it is not known yet.
//
//	d = g + decay·w (or w = w − rate·decay·w),  m, v as in Adam
//	w = w − rate · m/A · B/(√v + eps)    (while B is 0: w − rate · m/A)
func RAdam[T Float](w, g []T, s [3][]T, k Settings) {
	m, v := s[0], s[1]
	added, kept := decays[T](k)
	b1, b2, c1, c2, e := T(k.Beta1), T(k.Beta2), T(1-k.Beta1), T(1-k.Beta2), T(k.Epsilon)
	r, b := T(k.Rate/k.A), T(k.B)
	for i, p := range w {
		d := g[i] + added*p
		mean, square := b1*m[i]+c1*d, b2*v[i]+c2*d*d
		m[i], v[i] = mean, square
		if b != 0 {
			mean *= b / (sqrtOf(square) + e)
		}
		w[i] = p*kept - r*mean
	}
}

// Lion steps by the rate in the direction of a mean, s[0], whatever its size.
//
//	c = β₁·m + (1−β₁)·g,  m = β₂·m + (1−β₂)·g
//	w = w − rate·decay·w − rate·signOf(c)
func Lion[T Float](w, g []T, s [3][]T, k Settings) {
	m := s[0]
	r, kept := T(k.Rate), T(1-k.Rate*k.Decay)
	b1, b2, c1, c2 := T(k.Beta1), T(k.Beta2), T(1-k.Beta1), T(1-k.Beta2)
	for i, p := range w {
		c := b1*m[i] + c1*g[i]
		m[i] = b2*m[i] + c2*g[i]
		w[i] = p*kept - r*signOf(c)
	}
}

// signOf is −1, 0 or 1, and NaN for NaN.
func signOf[T Float](x T) T {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

// LAMB writes the direction of a step to s[2]; s[0] and s[1] are m and v of
// [Adam]. A is 1−β₁ˢ, B √(1−β₂ˢ). How far to go depends on all elements.
//
//	u = m/A / (√v/B + eps) + decay·w
func LAMB[T Float](w, g []T, s [3][]T, k Settings) {
	m, v, u := s[0], s[1], s[2]
	b1, b2, c1, c2, e := T(k.Beta1), T(k.Beta2), T(1-k.Beta1), T(1-k.Beta2), T(k.Epsilon)
	a, b, l := T(k.A), T(k.B), T(k.Decay)
	for i, p := range w {
		mean, square := b1*m[i]+c1*g[i], b2*v[i]+c2*g[i]*g[i]
		m[i], v[i] = mean, square
		u[i] = mean/a/(sqrtOf(square)/b+e) + l*p
	}
}

// Along goes from w by the rate in the direction of s[2].
func Along[T Float](w, _ []T, s [3][]T, k Settings) {
	u, r := s[2], T(k.Rate)
	for i, p := range w {
		w[i] = p - r*u[i]
	}
}

// Rprop has a step size for each element, s[1], which grows by the factor B
// while the sign of the gradient stays and shrinks by A when it changes, within
// Beta1 and Beta2; s[0] is the last gradient. After a change of sign the
// gradient counts as 0, so that nothing moves and nothing changes next time.
func Rprop[T Float](w, g []T, s [3][]T, k Settings) {
	last, size := s[0], s[1]
	down, up, least, most := T(k.A), T(k.B), T(k.Beta1), T(k.Beta2)
	for i, d := range g {
		step := size[i]
		switch turn := signOf(d) * signOf(last[i]); {
		case turn > 0:
			step *= up
		case turn < 0:
			step *= down
			d = 0
		}
		step = min(max(step, least), most)
		w[i] -= signOf(d) * step
		last[i], size[i] = d, step
	}
}
