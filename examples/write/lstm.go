package main

import (
	"math/rand/v2"

	"nabla/autograd"
	"nabla/layers"
)

type lstm struct {
	Characters *layers.Embedding
	LSTM       *layers.LSTM
	Scores     *layers.Dense
}

func newLSTM(rng *rand.Rand, characters int) *lstm {
	const width, hidden = 64, 384
	l := &lstm{
		Characters: layers.NewEmbedding(rng, characters, width),
		LSTM:       layers.NewLSTMWith(rng, width, hidden, layers.RecurrentOptions{ForgetBias: 1}),
		Scores:     layers.NewDense(rng, hidden, characters),
	}
	layers.Name(l)
	layers.Convert(l, autograd.Float32)
	return l
}

func (l *lstm) Params() []*autograd.Param { return layers.ParamsOf(l) }

func (l *lstm) scores(g *autograd.Graph, ids autograd.Ints) autograd.Value {
	y, _ := l.LSTM.Run(l.Characters.Lookup(g, ids), layers.LSTMState{})
	return l.Scores.Forward(y.Dropout(0.3))
}

func (l *lstm) reader() func(id int) autograd.Tensor {
	g, memory := reading(), layers.LSTMMemory{}
	return func(id int) autograd.Tensor {
		g.Reset()
		y, state := l.LSTM.Run(l.Characters.Lookup(g, autograd.NewInts([]int{id}, 1, 1)), memory.In(g))
		memory = state.Keep()
		return l.Scores.Forward(y).Reshape(-1).Tensor()
	}
}
