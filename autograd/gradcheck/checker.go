package gradcheck

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"nabla/autograd"
)

// A Function is what is checked: it records a computation on the inputs, and
// on whatever Params it uses, and returns the result, of any shape.
type Function = func(g *autograd.Graph, in []autograd.Value) autograd.Value

// Check is the zero Checker's Check.
func Check(f func(g *autograd.Graph, in []autograd.Value) autograd.Value, inputs []autograd.Tensor, params ...*autograd.Param) error {
	return Checker{}.Check(f, inputs, params...)
}

// CheckSecond is the zero Checker's CheckSecond.
func CheckSecond(f func(g *autograd.Graph, in []autograd.Value) autograd.Value, inputs []autograd.Tensor, params ...*autograd.Param) error {
	return Checker{}.CheckSecond(f, inputs, params...)
}

// A Checker holds the settings of a check. The zero Checker is the usual one;
// a field that is zero stands for the default that its comment gives.
type Checker struct {
	// Precision is that of the graph whose gradients are checked. The
	// differences are always computed in a Float64 graph, since a difference
	// of float32 numbers is noise; Float32 inputs are rounded first, so that
	// both graphs see the same point.
	Precision autograd.Precision

	// A gradient a agrees with a difference n when
	//
	//	|a − n| ≤ Relative·max(|a|, |n|) + Absolute·scale
	//
	// where the scale is the sum of the magnitudes of the terms of w·f(x) plus
	// the largest gradient. The defaults are 1e-7 and 1e-10 in Float64, 1e-3
	// and 1e-5 in Float32.
	Relative, Absolute float64

	// Step is the first and widest step from an element x, in units of
	// √max(1, |x|): 1/16 by default. Each further one is half as wide. Wide
	// steps do no harm: extrapolation takes the curvature out, and those that
	// leave the function's domain are passed over.
	Step float64

	// Steps is the largest number of steps, at least 3: 16 by default. Most
	// entries settle after four.
	Steps int

	// MaxEntries is how many entries of each input and Param are checked: a
	// random sample where there are more. 0 checks all.
	MaxEntries int

	// Worst is how many entries an *Error lists: 8 by default.
	Worst int

	// Eval puts the graphs in evaluation mode.
	Eval bool

	// Seed is that of the cotangent w, of the sample of entries, and of every
	// graph's random stream: each evaluation draws the same Dropout mask.
	Seed uint64
}

// Check compares the gradients of w·f(x), with a random cotangent w, with
// finite differences: for every entry of the inputs and of the Params that are
// not frozen, both as Backward and as Grad compute them. An entry that f does
// not depend on has gradient 0, and that is checked too. Params that f uses
// but that are not given are taken as fixed.
//
// Params are changed in place between evaluations and hold the same bits as
// before when Check returns or panics; their versions rise. Nothing else may
// use them meanwhile. The inputs are copied.
//
// It returns nil when all agree; an [*Error] that lists the worst entries; a
// [*NondeterministicError] when two evaluations of f at the same point differ;
// or the typed error of autograd for which f, Backward or Grad panicked,
// wrapped. Other panics of f pass through. It panics with an
// [*autograd.ArgumentError] for a setting that makes no sense, a nil f or a nil
// Param.
func (c Checker) Check(f func(g *autograd.Graph, in []autograd.Value) autograd.Value, inputs []autograd.Tensor, params ...*autograd.Param) error {
	c = c.withDefaults()
	if f == nil {
		panic(autograd.NewArgumentError("gradcheck: Check", "the function is nil"))
	}
	return c.check(1, f, c.newPoint(inputs, params))
}

// CheckSecond compares second derivatives with finite differences: it checks
// the gradient of w·f(x), as Grad records it for all inputs and Params
// together, as Check checks f. It takes the first derivatives for granted:
// Check them too. Errors are those of Check.
func (c Checker) CheckSecond(f func(g *autograd.Graph, in []autograd.Value) autograd.Value, inputs []autograd.Tensor, params ...*autograd.Param) error {
	c = c.withDefaults()
	if f == nil {
		panic(autograd.NewArgumentError("gradcheck: CheckSecond", "the function is nil"))
	}
	p := c.newPoint(inputs, params)
	return c.check(2, c.gradientOf(f, p), p)
}

// gradientOf returns the function whose result is the gradient of w·f(x), all
// of it as one vector.
func (c Checker) gradientOf(f Function, p *point) Function {
	return func(g *autograd.Graph, in []autograd.Value) autograd.Value {
		y := f(g, in)
		xs := p.values(g, in)
		if len(xs) == 0 {
			return g.Scalar(0)
		}
		w := cotangent(rand.New(rand.NewPCG(c.Seed, 2)), y.Shape())
		grads := autograd.Grad(y.Mul(g.Constant(w)).Sum(), xs...)
		for i, gx := range grads {
			grads[i] = gx.Reshape(gx.Size())
		}
		return autograd.Concat(0, grads...)
	}
}

// The defaults by precision.
var (
	defaultRelative = [...]float64{autograd.Float64: 1e-7, autograd.Float32: 1e-3}
	defaultAbsolute = [...]float64{autograd.Float64: 1e-10, autograd.Float32: 1e-5}
)

const (
	defaultStep  = 1.0 / 16
	defaultSteps = 16
	defaultWorst = 8
	fewestSteps  = 3
)

func (c Checker) withDefaults() Checker {
	if c.Precision != autograd.Float64 && c.Precision != autograd.Float32 {
		panic(autograd.NewArgumentError("gradcheck: Checker", "there is no precision %d", c.Precision))
	}
	setFloat("Relative", &c.Relative, defaultRelative[c.Precision])
	setFloat("Absolute", &c.Absolute, defaultAbsolute[c.Precision])
	setFloat("Step", &c.Step, defaultStep)
	setInt("Steps", &c.Steps, fewestSteps, defaultSteps)
	setInt("Worst", &c.Worst, 1, defaultWorst)
	if c.MaxEntries < 0 {
		panic(autograd.NewArgumentError("gradcheck: Checker", "MaxEntries is %d", c.MaxEntries))
	}
	return c
}

