package xla

import "math"

// of1 lowers a function of one element.
func of1(f func(x value) value) lowering { return func(c *call) value { return f(c.in[0]) } }

// of1k lowers a function of one element and a constant.
func of1k(f func(x value, a float64) value) lowering {
	return func(c *call) value { return f(c.in[0], c.a()) }
}

// of2 lowers a function of two elements, of operands that broadcast.
func of2(f func(x, y value) value) lowering {
	return func(c *call) value { return f(c.in[0].expand(c.shape), c.in[1].expand(c.shape)) }
}

// of3 lowers a function of three elements.
func of3(f func(x, y, z value) value) lowering {
	return func(c *call) value {
		return f(c.in[0].expand(c.shape), c.in[1].expand(c.shape), c.in[2].expand(c.shape))
	}
}

var arithmetic = map[string]lowering{
	"add":        of2(value.add),
	"sub":        of2(value.sub),
	"mul":        of2(value.mul),
	"div":        of2(value.div),
	"pow":        of2(value.pow),
	"atan2":      of2(value.atan2),
	"hypot":      of2(value.hypot),
	"fmod":       of2(value.fmod),
	"remainder":  of2(value.remainder),
	"lerp":       of3(lerp),
	"neg":        of1(value.neg),
	"mul scalar": of1k(value.times),
	"add scalar": of1k(value.plus),
	"pow scalar": of1k(value.power),
	"square":     of1(value.square),
	"sqrt":       of1(value.sqrt),
	"rsqrt":      of1(value.rsqrt),
	"reciprocal": of1(func(x value) value { return x.like(1).div(x) }),
	"cbrt":       of1(func(x value) value { return x.unary("stablehlo.cbrt") }),
	"abs":        of1(value.abs),
	"sign":       of1(value.sign),
	"floor":      of1(value.floor),
	"ceil":       of1(value.ceil),
	"trunc":      of1(value.trunc),
	"round":      of1(func(x value) value { return x.unary("stablehlo.round_nearest_even") }),
}

// power is xᵃ for a number a.
func (x value) power(a float64) value {
	switch a {
	case 0:
		return x.like(1)
	case 1:
		return x
	case 2:
		return x.mul(x)
	}
	return x.pow(x.like(a))
}

func (y value) atan2(x value) value { return y.binary("atan2", x) }

func (x value) ceil() value { return x.unary("stablehlo.ceil") }

func (x value) trunc() value { return x.is("LT", 0).pick(x.ceil(), x.floor()) }

// hypot leaves the range only if the result does.
func (x value) hypot(y value) value {
	a, b := x.abs(), y.abs()
	most, least := a.max(b), a.min(b)
	ratio := most.is("EQ", 0).pick(most, least.div(most))
	h := most.mul(ratio.mul(ratio).plus(1).sqrt())
	infinite := a.is("EQ", math.Inf(1)).or(b.is("EQ", math.Inf(1)))
	return infinite.pick(x.like(math.Inf(1)), h)
}

// fmod has the sign of x, remainder that of y.
func (x value) fmod(y value) value { return x.binary("remainder", y) }

func (x value) remainder(y value) value {
	rest := x.fmod(y)
	return rest.otherSign(y).pick(rest.add(y), rest)
}

// otherSign says where a rest is not zero and has another sign than y.
func (rest value) otherSign(y value) value {
	return rest.is("NE", 0).and(rest.is("LT", 0).compareTruth("NE", y.is("LT", 0)))
}

// compareTruth compares truth values.
func (x value) compareTruth(direction string, y value) value {
	if direction == "NE" {
		return x.binary("xor", y)
	}
	return x.binary("xor", y).not()
}

func lerp(x, end, weight value) value {
	d := end.sub(x)
	rest := weight.like(1).sub(weight)
	near := weight.is("LT", 0.5).pick(x.add(weight.mul(d)), end.sub(rest.mul(d)))
	return d.isFinite().pick(near, rest.mul(x).add(weight.mul(end)))
}

func (x value) isFinite() value { return x.abs().is("LT", math.Inf(1)) }

