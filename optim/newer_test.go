package optim_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"nabla/autograd"
	"nabla/optim"
)

// newerVectors is testdata/torch.json, which the script beside it wrote with
// the version of PyTorch that it names.
type newerVectors struct {
	Params    []numbers
	Gradients [][]numbers // [step][param]
	Clips     []struct {
		P       any
		Norm    float64
		Clipped []numbers
	}
	Groups [][]numbers // [step][param]
	Cases  []newerCase
}

type newerCase struct {
	Optimizer, Note string
	Settings        map[string]any
	Rates           []float64
	After           [][]numbers // [step][param]
}

func readNewer(t *testing.T) (v newerVectors) {
	t.Helper()
	text, err := os.ReadFile("testdata/torch.json")
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err != nil || len(v.Cases) < 20 || len(v.Gradients) < 10 || len(v.Clips) != 5 {
		t.Fatal(len(v.Cases), err)
	}
	return v
}

// set overwrites fields by PyTorch's settings, and reports how many there were.
func (c newerCase) set(fields map[string]*float64) (n int) {
	for name, field := range fields {
		if v, ok := c.Settings[name].(float64); ok {
			*field = v
			n++
		}
	}
	return n
}

// pair overwrites two fields by a pair.
func (c newerCase) pair(name string, a, b *float64) (n int) {
	if v, ok := c.Settings[name].([]any); ok {
		*a, *b = v[0].(float64), v[1].(float64)
		n++
	}
	return n
}

// optimizer returns the case's optimizer, with this package's defaults where
// the case has PyTorch's, and where its rate stands.
func (c newerCase) optimizer(t *testing.T) (o optim.Optimizer, rate *float64) {
	t.Helper()
	n := 0
	decoupled, _ := c.Settings["decoupled_weight_decay"].(bool)
	amsGrad, _ := c.Settings["amsgrad"].(bool)
	if decoupled || amsGrad {
		n++
	}
	switch c.Optimizer {
	case "Adagrad":
		a := optim.NewAdagrad(0.01)
		n += c.set(map[string]*float64{"lr": &a.LearningRate, "lr_decay": &a.RateDecay, "weight_decay": &a.WeightDecay, "initial_accumulator_value": &a.InitialSum, "eps": &a.Epsilon})
		o, rate = a, &a.LearningRate
	case "Adadelta":
		a := optim.NewAdadelta(1)
		n += c.set(map[string]*float64{"lr": &a.LearningRate, "rho": &a.Rho, "eps": &a.Epsilon, "weight_decay": &a.WeightDecay})
		o, rate = a, &a.LearningRate
	case "Adamax":
		a := optim.NewAdamax(0.002)
		n += c.set(map[string]*float64{"lr": &a.LearningRate, "eps": &a.Epsilon, "weight_decay": &a.WeightDecay}) + c.pair("betas", &a.Beta1, &a.Beta2)
		o, rate = a, &a.LearningRate
	case "NAdam":
		a := optim.NewNAdam(0.002)
		a.Decoupled = decoupled
		n += c.set(map[string]*float64{"lr": &a.LearningRate, "weight_decay": &a.WeightDecay, "momentum_decay": &a.MomentumDecay}) + c.pair("betas", &a.Beta1, &a.Beta2)
		o, rate = a, &a.LearningRate
	case "RAdam":
		a := optim.NewRAdam(0.001)
		a.Decoupled = decoupled
		n += c.set(map[string]*float64{"lr": &a.LearningRate, "eps": &a.Epsilon, "weight_decay": &a.WeightDecay}) + c.pair("betas", &a.Beta1, &a.Beta2)
		o, rate = a, &a.LearningRate
	case "Rprop":
		a := optim.NewRprop(0.01)
		n += c.set(map[string]*float64{"lr": &a.LearningRate}) + c.pair("etas", &a.Down, &a.Up) + c.pair("step_sizes", &a.MinStep, &a.MaxStep)
		o, rate = a, &a.LearningRate
	case "Adam":
		a := optim.NewAdam(0.001)
		a.AMSGrad = amsGrad
		n += c.set(map[string]*float64{"lr": &a.LearningRate, "weight_decay": &a.WeightDecay}) + c.pair("betas", &a.Beta1, &a.Beta2)
		o, rate = a, &a.LearningRate
	case "AdamW":
		a := optim.NewAdamW(0.001)
		a.AMSGrad = amsGrad
		n += c.set(map[string]*float64{"lr": &a.LearningRate, "weight_decay": &a.WeightDecay}) + c.pair("betas", &a.Beta1, &a.Beta2)
		o, rate = a, &a.LearningRate
	case "SGD":
		a := optim.NewSGD(0.001)
		n += c.set(map[string]*float64{"lr": &a.LearningRate, "momentum": &a.Momentum, "dampening": &a.Dampening, "weight_decay": &a.WeightDecay})
		o, rate = a, &a.LearningRate
	}
	if o == nil || n != len(c.Settings) {
		t.Fatalf("%s: %d of the settings %v are known", c.Optimizer, n, c.Settings)
	}
	return o, rate
}

