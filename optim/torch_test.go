package optim_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"nabla/autograd"
	"nabla/optim"
)

// vectors is testdata/torch/optim.json, described by the README beside it.
type vectors struct {
	Steps     []int
	Params    []numbers
	Gradients [][]numbers // [step][param]
	Clips     []struct {
		Kind      string
		Limit     float64
		TotalNorm float64 `json:"total_norm"`
		Clipped   []numbers
	}
	Cases []vectorCase
}

type vectorCase struct {
	Name, Optimizer string
	Settings        settings
	Rates           []float64   // one per step, if the rate changes
	After           [][]numbers // [of Steps][param]
	Tolerance       float64
}

type settings struct {
	Rate        float64 `json:"lr"`
	Betas       [2]float64
	Eps         float64
	Alpha       float64
	Momentum    float64
	Nesterov    bool
	Centered    bool
	WeightDecay float64 `json:"weight_decay"`
}

type numbers struct {
	Shape []int
	Data  []float64
}

func (n numbers) tensor() autograd.Tensor { return autograd.NewTensor(n.Data, n.Shape...) }

func readVectors(t *testing.T) vectors {
	t.Helper()
	text, err := os.ReadFile("../testdata/torch/optim.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Cases) == 0 || len(v.Gradients) == 0 || len(v.Clips) == 0 {
		t.Fatal("no vectors were read")
	}
	return v
}

// optimizer returns the case's optimizer and where its rate stands.
func (c vectorCase) optimizer(t *testing.T) (o optim.Optimizer, rate *float64) {
	t.Helper()
	s := c.Settings
	switch c.Optimizer {
	case "sgd":
		o := &optim.SGD{LearningRate: s.Rate, Momentum: s.Momentum, Nesterov: s.Nesterov, WeightDecay: s.WeightDecay}
		return o, &o.LearningRate
	case "adam":
		o := &optim.Adam{LearningRate: s.Rate, Beta1: s.Betas[0], Beta2: s.Betas[1], Epsilon: s.Eps, WeightDecay: s.WeightDecay}
		return o, &o.LearningRate
	case "adamw":
		o := &optim.AdamW{LearningRate: s.Rate, Beta1: s.Betas[0], Beta2: s.Betas[1], Epsilon: s.Eps, WeightDecay: s.WeightDecay}
		return o, &o.LearningRate
	case "rmsprop":
		o := &optim.RMSProp{LearningRate: s.Rate, Alpha: s.Alpha, Epsilon: s.Eps, Momentum: s.Momentum, WeightDecay: s.WeightDecay, Centered: s.Centered}
		return o, &o.LearningRate
	}
	t.Fatalf("unknown optimizer %q", c.Optimizer)
	return nil, nil
}

func TestTorch(t *testing.T) {
	v := readVectors(t)
	for _, c := range v.Cases {
		t.Run(c.Optimizer+"/"+c.Name, func(t *testing.T) {
			tolerance := max(c.Tolerance, 1e-12)
			clipped := c.Name == "momentum, gradients clipped to norm 1"
			if clipped {
				tolerance = 1e-6 // PyTorch divides by the norm + 1e-6
			}
			params := paramsOf(autograd.Float64, v.Params...)
			o, rate := c.optimizer(t)
			g := autograd.NewGraph(autograd.Options{})
			for i, gradients := range v.Gradients {
				if c.Rates != nil {
					*rate = c.Rates[i]
				}
				grads := gradientsOf(g, params, gradients)
				if clipped {
					optim.ClipNorm(grads, 1)
				}
				o.Step(grads)
				for k, step := range v.Steps {
					if step == i+1 {
						compare(t, step, params, c.After[k], tolerance)
					}
				}
			}
		})
	}
}

func TestTorchFloat32(t *testing.T) {
	v := readVectors(t)
	for _, c := range v.Cases {
		t.Run(c.Optimizer+"/"+c.Name, func(t *testing.T) {
			params := paramsOf(autograd.Float32, v.Params...)
			o, rate := c.optimizer(t)
			g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32})
			for i, gradients := range v.Gradients {
				if c.Rates != nil {
					*rate = c.Rates[i]
				}
				grads := gradientsOf(g, params, gradients)
				if c.Name == "momentum, gradients clipped to norm 1" {
					optim.ClipNorm(grads, 1)
				}
				o.Step(grads)
			}
			compare(t, len(v.Gradients), params, c.After[len(c.After)-1], 5e-6)
			if params[0].Precision() != autograd.Float32 {
				t.Error("the parameter is not float32 any more")
			}
		})
	}
}

func TestTorchClip(t *testing.T) {
	v := readVectors(t)
	for _, c := range v.Clips {
		params := paramsOf(autograd.Float64, v.Params...)
		grads := gradientsOf(autograd.NewGraph(autograd.Options{}), params, v.Gradients[0])
		switch c.Kind {
		case "norm":
			if norm := optim.ClipNorm(grads, c.Limit); !isClose(norm, c.TotalNorm, 1e-12) {
				t.Errorf("norm %v: got %v, want %v", c.Limit, norm, c.TotalNorm)
			}
		case "value":
			optim.ClipValue(grads, c.Limit)
		default:
			t.Fatalf("unknown kind %q", c.Kind)
		}
		for i, p := range params {
			compareNumbers(t, grads.OfParam(p).Float64s(), c.Clipped[i].Data, 1e-6)
		}
	}
}

func paramsOf(precision autograd.Precision, values ...numbers) []*autograd.Param {
	var params []*autograd.Param
	for i, v := range values {
		params = append(params, autograd.NewParam(string(rune('a'+i)), v.tensor().In(precision)))
	}
	return params
}

// gradientsOf returns Gradients with the given numbers: those of Σ p·gradient.
func gradientsOf(g *autograd.Graph, params []*autograd.Param, gradients []numbers) autograd.Gradients {
	g.Reset()
	loss := g.Scalar(0)
	for i, p := range params {
		loss = loss.Add(g.Param(p).Mul(g.Constant(gradients[i].tensor())).Sum())
	}
	return loss.Backward()
}

func compare(t *testing.T, step int, params []*autograd.Param, want []numbers, tolerance float64) {
	t.Helper()
	for i, p := range params {
		if !compareNumbers(t, p.Tensor().Float64s(), want[i].Data, tolerance) {
			t.Errorf("in step %d, parameter %d", step, i)
		}
	}
}

// compareNumbers allows the tolerance relative to each number, and to the
// largest one.
func compareNumbers(t *testing.T, got, want []float64, tolerance float64) bool {
	t.Helper()
	most := 0.0
	for _, w := range want {
		most = max(most, math.Abs(w))
	}
	for i, w := range want {
		if !(math.Abs(got[i]-w) <= tolerance*max(math.Abs(w), most)) {
			t.Errorf("got %v, want %v", got, want)
			return false
		}
	}
	return len(got) == len(want)
}

func isClose(got, want, tolerance float64) bool {
	return math.Abs(got-want) <= tolerance*math.Abs(want)
}
