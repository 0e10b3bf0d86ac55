package export

import (
	"math"

	"nabla/autograd"
)

// The error function and its inverse are the approximations of FreeBSD's msun
// (erf, erfc) and of Wichura's AS 241 (erfinv), as in package math of Go.

// erf is that of [autograd.Value.Erf].
func erf(x autograd.Value) autograd.Value {
	a := x.Abs()
	near := a.LessScalar(0.84375)
	small := a.Clamp(0, 0.84375)
	return x.Sign().Mul(autograd.Where(near, small.Add(small.Mul(erfNear(small))), minus(1, erfcFar(a))))
}

func erfc(x autograd.Value) autograd.Value {
	a := x.Abs()
	small := a.Clamp(0, 0.84375)
	y := autograd.Where(a.LessScalar(0.84375), minus(1, small.Add(small.Mul(erfNear(small)))), erfcFar(a))
	return autograd.Where(x.LessScalar(0), minus(2, y), y)
}

// erfNear is erf(x)/x − 1 up to 0.84375.
func erfNear(x autograd.Value) autograd.Value {
	z := x.Square()
	return polynomial(z, erfP...).Div(polynomial(z, erfQ...))
}

// erfcFar is erfc of numbers from 0.84375 on.
func erfcFar(a autograd.Value) autograd.Value {
	s := a.Clamp(0.84375, 1.25).AddScalar(-1)
	middle := minus(1-erfOne, polynomial(s, erfMiddleP...).Div(polynomial(s, erfMiddleQ...)))
	b := a.Clamp(1.25, 28)
	z := b.Square().Reciprocal()
	zb := b.Clamp(1/0.35, 28).Square().Reciprocal()
	tail := autograd.Where(b.LessScalar(1/0.35),
		polynomial(z, erfcP...).Div(polynomial(z, erfcQ...)), polynomial(zb, erfcFarP...).Div(polynomial(zb, erfcFarQ...)))
	far := b.Square().Neg().AddScalar(-0.5625).Exp().Mul(tail.Exp()).Div(b)
	y := autograd.Where(a.LessScalar(1.25), middle, far)
	return autograd.Where(a.GreaterScalar(28), a.Graph().Scalar(0), y)
}

// erfInv is that of [autograd.Value.ErfInv].
func erfInv(x autograd.Value) autograd.Value {
	a := x.Abs()
	r := minus(0.180625, a.Square().MulScalar(0.25))
	near := a.Mul(polynomial(r, invNearP...)).Div(polynomial(r, invNearQ...))
	root := minus(math.Ln2, minus(1, a).Log()).Sqrt()
	s, t := root.AddScalar(-1.6), root.AddScalar(-5)
	middle := polynomial(s, invMiddleP...).Div(polynomial(s, invMiddleQ...))
	far := polynomial(t, invFarP...).Div(polynomial(t, invFarQ...))
	y := autograd.Where(a.LessEqualScalar(0.85), near, autograd.Where(root.LessEqualScalar(5), middle, far))
	end := autograd.Where(a.EqualScalar(1), x.Graph().Scalar(math.Inf(1)), y)
	return x.Sign().Mul(end)
}

const erfOne = 8.45062911510467529297e-01 // near erf(1)

var (
	erfP       = []float64{1.28379167095512558561e-01, -3.25042107247001499370e-01, -2.84817495755985104766e-02, -5.77027029648944159157e-03, -2.37630166566501626084e-05}
	erfQ       = []float64{1, 3.97917223959155352819e-01, 6.50222499887672944485e-02, 5.08130628187576562776e-03, 1.32494738004321644526e-04, -3.96022827877536812320e-06}
	erfMiddleP = []float64{-2.36211856075265944077e-03, 4.14856118683748331666e-01, -3.72207876035701323847e-01, 3.18346619901161753674e-01, -1.10894694282396677476e-01, 3.54783043256182359371e-02, -2.16637559486879084300e-03}
	erfMiddleQ = []float64{1, 1.06420880400844228286e-01, 5.40397917702171048937e-01, 7.18286544141962662868e-02, 1.26171219808761642112e-01, 1.36370839120290507362e-02, 1.19844998467991074170e-02}
	erfcP      = []float64{-9.86494403484714822705e-03, -6.93858572707181764372e-01, -1.05586262253232909814e+01, -6.23753324503260060396e+01, -1.62396669462573470355e+02, -1.84605092906711035994e+02, -8.12874355063065934246e+01, -9.81432934416914548592e+00}
	erfcQ      = []float64{1, 1.96512716674392571292e+01, 1.37657754143519042600e+02, 4.34565877475229228821e+02, 6.45387271733267880336e+02, 4.29008140027567833386e+02, 1.08635005541779435134e+02, 6.57024977031928170135e+00, -6.04244152148580987438e-02}
	erfcFarP   = []float64{-9.86494292470009928597e-03, -7.99283237680523006574e-01, -1.77579549177547519889e+01, -1.60636384855821916062e+02, -6.37566443368389627722e+02, -1.02509513161107724954e+03, -4.83519191608651397019e+02}
	erfcFarQ   = []float64{1, 3.03380607434824582924e+01, 3.25792512996573918826e+02, 1.53672958608443695994e+03, 3.19985821950859553908e+03, 2.55305040643316442583e+03, 4.74528541206955367215e+02, -2.24409524465858183362e+01}
	invNearP   = []float64{1.1975323115670912564578e0, 4.7072688112383978012285e1, 6.9706266534389598238465e2, 4.8548868893843886794648e3, 1.6235862515167575384252e4, 2.3782041382114385731252e4, 1.1819493347062294404278e4, 8.8709406962545514830200e2}
	invNearQ   = []float64{1.0000000000000000000e0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3}
	invMiddleP = []float64{1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4}
	invMiddleQ = []float64{1.4142135623730950488016887e0, 2.9036514445419946173133295e0, 2.3707661626024532365971225e0, 9.7547832001787427186894837e-1, 2.0945065210512749128288442e-1, 2.1494160384252876777097297e-2, 7.7441459065157709165577218e-4, 1.4859850019840355905497876e-9}
	invFarP    = []float64{6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7}
	invFarQ    = []float64{1.414213562373095048801689e0, 8.482908416595164588112026e-1, 1.936480946950659106176712e-1, 2.103693768272068968719679e-2, 1.112800997078859844711555e-3, 2.611088405080593625138020e-5, 2.010321207683943062279931e-7, 2.891024605872965461538222e-15}
)