func setFloat(field string, v *float64, standard float64) {
	switch {
	case *v == 0:
		*v = standard
	case !(*v > 0) || math.IsInf(*v, 1):
		panic(autograd.NewArgumentError("gradcheck: Checker", "%s is %v", field, *v))
	}
}

func setInt(field string, v *int, least, standard int) {
	switch {
	case *v == 0:
		*v = standard
	case *v < least:
		panic(autograd.NewArgumentError("gradcheck: Checker", "%s is %d, it must be at least %d", field, *v, least))
	}
}

// cotangent returns random weights for each element of a result. None is
// near 0, which would hide its element.
func cotangent(rng *rand.Rand, shape []int) autograd.Tensor {
	w := autograd.Uniform(rng, 0.5, 1.5, shape...)
	for i, v := range w.Raw64() {
		v = float64(float32(v)) // the same number in both precisions
		if rng.IntN(2) == 0 {
			v = -v
		}
		w.Raw64()[i] = v
	}
	return w
}

// A check is one under way.
type check struct {
	Checker
	f     Function
	point *point
	base  []float64       // f at the point, in Float64
	shape []int           // of the result
	w     autograd.Tensor // the cotangent
	scale float64         // of the gradients and the terms of w·f
}

func (c Checker) check(order int, f Function, p *point) error {
	defer p.restore()
	k := &check{Checker: c, f: f, point: p}
	if err := k.evaluateBase(); err != nil {
		return err
	}
	k.w = cotangent(rand.New(rand.NewPCG(c.Seed, 1)), k.shape)
	gradients, err := k.analytic()
	if err != nil {
		return err
	}
	k.scale = k.termsOf(k.base) + gradients.largest()
	e := &Error{Order: order}
	rng := rand.New(rand.NewPCG(c.Seed, 3))
	for n, place := range p.places {
		e.Total += len(place.values)
		for _, i := range c.sample(rng, len(place.values)) {
			entries, err := k.entry(place, i, gradients.backward[n][i], gradients.grad[n][i])
			if err != nil {
				return err
			}
			e.add(entries)
		}
	}
	return e.orNil(c.Worst)
}

// sample returns the indices of the entries to be checked.
func (c Checker) sample(rng *rand.Rand, n int) []int {
	if c.MaxEntries > 0 && c.MaxEntries < n {
		return rng.Perm(n)[:c.MaxEntries]
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// evaluateBase computes f at the point, twice.
func (k *check) evaluateBase() error {
	first, err := k.evaluate()
	if err != nil {
		return err
	}
	second, err := k.evaluate()
	if err != nil {
		return err
	}
	k.base = first
	for i, v := range first {
		if math.Float64bits(v) != math.Float64bits(second[i]) {
			return &NondeterministicError{Index: indexOf(i, k.shape), First: v, Second: second[i]}
		}
	}
	return nil
}

// evaluate computes f at the point as it stands, in Float64.
func (k *check) evaluate() (y []float64, err error) {
	err = autograd.Try(func() {
		g := k.newGraph(autograd.Float64)
		v := k.f(g, k.point.variables(g))
		if k.shape == nil {
			k.shape = v.Shape()
		}
		if shape := v.Shape(); !slices.Equal(shape, k.shape) {
			panic(autograd.NewShapeError("gradcheck", "the shape of the function's result depends on the numbers", k.shape, shape))
		}
		y = v.Tensor().Float64s()
	})
	if err != nil {
		return nil, fmt.Errorf("gradcheck: the function panicked: %w", err)
	}
	return y, nil
}

func (k *check) newGraph(p autograd.Precision) *autograd.Graph {
	return autograd.NewGraph(autograd.Options{Precision: p, Eval: k.Eval, Seed: k.Seed})
}

// gradients are the analytic ones, by place and element.
type gradients struct {
	backward, grad [][]float64
}

// analytic computes the gradients of w·f in the precision that is checked.
func (k *check) analytic() (all gradients, err error) {
	doing := "the function"
	err = autograd.Try(func() {
		g := k.newGraph(k.Precision)
		in := k.point.variables(g)
		y := k.f(g, in)
		xs := k.point.values(g, in)
		loss := y.Mul(g.Constant(k.w)).Sum()
		doing = "Backward"
		pass := loss.Backward()
		for _, x := range xs {
			all.backward = append(all.backward, pass.Of(x).Float64s())
		}
		doing = "Grad"
		for _, gx := range autograd.Grad(loss, xs...) {
			all.grad = append(all.grad, gx.Tensor().Float64s())
		}
	})
	if err != nil {
		return gradients{}, fmt.Errorf("gradcheck: %s panicked: %w", doing, err)
	}
	return all, nil
}

// largest returns the largest magnitude among the finite gradients.
func (a gradients) largest() float64 {
	largest := 0.0
	for _, pass := range [...][][]float64{a.backward, a.grad} {
		for _, gx := range pass {
			for _, v := range gx {
				if v = math.Abs(v); v > largest && !math.IsInf(v, 1) {
					largest = v
				}
			}
		}
	}
	return largest
}

// termsOf returns the sum of the magnitudes of the terms of w·y; those that
// are not finite are left out.
func (k *check) termsOf(y []float64) float64 {
	total := 0.0
	for i, w := range k.w.Raw64() {
		if term := math.Abs(w * y[i]); term <= math.MaxFloat64 {
			total += term
		}
	}
	return total
}
