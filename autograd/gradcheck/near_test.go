package gradcheck_test

import (
	"math"
	"testing"

	"nabla/autograd"
	"nabla/autograd/gradcheck"
)

// kinked are functions with a kink, or a jump in a derivative, at the given
// place.
var kinked = []struct {
	name string
	f    func(x autograd.Value, at float64) autograd.Value
}{
	{"relu", func(x autograd.Value, at float64) autograd.Value { return x.AddScalar(-at).ReLU() }},
	{"relu²", func(x autograd.Value, at float64) autograd.Value { return x.AddScalar(-at).ReLU().Square() }},
	{"abs", func(x autograd.Value, at float64) autograd.Value { return x.AddScalar(-at).Abs() }},
	{"curved abs", func(x autograd.Value, at float64) autograd.Value {
		return x.AddScalar(-at).Abs().Mul(x.Sin().AddScalar(2))
	}},
	{"maximum", func(x autograd.Value, at float64) autograd.Value { return x.Maximum(x.Graph().Scalar(at)) }},
	{"minimum", func(x autograd.Value, at float64) autograd.Value { return x.Minimum(x.Graph().Scalar(at)) }},
	{"max", func(x autograd.Value, at float64) autograd.Value {
		return autograd.Concat(0, x, x.Graph().Full(at, 1)).Max()
	}},
	{"clamp", func(x autograd.Value, at float64) autograd.Value { return x.Clamp(at, at+10) }},
	{"clamp to a millionth", func(x autograd.Value, at float64) autograd.Value { return x.Clamp(at-1e-6, at) }},
	{"relu6", func(x autograd.Value, at float64) autograd.Value { return x.AddScalar(6 - at).ReLU6() }},
	{"hard tanh", func(x autograd.Value, at float64) autograd.Value { return x.AddScalar(1 - at).HardTanh() }},
	{"hard sigmoid", func(x autograd.Value, at float64) autograd.Value { return x.AddScalar(3 - at).HardSigmoid() }},
	{"hard swish", func(x autograd.Value, at float64) autograd.Value { return x.AddScalar(3 - at).HardSwish() }},
	{"leaky relu", func(x autograd.Value, at float64) autograd.Value { return x.AddScalar(-at).LeakyReLU(0.9) }},
	{"elu", func(x autograd.Value, at float64) autograd.Value { return x.AddScalar(-at).ELU(0.5) }},
}

// TestNearKinks: a right rule is never called wrong, however near the kink.
func TestNearKinks(t *testing.T) {
	passed := 0
	for _, k := range kinked {
		for _, at := range []float64{0, 1e-3, 1, -3, 1000, -1e5} {
			f := func(_ graph, in values) autograd.Value { return k.f(in[0], at) }
			for distance := 1e-9; distance < 2e-4; distance *= 7 {
				for _, x := range []float64{at - distance, at + distance} {
					for order, err := range []error{gradcheck.Check(f, tensors(vector(x))), gradcheck.CheckSecond(f, tensors(vector(x)))} {
						for _, v := range verdicts(t, err) {
							if v != gradcheck.Kink && v != gradcheck.Unsettled {
								t.Errorf("%s with a kink at %v, at %v: order %d: %v", k.name, at, x, order+1, err)
							}
						}
						if err == nil {
							passed++
						}
					}
				}
			}
		}
	}
	if all := len(kinked) * 6 * 7 * 4; passed < all*9/10 {
		t.Errorf("only %d of %d pass: the verdict is no use", passed, all)
	}
}

// TestWrongNearKinks: a gradient outside the slopes to both sides is wrong near
// a kink too, and one between them where the steps can tell.
func TestWrongNearKinks(t *testing.T) {
	for _, factor := range []float64{-0.5, 0.5, 1.01, 2} {
		relu := custom("relu", func(r *autograd.Rule) {
			r.Add(0, r.Grad().Mul(r.In(0).GreaterScalar(0)).MulScalar(factor))
		}, func(v float64) float64 { return max(v, 0) })
		f := func(g graph, in values) autograd.Value { return relu(g, values{in[0].AddScalar(-1)}) }
		for distance := 1e-9; distance < 1; distance *= 10 {
			if 0 < factor && factor < 1 && distance < 1e-5 {
				continue // between the slopes
			}
			err := gradcheck.Check(f, tensors(vector(1+distance)))
			if got := verdicts(t, err); len(got) != 1 || got[0] != gradcheck.Wrong {
				t.Errorf("%v times the gradient at %v from the kink: %v", factor, distance, err)
			}
		}
	}
}

// TestWrongSecondNearKinks: a second derivative that is wrong by a thousandth
// is found next to a kink in the first.
func TestWrongSecondNearKinks(t *testing.T) {
	for distance := 1e-4; distance < 1; distance *= 10 {
		detached := custom("relu²", func(r *autograd.Rule) {
			x := r.In(0)
			x = x.MulScalar(0.999).Add(x.Detach().MulScalar(0.001))
			r.Add(0, r.Grad().Mul(x.Mul(r.In(0).GreaterScalar(0))).MulScalar(2))
		}, func(v float64) float64 { return math.Pow(max(v, 0), 2) })
		f := func(g graph, in values) autograd.Value { return detached(g, values{in[0].AddScalar(-1)}) }
		err := gradcheck.CheckSecond(f, tensors(vector(1+distance)))
		if got := verdicts(t, err); len(got) != 1 || got[0] != gradcheck.Wrong {
			t.Errorf("at %v from the kink: %v", distance, err)
		}
	}
}