var transcendental = map[string]lowering{
	"exp":       of1(value.exp),
	"expm1":     of1(value.expm1),
	"log":       of1(value.log),
	"log1p":     of1(value.log1p),
	"log2":      of1(func(x value) value { return x.log().times(1 / math.Ln2) }),
	"log10":     of1(func(x value) value { return x.log().times(1 / math.Ln10) }),
	"logaddexp": of2(logAddExp),
	"sin":       of1(value.sin),
	"cos":       of1(value.cos),
	"tan":       of1(func(x value) value { return x.chlo("tan") }),
	"asin":      of1(func(x value) value { return x.atan2(x.circle().sqrt()) }),
	"acos": of1(func(x value) value {
		one := x.like(1)
		return one.sub(x).sqrt().atan2(one.add(x).sqrt()).times(2)
	}),
	"atan":      of1(func(x value) value { return x.atan2(x.like(1)) }),
	"sinh":      of1(func(x value) value { return x.chlo("sinh") }),
	"cosh":      of1(func(x value) value { return x.chlo("cosh") }),
	"tanh":      of1(value.tanh),
	"asinh":     of1(func(x value) value { return x.chlo("asinh") }),
	"acosh":     of1(func(x value) value { return x.chlo("acosh") }),
	"atanh":     of1(func(x value) value { return x.chlo("atanh") }),
	"erf":       of1(value.erf),
	"erfc":      of1(value.erfc),
	"erfinv":    of1(func(x value) value { return x.chlo("erf_inv") }),
	"logit":     of1(logit),
	"sinc":      of1k(func(x value, order float64) value { return sinc(x.like(1), x, int(order)) }),
	"lgamma":    of1(func(x value) value { return x.chlo("lgamma") }),
	"digamma":   of1(func(x value) value { return x.chlo("digamma") }),
	"polygamma": of1k(func(x value, order float64) value { return polygamma(x, order) }),
}

func (x value) erf() value  { return x.chlo("erf") }
func (x value) erfc() value { return x.chlo("erfc") }

// circle is 1 − x², without cancellation at ±1.
func (x value) circle() value {
	one := x.like(1)
	return one.sub(x).mul(one.add(x))
}

// decay is e^(−|x|).
func (x value) decay() value { return x.abs().neg().exp() }

func logAddExp(x, y value) value {
	d := x.sub(y)
	same := x.compare("EQ", y)
	return x.max(y).add(same.pick(d.like(1), d.decay()).log1p())
}

func logit(x value) value {
	one := x.like(1)
	middle := x.is("GE", 0.25).and(x.is("LE", 0.75))
	near := x.times(2).plus(-1).div(one.sub(x)).log1p()
	return middle.pick(near, x.div(one.sub(x)).log())
}

func polygamma(x value, order float64) value {
	if order == 0 {
		return x.chlo("digamma")
	}
	n := x.like(order)
	return x.p.op(x.kind, x.shape, "chlo.polygamma "+n.name+", "+x.name+" : "+n.typ()+", "+x.typ()+" -> "+x.typ())
}

// sinc is gy times the derivative of order n of sin(πx)/(πx): near 0 the power
// series, elsewhere upwards from order 0.
func sinc(gy, x value, n int) value {
	most := x.abs()
	u := most.times(math.Pi)
	near := sincSeries(u.mul(u), n)
	whole := most.unary("stablehlo.round_nearest_even")
	rest := most.sub(whole)
	odd := whole.sub(whole.times(0.5).floor().times(2)).is("NE", 0)
	sin, cos := rest.times(math.Pi).sin(), rest.times(math.Pi).cos()
	sin, cos = odd.pick(sin.neg(), sin), odd.pick(cos.neg(), cos)
	safe := most.is("EQ", 0).pick(most.like(1), most)
	far, scale := sin.over(math.Pi).div(safe), 1/math.Pi
	for k := 1; k <= n; k++ {
		sin, cos = cos, sin.neg()
		scale *= math.Pi
		far = sin.times(scale).sub(far.times(float64(k))).div(safe)
	}
	if n%2 == 1 {
		far = x.is("LT", 0).pick(far.neg(), far)
		near = near.times(math.Pi).mul(x)
	}
	return gy.mul(u.is("LT", float64(n)+1.5).pick(near, far))
}

// sincSeries returns πⁿ times the power series, divided by u if n is odd.
func sincSeries(square value, n int) value {
	low := n % 2
	factor := math.Pow(math.Pi, float64(n))
	if (n+low)/2%2 == 1 {
		factor = -factor
	}
	reach := (float64(n) + 1.5) * (float64(n) + 1.5)
	var factors []float64
	for power, k, size := low, n+low, 1.0; size > 0x1p-70; power, k = power+2, k+2 {
		factors = append(factors, factor/float64(k+1))
		next := float64((power + 1) * (power + 2))
		factor /= -next
		size *= reach / next
	}
	sum := square.like(0)
	for i := len(factors) - 1; i >= 0; i-- {
		sum = sum.mul(square).plus(factors[i])
	}
	return sum
}

