package main

import (
	"nabla/autograd"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
)

// A game is between two networks. The critic learns to tell what is real from
// what the inventor makes of noise; the inventor learns to deceive the critic
// (Goodfellow et al., 2014).
type game struct {
	inventor, critic layers.Layer
	noise            func() autograd.Tensor
	penalty          float64 // of the critic's slope where things are real (Mescheder et al., 2018)

	graph                  *autograd.Graph
	forInventor, forCritic *optim.Adam
}

func newGame(inventor, critic layers.Layer, noise func() autograd.Tensor, optimizer optim.Adam, penalty float64) *game {
	layers.Convert(inventor, autograd.Float32)
	layers.Convert(critic, autograd.Float32)
	second := optimizer
	return &game{
		inventor, critic, noise, penalty,
		autograd.NewGraph(autograd.Options{Precision: autograd.Float32}), &optimizer, &second,
	}
}

// round makes a step with the critic, then one with the inventor. It returns
// the critic's loss: ln 4 = 1.39 when it can only guess.
func (m *game) round(real autograd.Tensor, rate float64) float64 {
	m.forCritic.LearningRate, m.forInventor.LearningRate = rate, rate
	g := m.graph
	g.Reset()
	x := g.Variable(real)
	praise, blame := m.critic.Forward(x), m.critic.Forward(m.inventor.Forward(g.Constant(m.noise())).Detach())
	loss := judged(praise, 1).Add(judged(blame, 0))
	value := loss.Item()
	if m.penalty > 0 {
		slope := autograd.Grad(praise.Sum(), x)[0] // is differentiated again below
		loss = loss.Add(slope.Square().Sum().MulScalar(m.penalty / 2 / float64(real.Dim(0))))
	}
	m.forCritic.Step(loss.Backward())

	freeze(m.critic, true)
	g.Reset()
	invention := m.inventor.Forward(g.Constant(m.noise()))
	m.forInventor.Step(judged(m.critic.Forward(invention), 1).Backward())
	freeze(m.critic, false)
	return value
}

// judged is the loss of a critic who should say that all is real, 1, or not, 0.
func judged(logits autograd.Value, real float64) autograd.Value {
	target := logits.Graph().Constant(autograd.Full(real, logits.Shape()...))
	return losses.BinaryCrossEntropyWith(logits, target, losses.Options{Logits: true})
}

func freeze(model layers.Layer, frozen bool) {
	for _, p := range model.Params() {
		p.Frozen = frozen
	}
}

// invent returns what the inventor makes of noise, in evaluation mode.
func (m *game) invent() autograd.Tensor {
	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32, NoGrad: true})
	return m.inventor.Forward(g.Constant(m.noise())).Tensor()
}
