package main

import (
	"math"
	"strings"

	"nabla/autograd"
)

// W6 is recurrent networks on 32 sequences of 32 steps.
const (
	sequences       = 32
	sequenceSteps   = 32
	recurrentInputs = 64
	recurrentHidden = 128
)

// recurrent returns W6: forward, and backward to inputs and weights from
// gradients of the outputs that are given; or forward alone, in evaluation.
func recurrent() []workload {
	var list []workload
	for _, name := range []string{"lstm", "gru"} {
		list = append(list,
			workload{name: "W6-" + name, nabla: func(p autograd.Precision) func() { return newRecurrentAlone(name, p).step }, peers: inPython},
			workload{name: "W6-" + name + "-forward", nabla: func(p autograd.Precision) func() { return newRecurrentAlone(name, p).predict }, peers: inPython})
	}
	return list
}

// recurrentAlone is a network of W6.
type recurrentAlone struct {
	kind   string
	g      *autograd.Graph
	still  *autograd.Graph // without gradients
	params [5]*autograd.Param
	seed   autograd.Tensor
	grads  autograd.Gradients
}

func newRecurrentAlone(kind string, p autograd.Precision) *recurrentAlone {
	columns := map[string]int{"lstm": 4, "gru": 3}[kind] * recurrentHidden
	r := &recurrentAlone{
		kind: kind, seed: spread(p, 1, 6, sequences, sequenceSteps, recurrentHidden),
		g:     autograd.NewGraph(autograd.Options{Precision: p}),
		still: autograd.NewGraph(autograd.Options{Precision: p, NoGrad: true}),
	}
	bound := 1 / math.Sqrt(recurrentHidden)
	for i, t := range []autograd.Tensor{
		spread(p, 1, 1, sequences, sequenceSteps, recurrentInputs),
		spread(p, bound, 2, recurrentInputs, columns), spread(p, bound, 3, recurrentHidden, columns),
		spread(p, bound, 4, columns), spread(p, bound, 5, columns),
	} {
		r.params[i] = autograd.NewParam(strings.Fields("x weight_ih weight_hh bias_ih bias_hh")[i], t)
	}
	return r
}

func (r *recurrentAlone) forward(g *autograd.Graph) autograd.Value {
	g.Reset()
	w := autograd.RecurrentWeights{Input: g.Param(r.params[1]), Hidden: g.Param(r.params[2]), InputBias: g.Param(r.params[3]), HiddenBias: g.Param(r.params[4])}
	x, none := g.Param(r.params[0]), autograd.Value{}
	if r.kind == "gru" {
		y, _ := autograd.GRU(x, none, w, autograd.RecurrentOptions{})
		return y
	}
	y, _, _ := autograd.LSTM(x, none, none, w, autograd.RecurrentOptions{})
	return y
}

func (r *recurrentAlone) predict() { r.forward(r.still) }

func (r *recurrentAlone) step() { r.grads = r.forward(r.g).BackwardFrom(r.seed) }

// check returns the sum of the squares of the gradients.
func (r *recurrentAlone) check() float64 { return sumOfSquares(r.grads) }