var activations = map[string]lowering{
	"relu":       of1(func(x value) value { return x.max(x.like(0)) }),
	"relu6":      of1(func(x value) value { return x.clamp(0, 6) }),
	"leaky relu": of1k(func(x value, a float64) value { return x.is("LE", 0).pick(x.times(a), x) }),
	"prelu":      of2(func(x, slope value) value { return x.is("GT", 0).pick(x, x.mul(slope)) }),
	"elu":        of1k(func(x value, a float64) value { return x.is("GT", 0).pick(x, x.expm1().times(a)) }),
	"selu":       of1(func(x value) value { return x.is("GT", 0).pick(x, x.expm1().times(seluAlpha)).times(seluScale) }),
	"celu":       of1k(func(x value, a float64) value { return x.is("GT", 0).pick(x, x.over(a).expm1().times(a)) }),
	"gelu":       of1(func(x value) value { return x.gate(x.normal()) }),
	"gelu tanh": of1(func(x value) value {
		p, _ := x.geluTanh()
		return x.gate(p)
	}),
	"silu": of1(func(x value) value { return x.gate(x.sigmoid()) }),
	"mish": of1(func(x value) value {
		t, _ := x.mish()
		return x.gate(t)
	}),
	"softplus":     of1k(value.softplus),
	"softsign":     of1(softsign),
	"sigmoid":      of1(value.sigmoid),
	"log sigmoid":  of1(func(x value) value { return x.neg().softplus(1).neg() }),
	"hard sigmoid": of1(func(x value) value { return x.plus(3).clamp(0, 6).over(6) }),
	"hard swish": of1(func(x value) value {
		middle := x.mul(x.plus(3)).over(6)
		return x.is("LE", -3).pick(x.like(0), x.is("GE", 3).pick(x, middle))
	}),
	"hard shrink": of1k(func(x value, a float64) value { return x.abs().is("LE", a).pick(x.like(0), x) }),
	"hard tanh":   clamped,
}

const (
	seluScale = 1.0507009873554804934193349852946
	seluAlpha = 1.6732632423543772848170429916717
	geluScale = 2 * math.Sqrt2 / math.SqrtPi
	geluCubic = 0.044715
)

func clamped(c *call) value { return c.in[0].clamp(c.a(), c.b()) }

func (x value) clamp(lo, hi float64) value { return x.max(x.like(lo)).min(x.like(hi)) }

// gate is x·p for a probability p, 0 where p is.
func (x value) gate(p value) value { return p.is("EQ", 0).pick(p, x.mul(p)) }

// gateSlope is (x·p)′ for the derivative of p.
func (x value) gateSlope(p, slope value) value { return slope.is("EQ", 0).pick(p, p.add(x.mul(slope))) }

// normal is the normal distribution function.
func (x value) normal() value { return x.times(-math.Sqrt2 / 2).erfc().times(0.5) }

func (x value) geluTanh() (p, slope value) {
	u := x.mul(x.mul(x).times(geluCubic).plus(1)).times(geluScale)
	return u.sigmoid(), u.sigmoidSlope()
}

func (x value) sigmoid() value {
	e := x.decay()
	return x.is("LT", 0).pick(e, e.like(1)).div(e.plus(1))
}

func (x value) sigmoidSlope() value {
	e := x.decay()
	return e.div(e.plus(1).square())
}

// mish is tanh(ln(1+eˣ)) and its derivative, as fractions in e^(−|x|).
func (x value) mish() (t, slope value) {
	e, positive := x.decay(), x.is("GT", 0)
	one := e.like(1)
	right := e.mul(e).times(2).add(e.times(2)).add(one)
	left := e.mul(e).add(e.times(2)).plus(2)
	t = positive.pick(one.add(e.times(2)).div(right), e.mul(e.plus(2)).div(left))
	slope = positive.pick(e.mul(e).mul(e.add(one)).times(4).div(right.square()), e.mul(e.add(one)).times(4).div(left.square()))
	return t, slope
}

func (x value) softplus(a float64) value {
	power := x.times(a)
	line := power.is("GT", 0).pick(x, x.like(0))
	return line.add(power.decay().log1p().over(a))
}

