package export

import (
	"math"

	"nabla/autograd"
)

// expm1 is e^x − 1. Near 0 it is 2t/(1 − t) with t = tanh(x/2), which loses no
// digits.
func expm1(x autograd.Value) autograd.Value {
	t := x.Clamp(-1, 1).MulScalar(0.5).Tanh()
	return autograd.Where(x.Abs().LessScalar(1), t.MulScalar(2).Div(minus(1, t)), x.Exp().AddScalar(-1))
}

// log1p is ln(1 + x), with the error of the sum made good (Kahan).
func log1p(x autograd.Value) autograd.Value {
	u := x.AddScalar(1)
	rest := u.AddScalar(-1)
	exact := rest.EqualScalar(0).Maximum(u.EqualScalar(math.Inf(1)))
	one := x.Graph().Scalar(1)
	quotient := autograd.Where(exact, one, x).Div(autograd.Where(exact, one, rest))
	y := u.Log().Mul(quotient)
	return autograd.Where(rest.EqualScalar(0), x, y)
}

func sinh(x autograd.Value) autograd.Value {
	e := expm1(x.Abs())
	y := e.Add(e.Div(e.AddScalar(1))).MulScalar(0.5)
	return x.Sign().Mul(autograd.Where(e.EqualScalar(math.Inf(1)), e, y))
}

func cosh(x autograd.Value) autograd.Value {
	half := x.Abs().AddScalar(-math.Ln2).Exp()
	return half.Add(half.Reciprocal().MulScalar(0.25))
}

func asinh(x autograd.Value) autograd.Value {
	a := x.Abs()
	square := a.Clamp(0, 1e8).Square()
	near := log1p(a.Add(square.Div(square.AddScalar(1).Sqrt().AddScalar(1))))
	return x.Sign().Mul(autograd.Where(a.GreaterScalar(1e8), a.Log().AddScalar(math.Ln2), near))
}

func acosh(x autograd.Value) autograd.Value {
	t := x.AddScalar(-1)
	return log1p(t.Add(t.Mul(t.AddScalar(2)).Sqrt()))
}

func atanh(x autograd.Value) autograd.Value {
	return log1p(x.MulScalar(2).Div(minus(1, x))).MulScalar(0.5)
}

// polynomial is c[0] + c[1]·x + ….
func polynomial(x autograd.Value, c ...float64) autograd.Value {
	y := x.MulScalar(c[len(c)-1]).AddScalar(c[len(c)-2])
	for i := len(c) - 3; i >= 0; i-- {
		y = y.Mul(x).AddScalar(c[i])
	}
	return y
}

// atan is the rational approximation of the Cephes library (Moshier), of
// arguments reduced by π/2 and π/4.
func atan(x autograd.Value) autograd.Value {
	g, a := x.Graph(), x.Abs()
	large, middle := a.GreaterScalar(math.Tan(3*math.Pi/8)), a.GreaterScalar(0.66)
	one := g.Scalar(1)
	z := autograd.Where(large, autograd.Where(large, a, one).Reciprocal().Neg(),
		autograd.Where(middle, a.AddScalar(-1).Div(a.AddScalar(1)), a))
	offset := autograd.Where(large, g.Scalar(math.Pi/2), autograd.Where(middle, g.Scalar(math.Pi/4), g.Scalar(0)))
	w := z.Square()
	p := polynomial(w, -6.485021904942025371773e1, -1.228866684490136173410e2, -7.500855792314704667340e1, -1.615753718733365076637e1, -8.750608600031904122785e-1)
	q := polynomial(w, 1.945506571482613964425e2, 4.853903996359136964868e2, 4.328810604912902668951e2, 1.650270098316988542046e2, 2.485846490142306297962e1, 1)
	return x.Sign().Mul(offset.Add(z.Add(z.Mul(w.Mul(p).Div(q)))))
}

func asin(x autograd.Value) autograd.Value {
	return atan(x.Div(minus(1, x).Mul(x.AddScalar(1)).Sqrt()))
}

func atan2(y, x autograd.Value) autograd.Value {
	g := x.Graph()
	none := x.EqualScalar(0).Mul(y.EqualScalar(0))
	angle := y.Div(autograd.Where(none, g.Scalar(1), x)).Atan()
	sign := autograd.Where(y.LessScalar(0), g.Scalar(-math.Pi), g.Scalar(math.Pi))
	return autograd.Where(x.LessScalar(0), angle.Add(sign), angle)
}

// hypot is √(x² + y²) without overflow.
func hypot(x, y autograd.Value) autograd.Value {
	a, b := x.Abs(), y.Abs()
	most := a.Maximum(b)
	by := autograd.Where(most.EqualScalar(0), x.Graph().Scalar(1), most)
	return a.Div(by).Square().Add(b.Div(by).Square()).Sqrt().Mul(most)
}

func logAddExp(x, y autograd.Value) autograd.Value {
	same := x.Equal(y)
	d := autograd.Where(same, x.Graph().Scalar(0), x.Sub(y).Abs())
	return x.Maximum(y).Add(log1p(d.Neg().Exp()))
}

// sinc is sin(πx)/(πx), by its series near 0.
func sinc(x autograd.Value) autograd.Value {
	z := x.MulScalar(math.Pi)
	zero := z.EqualScalar(0)
	one := x.Graph().Scalar(1)
	return autograd.Where(zero, one, z.Sin().Div(autograd.Where(zero, one, z)))
}
