package optim_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/optim"
)

// optimizers are all optimizers with all their parts in use, by name.
var optimizers = map[string]func(rate float64) optim.Optimizer{
	"SGD": func(rate float64) optim.Optimizer { return optim.NewSGD(rate) },
	"SGD with momentum": func(rate float64) optim.Optimizer {
		return &optim.SGD{LearningRate: rate, Momentum: 0.9, WeightDecay: 1e-4}
	},
	"SGD with Nesterov": func(rate float64) optim.Optimizer {
		return &optim.SGD{LearningRate: rate, Momentum: 0.9, Nesterov: true}
	},
	"Adam":    func(rate float64) optim.Optimizer { return optim.NewAdam(rate) },
	"AdamW":   func(rate float64) optim.Optimizer { return optim.NewAdamW(rate) },
	"RMSProp": func(rate float64) optim.Optimizer { return optim.NewRMSProp(rate) },
	"Adam with AMSGrad": func(rate float64) optim.Optimizer {
		return &optim.Adam{LearningRate: rate, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, AMSGrad: true}
	},
	"SGD with dampening": func(rate float64) optim.Optimizer {
		return &optim.SGD{LearningRate: rate, Momentum: 0.9, Dampening: 0.5}
	},
	"Adagrad":  func(rate float64) optim.Optimizer { return optim.NewAdagrad(20 * rate) },
	"Adadelta": func(rate float64) optim.Optimizer { return optim.NewAdadelta(100 * rate) },
	"Adamax":   func(rate float64) optim.Optimizer { return optim.NewAdamax(rate) },
	"NAdam":    func(rate float64) optim.Optimizer { return optim.NewNAdam(rate) },
	"RAdam":    func(rate float64) optim.Optimizer { return optim.NewRAdam(rate) },
	"Lion":     func(rate float64) optim.Optimizer { return optim.NewLion(rate / 10) },
	"LAMB":     func(rate float64) optim.Optimizer { return optim.NewLAMB(rate) },
	"Rprop":    func(rate float64) optim.Optimizer { return optim.NewRprop(rate) },
	"RMSProp centered with momentum": func(rate float64) optim.Optimizer {
		return &optim.RMSProp{LearningRate: rate, Alpha: 0.9, Epsilon: 1e-8, Momentum: 0.9, Centered: true, WeightDecay: 1e-4}
	},
}

// slope is a loss of one Param whose gradient is c.
func slope(g *autograd.Graph, p *autograd.Param, c float64) autograd.Value {
	return g.Param(p).MulScalar(c).Sum()
}

