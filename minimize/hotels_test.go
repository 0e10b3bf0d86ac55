package minimize_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/optimize"
	"gonum.org/v1/gonum/stat"

	"nabla/autograd"
	"nabla/data"
	"nabla/data/hotels"
	"nabla/layers"
	"nabla/losses"
	"nabla/minimize"
	"nabla/optim"
)

// The line through the hotels' prices is that of least squares.
func TestHotelsLine(t *testing.T) {
	rows := hotels.Load().LineTrain()
	model := layers.NewDenseWith(rand.New(rand.NewPCG(1, 0)), 1, 1, layers.DenseOptions{Weights: layers.ZeroWeights})
	// The line search ends with an error where the loss has no more digits.
	_, err := minimize.Run(model.Params(), mse(model, rows.Distances().Tensor(), rows.Prices().Tensor()), nil, &optimize.LBFGS{})
	t.Log(err)
	intercept, slope := stat.LinearRegression(rows.Distances().Values, rows.Prices().Values, nil, false)
	w, b := model.Params()[0].Item(), model.Params()[1].Item()
	if math.Abs(w-slope) > 1e-6*math.Abs(slope) || math.Abs(b-intercept) > 1e-6*math.Abs(intercept) {
		t.Errorf("%v·x + %v, want %v·x + %v", w, b, slope, intercept)
	}
}

// From the same start and with as many evaluations, L-BFGS ends far below
// gradient descent on the course's network for prices, with tanh.
func TestHotelsBesideSGD(t *testing.T) {
	rows := hotels.Load().Train()
	x := data.FitStandard(rows.Features()).Transform(rows.Features()).Tensor()
	y := data.FitStandard(rows.Prices()).Transform(rows.Prices()).Tensor()
	network := func() *layers.Sequential {
		rng := rand.New(rand.NewPCG(1, 0))
		return layers.NewSequential(layers.NewDense(rng, 2, 3), layers.Tanh(), layers.NewDense(rng, 3, 1))
	}
	model := network()
	result, err := minimize.Run(model.Params(), mse(model, x, y), &optimize.Settings{FuncEvaluations: 800}, &optimize.LBFGS{})
	t.Log(err)
	model = network()
	g, optimizer, loss := autograd.NewGraph(autograd.Options{}), optim.NewSGD(0.08), 0.0
	for range result.FuncEvaluations {
		g.Reset()
		y := mse(model, x, y)(g)
		loss = y.Item()
		optimizer.Step(y.Backward())
	}
	t.Logf("after %d evaluations: L-BFGS %.2e, SGD %.2e", result.FuncEvaluations, result.F, loss)
	if !(result.F < loss/2) {
		t.Errorf("after %d evaluations: L-BFGS %v, SGD %v", result.FuncEvaluations, result.F, loss)
	}
}

func mse(model layers.Layer, x, y autograd.Tensor) func(g *autograd.Graph) autograd.Value {
	return func(g *autograd.Graph) autograd.Value {
		return losses.MSE(model.Forward(g.Constant(x)), g.Constant(y))
	}
}
