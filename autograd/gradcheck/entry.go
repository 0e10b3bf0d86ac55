package gradcheck

import "math"

// kinkTolerance is how far apart, in relation to their size, the slopes to
// both sides must be to make a kink.
const kinkTolerance = 1e-4

// certain is how many times its estimated error a difference must exceed to
// prove anything.
const certain = 10

// entry checks the gradients of one element and returns what was found: one
// Entry where Backward and Grad say the same.
func (k *check) entry(p *place, i int, backward, grad float64) ([]Entry, error) {
	d, err := k.differentiate(p, i, backward, grad)
	if err != nil {
		return nil, err
	}
	b, g := k.compare(p, i, backward, d), k.compare(p, i, grad, d)
	if b.Verdict == g.Verdict && !(math.Abs(backward-grad) > b.Tolerance) {
		b.Pass = "Backward and Grad"
		return []Entry{b}, nil
	}
	b.Pass, g.Pass = "Backward", "Grad"
	return []Entry{b, g}, nil
}

// compare returns the Entry of one gradient.
func (k *check) compare(p *place, i int, analytic float64, d *difference) Entry {
	slope := d.slope()
	return Entry{
		Name: p.name, Input: p.input, Param: p.param, Index: indexOf(i, p.shape),
		Verdict: k.judge(analytic, d), Analytic: analytic, Numeric: slope.value, Tolerance: k.tolerance(analytic, d),
		Step: slope.step, Uncertainty: slope.err,
		Left: d.left.best.value, Right: d.right.best.value,
	}
}

// differentiate computes the difference for one element, by ever narrower
// steps until it has settled and agrees with the gradients, or the steps run
// out. Where they run out, an edge or pole may lie closer to x than the steps:
// then it tries once more with steps narrower than |x|, and after that with
// steps that begin where the first ones ended.
func (k *check) differentiate(p *place, i int, gradients ...float64) (*difference, error) {
	x := math.Abs(p.values[i])
	first := k.Step * math.Sqrt(max(1, x))
	d, err := k.narrow(p, i, first, gradients)
	if !k.settled(d, gradients) && 0 < x && x < 1 {
		near, nearErr := k.narrow(p, i, k.Step*x, gradients)
		if k.settled(near, gradients) || d.steps < fewestSteps {
			d, err = near, nearErr
		}
	}
	if k.agreed(d, gradients) {
		return d, nil
	}
	if d.steps > 0 {
		near, nearErr := k.narrow(p, i, math.Ldexp(first, -k.Steps), gradients)
		if nearErr == nil && k.corrects(near, d, gradients) {
			d, err = near, nil
		}
	}
	if d.steps > 0 {
		err = nil
	}
	return d, err
}

// corrects reports whether a narrow difference does not call the gradients
// wrong and shows that f bends or jumps within the wide steps. Of a smooth f
// the wide steps know more, since rounding errors grow with 1/step.
func (k *check) corrects(narrow, wide *difference, gradients []float64) bool {
	for _, analytic := range gradients {
		if v := k.judge(analytic, narrow); v == Wrong || v == NonFinite {
			return false
		}
	}
	return narrow.contradicts(wide) || narrow.slope().err > certain*narrow.noise+k.tolerance(0, wide)
}

// narrow takes up to Steps steps. Those that f panics at or that have no
// finite slope are passed over; the error is the last one's.
func (k *check) narrow(p *place, i int, first float64, gradients []float64) (d *difference, err error) {
	d = newDifference()
	_, exponent := math.Frexp(first)
	for n := range k.Steps {
		step := math.Ldexp(1, exponent-1-n) // powers of two: most sums x + step are exact
		if stepErr := k.step(d, p, i, step); stepErr != nil {
			err = stepErr
		}
		if k.settled(d, gradients) {
			break
		}
	}
	return d, err
}

// step evaluates f at both sides of element i and adds the slopes.
func (k *check) step(d *difference, p *place, i int, step float64) error {
	x := p.values[i]
	defer p.move(i, x)
	a := p.move(i, x+step) - x
	above, err := k.evaluate()
	if err != nil {
		return err
	}
	b := x - p.move(i, x-step)
	below, err := k.evaluate()
	if err != nil {
		return err
	}
	right, left := 0.0, 0.0
	for j, w := range k.w.Raw64() {
		right += w * (above[j] - k.base[j])
		left += w * (k.base[j] - below[j])
	}
	right, left = right/a, left/b
	if sum := right + left; math.IsNaN(sum) || math.IsInf(sum, 0) {
		return nil
	}
	terms := max(k.termsOf(above), k.termsOf(below), k.termsOf(k.base))
	d.terms = max(d.terms, terms)
	d.add(a, b, right, left, epsilon*terms/min(a, b))
	return nil
}

// epsilon is the distance from 1 to the next float64.
const epsilon = 1.0 / (1 << 52)

// tolerance returns how far a gradient may be from a difference.
func (k *check) tolerance(analytic float64, d *difference) float64 {
	return k.Relative*max(math.Abs(analytic), math.Abs(d.slope().value)) + k.Absolute*max(k.scale, d.terms)
}

// settled reports whether further steps are of no use: the difference agrees
// with the gradients, and not by chance.
func (k *check) settled(d *difference, gradients []float64) bool {
	for _, analytic := range gradients {
		if d.slope().err > k.tolerance(analytic, d)/certain {
			return false
		}
	}
	return d.steps >= fewestSteps && k.agreed(d, gradients)
}

func (k *check) agreed(d *difference, gradients []float64) bool {
	for _, analytic := range gradients {
		if k.judge(analytic, d) != agrees {
			return false
		}
	}
	return true
}

// judge compares a gradient with a difference.
func (k *check) judge(analytic float64, d *difference) Verdict {
	slope, gap := d.slope(), d.gap()
	off, tolerance := math.Abs(analytic-slope.value), k.tolerance(analytic, d)
	if math.IsNaN(off) || math.IsInf(off, 0) {
		return NonFinite
	}
	width := math.Abs(gap.value)
	largest := math.Abs(slope.value) + width/2
	if width > kinkTolerance*largest+tolerance && width > certain*gap.err {
		if d.between(analytic, tolerance) {
			return Kink
		}
		return Wrong
	}
	switch {
	case off <= tolerance:
		return agrees
	case off <= certain*slope.err:
		return Unsettled
	}
	return Wrong
}