func TestDefaults(t *testing.T) {
	sgd, adam, adamW, rms := optim.NewSGD(0.1), optim.NewAdam(0.2), optim.NewAdamW(0.3), optim.NewRMSProp(0.4)
	got := []float64{
		sgd.LearningRate, sgd.Momentum, sgd.WeightDecay,
		adam.LearningRate, adam.Beta1, adam.Beta2, adam.Epsilon, adam.WeightDecay,
		adamW.LearningRate, adamW.Beta1, adamW.Beta2, adamW.Epsilon, adamW.WeightDecay,
		rms.LearningRate, rms.Alpha, rms.Epsilon, rms.Momentum, rms.WeightDecay,
	}
	want := []float64{
		0.1, 0, 0,
		0.2, 0.9, 0.999, 1e-8, 0,
		0.3, 0.9, 0.999, 1e-8, 0.01,
		0.4, 0.99, 1e-8, 0, 0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	others := []any{
		optim.Adagrad{LearningRate: 0.5, Epsilon: 1e-10}, optim.Adadelta{LearningRate: 0.5, Rho: 0.9, Epsilon: 1e-6},
		optim.Adamax{LearningRate: 0.5, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8},
		optim.NAdam{LearningRate: 0.5, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, MomentumDecay: 0.004},
		optim.RAdam{LearningRate: 0.5, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, optim.Lion{LearningRate: 0.5, Beta1: 0.9, Beta2: 0.99},
		optim.LAMB{LearningRate: 0.5, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-6, WeightDecay: 0.01},
		optim.Rprop{LearningRate: 0.5, Down: 0.5, Up: 1.2, MinStep: 1e-6, MaxStep: 50},
	}
	made := []any{
		*optim.NewAdagrad(0.5), *optim.NewAdadelta(0.5), *optim.NewAdamax(0.5), *optim.NewNAdam(0.5), *optim.NewRAdam(0.5),
		*optim.NewLion(0.5), *optim.NewLAMB(0.5), *optim.NewRprop(0.5),
	}
	if !reflect.DeepEqual(others, made) {
		t.Errorf("%+v, want %+v", made, others)
	}
	if sgd.Nesterov || rms.Centered || sgd.Dampening != 0 || adam.AMSGrad || adamW.AMSGrad {
		t.Error("Nesterov or Centered is set")
	}
}

// Under a constant gradient c, n steps from 0 have a closed form.
func TestConstantGradient(t *testing.T) {
	const rate, c, n = 0.1, -3.0, 7
	powers := func(q float64) (sum float64) { // Σ over the steps of 1 + q + q² + …
		for step := 1; step <= n; step++ {
			sum += (1 - math.Pow(q, float64(step))) / (1 - q)
		}
		return sum
	}
	rmsSum := 0.0
	for step := 1; step <= n; step++ {
		rmsSum += 1 / math.Sqrt(1-math.Pow(0.99, float64(step)))
	}
	tests := []struct {
		name      string
		optimizer optim.Optimizer
		want      float64
	}{
		{"SGD", optim.NewSGD(rate), -rate * c * n},
		{"momentum", &optim.SGD{LearningRate: rate, Momentum: 0.5}, -rate * c * powers(0.5)},
		{"Nesterov", &optim.SGD{LearningRate: rate, Momentum: 0.5, Nesterov: true}, -rate * c * (n + 0.5*powers(0.5))},
		{"Adam", &optim.Adam{LearningRate: rate, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-300}, rate * n},
		{"Adam, zero is zero", &optim.Adam{LearningRate: rate, Epsilon: 3}, rate * n / 2},
		{"AdamW without decay", &optim.AdamW{LearningRate: rate, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-300}, rate * n},
		{"RMSProp", &optim.RMSProp{LearningRate: rate, Alpha: 0.99, Epsilon: 1e-300}, rate * rmsSum},
		{"rate 0", &optim.AdamW{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.5}, 0},
	}
	for _, test := range tests {
		g, p := autograd.NewGraph(autograd.Options{}), autograd.NewParam("w", autograd.Scalar(0))
		for range n {
			g.Reset()
			test.optimizer.Step(slope(g, p, c).Backward())
		}
		if got := p.Item(); math.Abs(got-test.want) > 1e-13 {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

// Without a gradient, weight decay alone shrinks the parameter by a known
// factor per step.
func TestDecayAlone(t *testing.T) {
	tests := []struct {
		name      string
		optimizer optim.Optimizer
		factor    float64
	}{
		{"SGD", &optim.SGD{LearningRate: 0.1, WeightDecay: 0.5}, 0.95},
		{"AdamW", &optim.AdamW{LearningRate: 0.1, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.5}, 0.95},
		{"SGD without", optim.NewSGD(0.1), 1},
		{"Adam without", optim.NewAdam(0.1), 1},
		{"RMSProp without", optim.NewRMSProp(0.1), 1},
	}
	for _, test := range tests {
		g, p := autograd.NewGraph(autograd.Options{}), autograd.NewParam("w", autograd.Scalar(2))
		for range 3 {
			g.Reset()
			test.optimizer.Step(slope(g, p, 0).Backward())
		}
		if want := 2 * math.Pow(test.factor, 3); math.Abs(p.Item()-want) > 1e-15 {
			t.Errorf("%s: got %v, want %v", test.name, p.Item(), want)
		}
	}
}

// Every optimizer finds the minimum of every function, from the same start.
func TestLearning(t *testing.T) {
	functions := []struct {
		name    string
		f       func(x autograd.Value) autograd.Value
		minimum []float64
		rate    map[string]float64 // where 0.01 does not do
		steps   int
		within  float64
	}{
		{"quadratic", quadratic, []float64{1, -0.5}, nil, 3000, 0.02},
		{"Rosenbrock", rosenbrock, []float64{1, 1}, map[string]float64{
			"SGD": 0.001, "SGD with momentum": 0.0005, "SGD with Nesterov": 0.0005, "RMSProp": 0.001,
			"RMSProp centered with momentum": 0.0001, "AdamW": 0.005,
			"SGD with dampening": 0.0005, "Adadelta": 0.0005, "LAMB": 0.004, "RAdam": 0.001,
		}, 10000, 0.1},
	}
	for _, function := range functions {
		for name, newOptimizer := range optimizers {
			t.Run(function.name+"/"+name, func(t *testing.T) {
				rate := 0.01
				if r, ok := function.rate[name]; ok {
					rate = r
				}
				p := autograd.NewParam("x", autograd.NewTensor([]float64{-1, 1.5}))
				minimize(p, function.f, newOptimizer(rate), function.steps)
				for i, want := range function.minimum {
					if got := p.Tensor().At(i); !(math.Abs(got-want) <= function.within) {
						t.Errorf("x[%d] = %v, want %v", i, got, want)
					}
				}
			})
		}
	}
}

func minimize(p *autograd.Param, f func(autograd.Value) autograd.Value, o optim.Optimizer, steps int) {
	g := autograd.NewGraph(autograd.Options{Precision: p.Precision()})
	for range steps {
		g.Reset()
		o.Step(f(g.Param(p)).Backward())
	}
}

// quadratic is (x − 1)² + 10·(y + ½)².
func quadratic(x autograd.Value) autograd.Value {
	g := x.Graph()
	d := x.Sub(g.Constant(autograd.NewTensor([]float64{1, -0.5})))
	return d.Square().Mul(g.Constant(autograd.NewTensor([]float64{1, 10}))).Sum()
}

// rosenbrock is (1 − x)² + 100·(y − x²)².
func rosenbrock(v autograd.Value) autograd.Value {
	g := v.Graph()
	x, y := v.Dot(g.Constant(autograd.NewTensor([]float64{1, 0}))), v.Dot(g.Constant(autograd.NewTensor([]float64{0, 1})))
	return x.AddScalar(-1).Square().Add(y.Sub(x.Square()).Square().MulScalar(100))
}

// A Param that the loss does not reach keeps its value, and the optimizer's
// memory of it: with such a step in between, it ends where it ends without.
func TestUnreached(t *testing.T) {
	for name, newOptimizer := range optimizers {
		run := func(between func(g *autograd.Graph, p, q *autograd.Param) autograd.Value) []float64 {
			g, o := autograd.NewGraph(autograd.Options{}), newOptimizer(0.1)
			p, q := autograd.NewParam("p", autograd.Scalar(1)), autograd.NewParam("q", autograd.Scalar(2))
			for step := range 4 {
				g.Reset()
				o.Step(slope(g, p, float64(step)-1.7).Backward())
				if between == nil {
					continue
				}
				before := p.Item()
				g.Reset()
				o.Step(between(g, p, q).Backward())
				if p.Item() != before {
					t.Errorf("%s: an unreached parameter went from %v to %v", name, before, p.Item())
				}
				p.Frozen = false
			}
			return p.Tensor().Float64s()
		}
		want := run(nil)
		unused := run(func(g *autograd.Graph, _, q *autograd.Param) autograd.Value { return slope(g, q, 3) })
		recorded := run(func(g *autograd.Graph, p, q *autograd.Param) autograd.Value {
			g.Param(p).Exp() // does not lead to the loss
			return slope(g, q, 3)
		})
		frozen := run(func(g *autograd.Graph, p, q *autograd.Param) autograd.Value {
			p.Frozen = true
			return slope(g, p, 5).Add(slope(g, q, 3))
		})
		for _, got := range [][]float64{unused, recorded, frozen} {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", name, diff)
			}
		}
	}
}

// A zero gradient is not the same as none: momentum goes on.
func TestReachedByZero(t *testing.T) {
	g, p := autograd.NewGraph(autograd.Options{}), autograd.NewParam("p", autograd.Scalar(1))
	o := &optim.SGD{LearningRate: 1, Momentum: 0.5}
	o.Step(slope(g, p, 1).Backward())
	g.Reset()
	o.Step(slope(g, p, 0).Backward())
	if got := p.Item(); got != -0.5 {
		t.Errorf("got %v, want -0.5", got)
	}
}

// Momentum that is switched off and on again starts anew.
func TestMomentumStartsAnew(t *testing.T) {
	momentum := func(o optim.Optimizer, m float64) {
		switch o := o.(type) {
		case *optim.SGD:
			o.Momentum = m
		case *optim.RMSProp:
			o.Momentum = m
		}
	}
	for _, o := range []optim.Optimizer{
		&optim.SGD{LearningRate: 1},
		&optim.RMSProp{LearningRate: 1, Epsilon: 1}, // with an Alpha of 0 a gradient of 1 is one of ½
	} {
		g, p := autograd.NewGraph(autograd.Options{}), autograd.NewParam("p", autograd.Scalar(0))
		step := func() float64 {
			before := p.Item()
			g.Reset()
			o.Step(slope(g, p, 1).Backward())
			return before - p.Item()
		}
		first := step()
		var got []float64
		for _, m := range []float64{0.5, 0.5, 0, 0.5, 0.5} {
			momentum(o, m)
			got = append(got, step()/first)
		}
		if diff := cmp.Diff([]float64{1, 1.5, 1, 1, 1.5}, got); diff != "" {
			t.Errorf("%T: (-want +got)\n%s", o, diff)
		}
	}
}

// A step raises the version of what it changes, so that a stale recording is
// found.
func TestStepMakesRecordingStale(t *testing.T) {
	g, p := autograd.NewGraph(autograd.Options{}), autograd.NewParam("p", autograd.Scalar(1))
	loss := g.Param(p).Square()
	optim.NewSGD(0.1).Step(loss.Backward())
	err := autograd.Try(func() { loss.Backward() })
	var stale *autograd.StaleError
	if !errors.As(err, &stale) {
		t.Errorf("got %v, want a *StaleError", err)
	}
}

// A sum of gradients is stepped with as a backward pass is; empty Gradients
// change nothing.
func TestSum(t *testing.T) {
	g, p := autograd.NewGraph(autograd.Options{}), autograd.NewParam("p", autograd.Scalar(1))
	var sum autograd.Gradients
	o := optim.NewAdam(0.1)
	o.Step(sum)
	if p.Item() != 1 {
		t.Errorf("a step with empty Gradients went to %v", p.Item())
	}
	for range 3 {
		g.Reset()
		sum.Add(slope(g, p, 2).Backward())
	}
	sgd := optim.NewSGD(0.1)
	sgd.Step(sum)
	if got := p.Item(); math.Abs(got-0.4) > 1e-15 {
		t.Errorf("got %v, want 0.4", got)
	}
}

func TestMixedPrecision(t *testing.T) {
	for name, newOptimizer := range optimizers {
		g, o := autograd.NewGraph(autograd.Options{Precision: autograd.Float32}), newOptimizer(0.1)
		g.Reset()
		single := autograd.NewParam("single", autograd.NewTensor32([]float32{1, 2}))
		double := autograd.NewParam("double", autograd.NewTensor([]float64{1, 2}))
		for range 5 {
			g.Reset()
			o.Step(g.Param(single).Square().Sum().Add(g.Param(double).Square().Sum()).Backward())
		}
		if !compareNumbers(t, single.Tensor().Float64s(), double.Tensor().Float64s(), 1e-5) {
			t.Errorf("in %s", name)
		}
	}
}

func TestDeterminism(t *testing.T) {
	for name, newOptimizer := range optimizers {
		run := func() []float64 {
			p := autograd.NewParam("x", autograd.NewTensor([]float64{-1, 1.5}))
			minimize(p, quadratic, newOptimizer(0.01), 50)
			return p.Tensor().Float64s()
		}
		if diff := cmp.Diff(run(), run()); diff != "" {
			t.Errorf("%s: two runs differ\n%s", name, diff)
		}
	}
}

func TestMisuse(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	tests := []struct {
		name      string
		optimizer optim.Optimizer
		want      string
	}{
		{"negative rate", optim.NewSGD(-0.1), "optim: SGD: LearningRate is -0.1, want a finite number from 0 on"},
		{"NaN rate", optim.NewSGD(nan), "optim: SGD: LearningRate is NaN"},
		{"infinite rate", optim.NewSGD(inf), "optim: SGD: LearningRate is +Inf"},
		{"negative momentum", &optim.SGD{Momentum: -0.5}, "optim: SGD: Momentum is -0.5, want a number in [0, 1)"},
		{"momentum 1", &optim.SGD{Momentum: 1}, "optim: SGD: Momentum is 1"},
		{"Nesterov alone", &optim.SGD{LearningRate: 1, Nesterov: true}, "optim: SGD: Nesterov needs a Momentum above 0"},
		{"negative decay", &optim.SGD{WeightDecay: -1}, "optim: SGD: WeightDecay is -1"},
		{"Adam's rate", optim.NewAdam(-1), "optim: Adam: LearningRate is -1"},
		{"beta 1", &optim.Adam{Beta1: 1}, "optim: Adam: Beta1 is 1, want a number in [0, 1)"},
		{"NaN beta", &optim.Adam{Beta2: nan}, "optim: Adam: Beta2 is NaN"},
		{"negative beta", &optim.Adam{Beta2: -0.1}, "optim: Adam: Beta2 is -0.1"},
		{"negative epsilon", &optim.Adam{Epsilon: -1e-8}, "optim: Adam: Epsilon is -1e-08"},
		{"Adam's literal", &optim.Adam{LearningRate: 0.1}, "optim: Adam: Epsilon is 0, want a finite number above 0: optim.NewAdam fills in"},
		{"AdamW's literal", &optim.AdamW{LearningRate: 0.1}, "optim: AdamW: Epsilon is 0, want a finite number above 0: optim.NewAdamW fills in"},
		{"RMSProp's literal", &optim.RMSProp{LearningRate: 0.1}, "optim: RMSProp: Epsilon is 0, want a finite number above 0: optim.NewRMSProp fills in"},
		{"damped Nesterov", &optim.SGD{LearningRate: 1, Momentum: 0.5, Nesterov: true, Dampening: 0.1}, "optim: SGD: Nesterov needs a Dampening of 0"},
		{"dampening 1", &optim.SGD{Dampening: 1}, "optim: SGD: Dampening is 1, want a number in [0, 1)"},
		{"Adagrad's literal", &optim.Adagrad{LearningRate: 0.1}, "optim: Adagrad: Epsilon is 0, want a finite number above 0: optim.NewAdagrad fills in"},
		{"Adagrad's sum", &optim.Adagrad{InitialSum: -1}, "optim: Adagrad: InitialSum is -1"},
		{"Adagrad's rate decay", &optim.Adagrad{RateDecay: nan}, "optim: Adagrad: RateDecay is NaN"},
		{"Adagrad's decay", &optim.Adagrad{WeightDecay: -1}, "optim: Adagrad: WeightDecay is -1"},
		{"Adagrad's rate", optim.NewAdagrad(-1), "optim: Adagrad: LearningRate is -1"},
		{"Adadelta's literal", &optim.Adadelta{LearningRate: 0.1}, "optim: Adadelta: Epsilon is 0, want a finite number above 0: optim.NewAdadelta fills in"},
		{"Adadelta's rho", &optim.Adadelta{Rho: 1}, "optim: Adadelta: Rho is 1, want a number in [0, 1)"},
		{"Adadelta's rate", optim.NewAdadelta(nan), "optim: Adadelta: LearningRate is NaN"},
		{"Adadelta's decay", &optim.Adadelta{WeightDecay: inf}, "optim: Adadelta: WeightDecay is +Inf"},
		{"Adamax's literal", &optim.Adamax{LearningRate: 0.1}, "optim: Adamax: Epsilon is 0"},
		{"Adamax's beta", &optim.Adamax{Beta2: 2}, "optim: Adamax: Beta2 is 2"},
		{"NAdam's literal", &optim.NAdam{LearningRate: 0.1}, "optim: NAdam: Epsilon is 0"},
		{"NAdam's momentum decay", &optim.NAdam{Epsilon: 1, MomentumDecay: -1}, "optim: NAdam: MomentumDecay is -1"},
		{"NAdam's beta", &optim.NAdam{Beta1: 1}, "optim: NAdam: Beta1 is 1"},
		{"RAdam's literal", &optim.RAdam{LearningRate: 0.1}, "optim: RAdam: Epsilon is 0"},
		{"RAdam's beta", &optim.RAdam{Beta2: 1}, "optim: RAdam: Beta2 is 1"},
		{"Lion's rate", optim.NewLion(-1), "optim: Lion: LearningRate is -1"},
		{"Lion's beta", &optim.Lion{Beta1: 1}, "optim: Lion: Beta1 is 1"},
		{"Lion's other beta", &optim.Lion{Beta2: 1}, "optim: Lion: Beta2 is 1"},
		{"Lion's decay", &optim.Lion{WeightDecay: nan}, "optim: Lion: WeightDecay is NaN"},
		{"LAMB's literal", &optim.LAMB{LearningRate: 0.1}, "optim: LAMB: Epsilon is 0"},
		{"LAMB's decay", &optim.LAMB{WeightDecay: -1}, "optim: LAMB: WeightDecay is -1"},
		{"Rprop's literal", &optim.Rprop{LearningRate: 0.1}, "optim: Rprop: Down is 0, want a number in (0, 1): optim.NewRprop fills in"},
		{"Rprop's rate", optim.NewRprop(nan), "optim: Rprop: LearningRate is NaN"},
		{"Rprop's up", &optim.Rprop{Down: 0.5, Up: 1}, "optim: Rprop: Up is 1, want a finite number above 1"},
		{"Rprop's least", &optim.Rprop{Down: 0.5, Up: 2, MinStep: -1}, "optim: Rprop: MinStep is -1"},
		{"Rprop's most", &optim.Rprop{Down: 0.5, Up: 2, MinStep: 2, MaxStep: 1}, "optim: Rprop: MaxStep is 1, below a MinStep of 2"},
		{"infinite epsilon", &optim.Adam{Epsilon: inf}, "optim: Adam: Epsilon is +Inf"},
		{"Adam's decay", &optim.Adam{WeightDecay: nan}, "optim: Adam: WeightDecay is NaN"},
		{"AdamW's rate", optim.NewAdamW(nan), "optim: AdamW: LearningRate is NaN"},
		{"AdamW's beta", &optim.AdamW{Beta1: 1.5}, "optim: AdamW: Beta1 is 1.5"},
		{"RMSProp's rate", optim.NewRMSProp(-2), "optim: RMSProp: LearningRate is -2"},
		{"alpha 1", &optim.RMSProp{Alpha: 1}, "optim: RMSProp: Alpha is 1"},
		{"RMSProp's epsilon", &optim.RMSProp{Epsilon: nan}, "optim: RMSProp: Epsilon is NaN"},
		{"RMSProp's momentum", &optim.RMSProp{Momentum: 2}, "optim: RMSProp: Momentum is 2"},
		{"RMSProp's decay", &optim.RMSProp{WeightDecay: -1}, "optim: RMSProp: WeightDecay is -1"},
	}
	for _, test := range tests {
		g, p := autograd.NewGraph(autograd.Options{}), autograd.NewParam("w", autograd.Scalar(1))
		err := autograd.Try(func() { test.optimizer.Step(g.Param(p).Square().Backward()) })
		var argument *autograd.ArgumentError
		if !errors.As(err, &argument) {
			t.Errorf("%s: got %v, want an *ArgumentError", test.name, err)
			continue
		}
		checkText(t, err, test.want)
		if p.Item() != 1 {
			t.Errorf("%s: the parameter was changed", test.name)
		}
	}
}

// An epsilon that float32 rounds to 0 is 0 for a Param in float32 only.
func TestEpsilonOfAPrecision(t *testing.T) {
	for _, o := range []optim.Optimizer{
		&optim.Adam{LearningRate: 0.1, Epsilon: 1e-60}, &optim.AdamW{LearningRate: 0.1, Epsilon: 1e-60},
		&optim.RMSProp{LearningRate: 0.1, Epsilon: 1e-60}, &optim.Adagrad{LearningRate: 0.1, Epsilon: 1e-60},
		&optim.Adadelta{LearningRate: 0.1, Epsilon: 1e-60}, &optim.Adamax{LearningRate: 0.1, Epsilon: 1e-60},
		&optim.NAdam{LearningRate: 0.1, Epsilon: 1e-60}, &optim.RAdam{LearningRate: 0.1, Epsilon: 1e-60},
		&optim.LAMB{LearningRate: 0.1, Epsilon: 1e-60},
	} {
		g := autograd.NewGraph(autograd.Options{})
		double := autograd.NewParam("double", autograd.Scalar(1))
		o.Step(slope(g, double, 0).Backward())
		if double.Item() != 1 {
			t.Errorf("%T: a gradient of 0 moved the parameter to %v", o, double.Item())
		}
		g.Reset()
		single := autograd.NewParam("single", autograd.Scalar(1).In(autograd.Float32))
		err := autograd.Try(func() { o.Step(slope(g, single, 0).Backward()) })
		var argument *autograd.ArgumentError
		if !errors.As(err, &argument) {
			t.Errorf("%T: got %v, want an *ArgumentError", o, err)
			continue
		}
		checkText(t, err, strings.Replace(fmt.Sprintf("%T", o), "*optim.", "optim: ", 1)+": Epsilon is 1e-60, which is 0 in the precision of parameter single")
	}
}

// A setting that goes wrong after good steps is found too.
func TestMisuseLater(t *testing.T) {
	g, p := autograd.NewGraph(autograd.Options{}), autograd.NewParam("w", autograd.Scalar(1))
	o := optim.NewSGD(0.1)
	o.Step(slope(g, p, 1).Backward())
	o.LearningRate = math.NaN()
	g.Reset()
	if err := autograd.Try(func() { o.Step(slope(g, p, 1).Backward()) }); err == nil {
		t.Error("a NaN rate was not found in the second step")
	}
}

// What stands behind the pointer has been replaced since the gradients were
// summed, since the backward pass, or since the first step.
func TestReplacedParam(t *testing.T) {
	replacements := []struct {
		name  string
		param *autograd.Param
	}{
		{"size", autograd.NewParam("w", autograd.Ones(6))},
		{"shape", autograd.NewParam("w", autograd.Ones(2, 1))},
		{"precision", autograd.NewParam("w", autograd.Ones(2).In(autograd.Float32))},
	}
	for name, newOptimizer := range optimizers {
		for _, r := range replacements {
			g, o := autograd.NewGraph(autograd.Options{}), newOptimizer(0.1)
			first, w := autograd.NewParam("first", autograd.Ones(3)), autograd.NewParam("w", autograd.Ones(2))
			loss := func() autograd.Value { g.Reset(); return slope(g, first, 1).Add(slope(g, w, 1)) }
			var sum autograd.Gradients
			sum.Add(loss().Backward())
			o.Step(sum)
			before := first.Tensor().Float64s()

			last := loss().Backward()
			*w = *r.param
			errs := []error{
				autograd.Try(func() { o.Step(sum) }),
				autograd.Try(func() { newOptimizer(0.1).Step(sum) }),
				autograd.Try(func() { newOptimizer(0.1).Step(last) }),
			}
			if name != "SGD" { // which remembers nothing
				errs = append(errs, autograd.Try(func() { o.Step(loss().Backward()) }))
			}
			for _, err := range errs {
				var shape *autograd.ShapeError
				var argument *autograd.ArgumentError
				if !errors.As(err, &shape) && !errors.As(err, &argument) {
					t.Errorf("%s, %s: got %v", name, r.name, err)
				}
			}
			if diff := cmp.Diff(before, first.Tensor().Float64s()); diff != "" {
				t.Errorf("%s, %s: another parameter was changed\n%s", name, r.name, diff)
			}
		}
	}
}

func TestStaleGradients(t *testing.T) {
	g, p := autograd.NewGraph(autograd.Options{}), autograd.NewParam("w", autograd.Scalar(1))
	grads := slope(g, p, 1).Backward()
	g.Reset()
	var stale *autograd.StaleError
	for name, newOptimizer := range optimizers {
		if err := autograd.Try(func() { newOptimizer(0.1).Step(grads) }); !errors.As(err, &stale) {
			t.Errorf("%s: got %v, want a *StaleError", name, err)
		}
	}
}

func TestEmptyParam(t *testing.T) {
	for name, newOptimizer := range optimizers {
		g, o := autograd.NewGraph(autograd.Options{}), newOptimizer(0.1)
		p := autograd.NewParam("nothing", autograd.Zeros(0, 3))
		for range 2 {
			g.Reset()
			o.Step(g.Param(p).Sum().Backward())
		}
		if p.Size() != 0 {
			t.Errorf("%s: the parameter has grown", name)
		}
	}
}

// Steps after the first allocate nothing, with clipping too. Mallocs are
// counted over many steps: an average would round down.
func TestAllocations(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		for name, newOptimizer := range optimizers {
			g, o := autograd.NewGraph(autograd.Options{Precision: precision}), newOptimizer(0.01)
			p := autograd.NewParam("p", autograd.Ones(3, 4).In(precision))
			q := autograd.NewParam("q", autograd.Ones(4).In(precision))
			step := func() {
				g.Reset()
				grads := g.Param(p).Square().Sum().Add(g.Param(q).Square().Sum()).Backward()
				optim.ClipValue(grads, 1)
				optim.ClipNorm(grads, 0.5)
				optim.ClipPNorm(grads, 3, 0.4)
				o.Step(grads)
			}
			step()
			step()
			if n := mallocs(func() {
				for range 1000 {
					step()
				}
			}); n > 20 { // the runtime's own
				t.Errorf("%s, %v: %d allocations in 1000 steps", name, precision, n)
			}
		}
	}
}

// One optimizer over 200 models of 0.4 MB, one after the other, keeps nothing
// of those that were dropped. It kept 80 MB and more of their velocities and
// means, and the models with them.
func TestDroppedModels(t *testing.T) {
	optimizers := map[string]optim.Optimizer{
		"SGD": &optim.SGD{LearningRate: 0.1, Momentum: 0.9}, "Adam": optim.NewAdam(0.1), "AdamW": optim.NewAdamW(0.1),
		"RMSProp": &optim.RMSProp{LearningRate: 0.1, Alpha: 0.99, Epsilon: 1e-8, Momentum: 0.9, Centered: true},
		"groups":  &optim.SGD{LearningRate: 0.1, Momentum: 0.9, Groups: []optim.Group{{Params: "*", LearningRate: optim.Times(2)}}},
		"LAMB":    optim.NewLAMB(0.1),
	}
	for name, o := range optimizers {
		t.Run(name, func(t *testing.T) {
			kept := autograd.NewParam("kept", autograd.Ones(10))
			step := func(p *autograd.Param) {
				g := autograd.NewGraph(autograd.Options{})
				o.Step(g.Param(p).Sum().Backward())
			}
			step(kept)
			before := heapAfterGC()
			for range 200 {
				step(autograd.NewParam("w", autograd.Zeros(50_000)))
			}
			left := 0
			for range 100 { // cleanups run on a goroutine of their own
				if left = heapAfterGC() - before; left <= 2<<20 {
					break
				}
			}
			if left > 2<<20 {
				t.Errorf("%d kB are left", left>>10)
			}
			step(kept)
			runtime.KeepAlive(o)
		})
	}
}

func heapAfterGC() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func mallocs(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}

func checkText(t *testing.T, err error, want string) {
	t.Helper()
	if got := err.Error(); len(got) < len(want) || got[:len(want)] != want {
		t.Errorf("got the text %q, want it to begin with %q", got, want)
	}
}

// Every optimizer's step applies what was observed of running statistics: of
// Gradients from Backward, of a sum, and without a gradient.
func TestStepsUpdateStatistics(t *testing.T) {
	for name, newOptimizer := range optimizers {
		p := autograd.NewStatistic("mean", autograd.Zeros(2))
		w := autograd.NewParam("w", autograd.Ones(2))
		g := autograd.NewGraph(autograd.Options{})
		record := func(trained bool) autograd.Gradients {
			g.Reset()
			g.Observe(p, g.Constant(autograd.Full(8, 2)), 0.5)
			if trained {
				return g.Param(w).Sum().Backward()
			}
			return g.Scalar(1).Backward()
		}
		var sum autograd.Gradients
		sum.Add(record(true))
		o := newOptimizer(0.1)
		o.Step(sum)
		for i, want := range []float64{6, 7} {
			o.Step(record(i == 0))
			if got := p.Tensor().Float64s(); got[0] != want || got[1] != want {
				t.Errorf("%s: the statistic is %v after step %d, want %v", name, got, i+2, want)
			}
		}
		if w.Version() != 2 {
			t.Errorf("%s: %d steps of the parameter, want 2", name, w.Version())
		}
	}
}
