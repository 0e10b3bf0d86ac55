package recordingtest

import (
	"math/rand/v2"

	"nabla/autograd"
	"nabla/data/hotels"
	"nabla/layers"
	"nabla/losses"
)

// A hotelTask is one of the course's networks and its task, on all hotels.
type hotelTask struct {
	Name    string
	Sizes   []int
	output  layers.Layer
	Loss    func(prediction, target autograd.Value) autograd.Value
	Targets func(hotels.Rows) autograd.Tensor
}

var HotelTasks = []hotelTask{
	{"linear", []int{1, 1}, nil, losses.MSE, prices},
	{"nonlinear", []int{2, 3, 1}, nil, losses.MSE, prices},
	{"binary", []int{2, 3, 1}, layers.Sigmoid(), losses.BinaryCrossEntropy, hot},
	{"multiclass", []int{2, 3, 3}, layers.Softmax(), losses.CategoricalCrossEntropy, categories},
}

func prices(rows hotels.Rows) autograd.Tensor { return rows.Prices().Tensor() }

func hot(rows hotels.Rows) autograd.Tensor { return rows.Hot().Tensor() }

func categories(rows hotels.Rows) autograd.Tensor {
	all, err := hotels.Categories().OneHot(rows.Categories())
	if err != nil {
		panic(err)
	}
	return all.Tensor()
}

func (h hotelTask) Features(rows hotels.Rows) autograd.Tensor {
	if h.Sizes[0] == 1 {
		return rows.Distances().Tensor()
	}
	return rows.Features().Tensor()
}

func (h hotelTask) Record() (loss autograd.Value, network layers.Layer) {
	rows := hotels.Load()[:24]
	rng := rand.New(rand.NewPCG(4, 0))
	var all []layers.Layer
	for i := 1; i < len(h.Sizes); i++ {
		all = append(all, layers.NewDense(rng, h.Sizes[i-1], h.Sizes[i]))
		if i+1 < len(h.Sizes) {
			all = append(all, layers.ReLU())
		}
	}
	if h.output != nil {
		all = append(all, h.output)
	}
	g := autograd.NewGraph(autograd.Options{Trace: true})
	network = layers.NewSequential(all...)
	return h.Loss(network.Forward(g.Constant(h.Features(rows))), g.Constant(h.Targets(rows))), network
}