// Every step of every optimizer, in both precisions.
func TestAgainstNewerPyTorch(t *testing.T) {
	v := readNewer(t)
	for _, c := range v.Cases {
		for precision, tolerance := range map[autograd.Precision]float64{autograd.Float64: 1e-12, autograd.Float32: 1e-5} {
			params := paramsOf(precision, v.Params...)
			o, rate := c.optimizer(t)
			g := autograd.NewGraph(autograd.Options{Precision: precision})
			for i, gradients := range v.Gradients {
				if c.Rates != nil {
					*rate = c.Rates[i]
				}
				o.Step(gradientsOf(g, params, gradients))
				compare(t, i+1, params, c.After[i], tolerance)
				if t.Failed() {
					t.Fatalf("%s, %s, %v", c.Optimizer, c.Note, precision)
				}
			}
		}
	}
}

// twin updates one Param by a rule of a paper, written out.
type twin func(step int, w, g []float64)

// lamb is You et al. 2020, algorithm 2, with φ(z) = z.
func lambTwin(rate, b1, b2, epsilon, decay float64) twin {
	var m, v []float64
	return func(step int, w, g []float64) {
		if m == nil {
			m, v = make([]float64, len(w)), make([]float64, len(w))
		}
		u, ww, uu := make([]float64, len(w)), 0.0, 0.0
		for i := range w {
			m[i] = b1*m[i] + (1-b1)*g[i]
			v[i] = b2*v[i] + (1-b2)*g[i]*g[i]
			r := m[i] / (1 - math.Pow(b1, float64(step))) / (math.Sqrt(v[i]/(1-math.Pow(b2, float64(step)))) + epsilon)
			u[i] = r + decay*w[i]
			ww, uu = ww+w[i]*w[i], uu+u[i]*u[i]
		}
		ratio := 1.0
		if ww > 0 && uu > 0 {
			ratio = math.Sqrt(ww) / math.Sqrt(uu)
		}
		for i := range w {
			w[i] -= rate * ratio * u[i]
		}
	}
}

// lionTwin is Chen et al. 2023, algorithm 2.
func lionTwin(rate, b1, b2, decay float64) twin {
	var m []float64
	return func(_ int, w, g []float64) {
		if m == nil {
			m = make([]float64, len(w))
		}
		for i := range w {
			c, sign := b1*m[i]+(1-b1)*g[i], 0.0
			if c != 0 {
				sign = math.Copysign(1, c)
			}
			w[i] -= rate * (sign + decay*w[i])
			m[i] = b2*m[i] + (1-b2)*g[i]
		}
	}
}

func TestAgainstPapers(t *testing.T) {
	v := readNewer(t)
	for name, c := range map[string]struct {
		optimizer func() optim.Optimizer
		twin      func() twin
	}{
		"Lion": {func() optim.Optimizer { return optim.NewLion(0.01) }, func() twin { return lionTwin(0.01, 0.9, 0.99, 0) }},
		"Lion with decay": {func() optim.Optimizer {
			return &optim.Lion{LearningRate: 0.1, Beta1: 0.5, Beta2: 0.8, WeightDecay: 0.3}
		}, func() twin { return lionTwin(0.1, 0.5, 0.8, 0.3) }},
		"LAMB": {func() optim.Optimizer { return optim.NewLAMB(0.01) }, func() twin { return lambTwin(0.01, 0.9, 0.999, 1e-6, 0.01) }},
		"LAMB without decay": {func() optim.Optimizer { return &optim.LAMB{LearningRate: 0.1, Beta1: 0.5, Beta2: 0.8, Epsilon: 0.1} },
			func() twin { return lambTwin(0.1, 0.5, 0.8, 0.1, 0) }},
	} {
		for precision, tolerance := range map[autograd.Precision]float64{autograd.Float64: 1e-12, autograd.Float32: 1e-5} {
			params := paramsOf(precision, append(v.Params, numbers{[]int{2}, []float64{0, 0}})...)
			var twins []twin
			var want []numbers
			for _, p := range params {
				twins, want = append(twins, c.twin()), append(want, numbers{p.Shape(), p.Tensor().Float64s()})
			}
			o, g := c.optimizer(), autograd.NewGraph(autograd.Options{Precision: precision})
			for i, gradients := range v.Gradients {
				gradients = append(gradients, numbers{[]int{2}, []float64{0, float64(i) - 1}})
				o.Step(gradientsOf(g, params, gradients))
				for k := range params {
					twins[k](i+1, want[k].Data, gradients[k].Data)
				}
				compare(t, i+1, params, want, tolerance)
				if t.Failed() {
					t.Fatalf("%s, %v", name, precision)
				}
			}
		}
	}
}