// lgamma is ln |Γ|: by Stirling's series ten places further, and by reflection
// for negative numbers.
func lgamma(x autograd.Value) autograd.Value {
	g := x.Graph()
	low := x.LessScalar(0)
	a := autograd.Where(low, minus(1, x), x)
	shifted := a
	for i := 1.; i < 10; i++ {
		shifted = shifted.Mul(a.AddScalar(i))
	}
	z := a.AddScalar(10)
	w := z.Square().Reciprocal()
	series := polynomial(w, 1./12, -1./360, 1./1260, -1./1680, 1./1188, -691./360360, 1./156).Div(z)
	y := z.AddScalar(-0.5).Mul(z.Log()).Sub(z).AddScalar(0.5 * math.Log(2*math.Pi)).Add(series).Sub(shifted.Log())
	sine := distance(x).MulScalar(math.Pi).Sin().Abs()
	reflected := minus(math.Log(math.Pi), autograd.Where(low, sine, g.Scalar(1)).Log()).Sub(y)
	return autograd.Where(low, reflected, y)
}

// distance is x less the nearest whole number.
func distance(x autograd.Value) autograd.Value { return x.Sub(x.Round()) }

// digamma is the derivative of lgamma, in the same way.
func digamma(x autograd.Value) autograd.Value {
	low := x.LessScalar(0)
	a := autograd.Where(low, minus(1, x), x)
	sum := a.Reciprocal()
	for i := 1.; i < 10; i++ {
		sum = sum.Add(a.AddScalar(i).Reciprocal())
	}
	z := a.AddScalar(10)
	w := z.Square().Reciprocal()
	series := polynomial(w, 1./12, -1./120, 1./252, -1./240, 1./132, -691./32760, 1./12).Mul(w)
	y := z.Log().Sub(z.Reciprocal().MulScalar(0.5)).Sub(series).Sub(sum)
	d := autograd.Where(low, distance(x), x.Graph().Scalar(0.25)).MulScalar(math.Pi)
	return autograd.Where(low, y.Sub(d.Cos().Div(d.Sin()).MulScalar(math.Pi)), y)
}

// polygamma is the n-th derivative of digamma, by its asymptotic series further
// up, for positive numbers. For others, where it would need a derivative of the
// cotangent, it is NaN.
func polygamma(x autograd.Value, n int) autograd.Value {
	if n == 0 {
		return digamma(x)
	}
	p, steps := float64(n), 12+n
	factorial := math.Gamma(p + 1)
	sum := x.PowScalar(-p - 1).MulScalar(factorial)
	for i := 1; i < steps; i++ {
		sum = sum.Add(x.AddScalar(float64(i)).PowScalar(-p - 1).MulScalar(factorial))
	}
	z := x.AddScalar(float64(steps))
	sum = sum.Add(z.PowScalar(-p).MulScalar(factorial / p)).Add(z.PowScalar(-p - 1).MulScalar(factorial / 2))
	for i, bernoulli := range []float64{1. / 6, -1. / 30, 1. / 42, -1. / 30, 5. / 66, -691. / 2730, 7. / 6} {
		k := 2 * float64(i+1)
		sum = sum.Add(z.PowScalar(-k - p).MulScalar(bernoulli * math.Gamma(k+p) / math.Gamma(k+1)))
	}
	if n%2 == 0 {
		sum = sum.Neg()
	}
	return autograd.Where(x.GreaterScalar(0), sum, x.Graph().Scalar(math.NaN()))
}