func softsign(x value) value {
	y := x.div(x.abs().plus(1))
	return x.abs().is("EQ", math.Inf(1)).pick(x.sign(), y)
}

var comparisons = map[string]lowering{
	"maximum":              of2(value.max),
	"minimum":              of2(value.min),
	"clamp":                clamped,
	"where":                of3(func(c, x, y value) value { return c.is("NE", 0).pick(x, y) }),
	"kink":                 of1(func(x value) value { return x }),
	"equal":                compared("EQ"),
	"not equal":            compared("NE"),
	"less":                 compared("LT"),
	"less equal":           compared("LE"),
	"greater":              compared("GT"),
	"greater equal":        compared("GE"),
	"equal scalar":         comparedWith("EQ"),
	"not equal scalar":     comparedWith("NE"),
	"less scalar":          comparedWith("LT"),
	"less equal scalar":    comparedWith("LE"),
	"greater scalar":       comparedWith("GT"),
	"greater equal scalar": comparedWith("GE"),
}

func compared(direction string) lowering {
	return of2(func(x, y value) value { return x.compare(direction, y).asNumbers() })
}

func comparedWith(direction string) lowering {
	return of1k(func(x value, a float64) value { return x.is(direction, a).asNumbers() })
}

var crossEntropies = map[string]lowering{
	"binary cross entropy": of2(func(p, y value) value {
		hit, miss := p.log().max(p.like(-100)), p.neg().log1p().max(p.like(-100))
		return y.mul(hit).add(y.like(1).sub(y).mul(miss)).neg()
	}),
	"binary cross entropy logits": of2(func(x, y value) value {
		rest := x.decay().log1p()
		return x.is("GT", 0).pick(x.mul(y.like(1).sub(y)).add(rest), rest.sub(x.mul(y)))
	}),
	"cross entropy": of2(func(p, y value) value { return y.mul(p.log().max(p.like(-100))).neg() }),
}

// slope1 lowers the derivative of a function of one element, times an incoming
// gradient.
func slope1(f func(gy, x value) value) lowering {
	return func(c *call) value { return f(c.in[0], c.in[1]) }
}

// slope1k is slope1 for a function with a constant.
func slope1k(f func(gy, x value, a float64) value) lowering {
	return func(c *call) value { return f(c.in[0], c.in[1], c.a()) }
}

const erfSlope = 2 / math.SqrtPi

