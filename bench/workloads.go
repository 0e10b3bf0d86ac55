package main

import (
	"slices"

	"nabla/autograd"
)

// A workload is a task for Nabla and its peers.
type workload struct {
	name  string
	flops float64 // floating-point operations of a step; 0 if not counted
	form  form    // of a matrix product
	nabla prepare
	peers []peer
}

// prepare sets up a workload and returns its step.
type prepare func(autograd.Precision) (step func())

// A peer is what Nabla is compared with.
type peer struct {
	name    string
	prepare prepare // nil: a program of that name runs the workload
}

var (
	withTorch    = peer{name: "torch"}
	withOpenBLAS = peer{name: "openblas"}
	inPython     = []peer{withTorch, {name: "jax"}}
	trained      = append(inPython[:2:2], peer{name: "jax-loop"}) // in Python; many steps may be one program
	inGo         = []peer{{name: "gomlx"}, {name: "gomlx-plain"}, {name: "gorgonia"}}
)

// workloads returns all workloads, in the order in which they are reported.
func workloads() []workload {
	list := []workload{
		{name: "W1-scalar", nabla: scalarStep, peers: []peer{{"tape", tapeStep}, withTorch}},
		{name: "W1-chain", nabla: chainStep, peers: []peer{{"tape", tapeChainStep}}},
		{name: "W2", nabla: tinyStep, peers: slices.Concat([]peer{{"loops", loopsStep}}, trained, inGo)},
	}
	list = append(list, networks()...)
	list = append(list, products()...)
	list = append(list, images()...)
	list = append(list, recurrent()...)
	list = append(list, elementwise()...)
	list = append(list, transformers()...)
	list = append(list, embeddings()...)
	return append(list, ratio())
}

// peerNames returns the names of all peers, in the order of their first use.
func peerNames(list []workload) []string {
	var names []string
	for _, w := range list {
		for _, p := range w.peers {
			if !slices.Contains(names, p.name) {
				names = append(names, p.name)
			}
		}
	}
	return names
}

// number is the type of an element.
type number interface{ float32 | float64 }

// inPrecision returns the step of the float32 or the float64 version.
func inPrecision[A, B interface{ step() }](new32 func() A, new64 func() B) prepare {
	return func(p autograd.Precision) func() {
		if p == autograd.Float32 {
			return new32().step
		}
		return new64().step
	}
}