var slopes = map[string]lowering{
	"pow scalar gradient": slope1k(func(gy, x value, a float64) value { return gy.mul(powerSlope(x, a)) }),
	"cbrt gradient": slope1(func(gy, x value) value {
		root := x.unary("stablehlo.cbrt")
		return gy.div(root.mul(root).times(3))
	}),
	"expm1 gradient": slope1(func(gy, x value) value { return gy.mul(x.exp()) }),
	"asin gradient":  slope1(func(gy, x value) value { return gy.div(x.circle().sqrt()) }),
	"acos gradient":  slope1(func(gy, x value) value { return gy.neg().div(x.circle().sqrt()) }),
	"atan gradient":  slope1(atanSlope),
	"asinh gradient": slope1(func(gy, x value) value { return gy.div(x.hypot(x.like(1))) }),
	"acosh gradient": slope1(func(gy, x value) value { return gy.div(x.plus(-1).sqrt().mul(x.plus(1).sqrt())) }),
	"atanh gradient": slope1(func(gy, x value) value { return gy.div(x.circle()) }),
	"tanh gradient": slope1(func(gy, x value) value {
		return gy.mul(x.times(2).sigmoidSlope().times(4))
	}),
	"erf gradient":  slope1(func(gy, x value) value { return gy.mul(x.mul(x).neg().exp().times(erfSlope)) }),
	"erfc gradient": slope1(func(gy, x value) value { return gy.neg().mul(x.mul(x).neg().exp().times(erfSlope)) }),
	"erfinv gradient": slope1(func(gy, x value) value {
		y := x.chlo("erf_inv")
		return gy.mul(y.mul(y).exp().over(erfSlope))
	}),
	"logit gradient": slope1(func(gy, x value) value {
		inside := x.is("GE", 0).and(x.is("LE", 1))
		return inside.pick(gy.div(x.plus(0).mul(x.like(1).sub(x))), x.like(math.NaN()))
	}),
	"sinc gradient":    slope1k(func(gy, x value, order float64) value { return sinc(gy, x, int(order)+1) }),
	"lgamma gradient":  slope1(func(gy, x value) value { return gy.mul(x.chlo("digamma")) }),
	"digamma gradient": slope1(func(gy, x value) value { return gy.mul(polygamma(x, 1)) }),
	"polygamma gradient": slope1k(func(gy, x value, order float64) value {
		return gy.mul(polygamma(x, order+1))
	}),
	"elu gradient": slope1k(func(gy, x value, a float64) value { return x.is("GT", 0).pick(gy, gy.mul(x.exp().times(a))) }),
	"selu gradient": slope1(func(gy, x value) value {
		return x.is("GT", 0).pick(gy, gy.mul(x.exp().times(seluAlpha))).times(seluScale)
	}),
	"celu gradient": slope1k(func(gy, x value, a float64) value { return x.is("GT", 0).pick(gy, gy.mul(x.over(a).exp())) }),
	"gelu gradient": slope1(func(gy, x value) value {
		density := x.mul(x).times(-0.5).exp().over(math.Sqrt2 * math.SqrtPi)
		return gy.mul(x.gateSlope(x.normal(), density))
	}),
	"gelu tanh gradient": slope1(func(gy, x value) value {
		p, slope := x.geluTanh()
		inner := x.mul(x).times(3 * geluCubic).plus(1).times(geluScale)
		return gy.mul(x.gateSlope(p, slope.is("EQ", 0).pick(slope, slope.mul(inner))))
	}),
	"silu gradient": slope1(func(gy, x value) value { return gy.mul(x.gateSlope(x.sigmoid(), x.sigmoidSlope())) }),
	"mish gradient": slope1(func(gy, x value) value {
		t, slope := x.mish()
		return gy.mul(x.gateSlope(t, slope))
	}),
	"softplus gradient":    slope1k(func(gy, x value, a float64) value { return gy.mul(x.times(a).sigmoid()) }),
	"sigmoid gradient":     slope1(func(gy, x value) value { return gy.mul(x.sigmoidSlope()) }),
	"log sigmoid gradient": slope1(func(gy, x value) value { return gy.mul(x.neg().sigmoid()) }),

	"div gradient": of3(func(gy, x, y value) value { return gy.neg().mul(x).div(y).div(y) }),
	"pow gradient": of3(func(gy, x, y value) value {
		slope := gy.mul(y.mul(x.pow(y.plus(-1))))
		return y.is("EQ", 0).pick(y.like(0), slope)
	}),
	"logaddexp gradient": of3(func(gy, x, y value) value {
		same := x.compare("EQ", y)
		lowest := x.is("EQ", math.Inf(-1))
		p := same.pick(lowest.pick(x.like(0), x.like(0.5)), x.sub(y).sigmoid())
		return gy.mul(p)
	}),
	"hypot gradient": of3(func(gy, x, y value) value {
		h := x.hypot(y)
		return h.is("EQ", 0).pick(h, gy.mul(x.div(h)))
	}),
	"atan2 gradient": of3(func(gy, y, x value) value {
		h := x.hypot(y)
		still := h.is("EQ", 0).or(h.is("EQ", math.Inf(1)))
		return still.pick(h.like(0), gy.mul(x.div(h)).div(h))
	}),
	"fmod gradient": of3(func(gy, x, y value) value { return gy.neg().mul(quotient(x, y)) }),
	"remainder gradient": of3(func(gy, x, y value) value {
		slope := gy.neg().mul(quotient(x, y))
		return x.fmod(y).otherSign(y).pick(slope.add(gy), slope)
	}),
	"binary cross entropy gradient": of3(func(gy, p, y value) value {
		return gy.mul(p.sub(y).div(p.mul(p.like(1).sub(p)).max(p.like(1e-12))))
	}),
}

// powerSlope is a·xᵃ⁻¹.
func powerSlope(x value, a float64) value {
	if a == 0 {
		return x.like(0)
	}
	return x.power(a - 1).times(a)
}

// atanSlope divides twice where the square would overflow.
func atanSlope(gy, x value) value {
	near := gy.div(x.mul(x).plus(1))
	return x.abs().is("GT", 1e15).pick(gy.div(x).div(x), near)
}

// quotient is x/y without its fraction, which rounding may hide.
func quotient(x, y value) value {
	rest := x.fmod(y)
	exact := x.sub(rest).div(y).unary("stablehlo.round_nearest_even")
	return y.isFinite().and(rest.isFinite()).pick(exact, x.div(y).trunc())
}
