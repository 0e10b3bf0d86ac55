package kernel

import "math"

// A CTC is the geometry of a connectionist temporal classification. Its states
// are the labels of a sample with a blank before, between and behind them.
type CTC struct {
	Batch, Steps, Classes, Longest int
	Blank                          int
	ZeroInfinity                   bool
	Labels                         []int // [batch, longest]
	Lengths                        []int // of the samples, in steps
	LabelLengths                   []int // of their labels
}

// States returns how many states the longest labels have.
func (c *CTC) States() int { return 2*c.Longest + 1 }

// Kept returns how many numbers CTCLoss keeps for the gradient: the logarithms
// of the probabilities of all beginnings, for each step and state.
func (c *CTC) Kept() int { return c.Batch * c.Steps * c.States() }

// Work returns how many numbers CTCLossGrad needs beside: for each sample, the
// logarithms of the probabilities of all ends, of two steps.
func (c *CTC) Work() int { return 2 * c.Batch * c.States() }

// ctcPiece is the number of steps and states that make calling the workers pay.
const ctcPiece = 1 << 10

func (c *CTC) inPiece() int { return max(1, ctcPiece/max(1, c.Steps*c.States())) }

// CTCLoss computes −ln p of the labels for each sample, from log-probabilities
// x, [batch, steps, classes].
func CTCLoss[T Float](dst, x []T, c *CTC, kept []float64) {
	share(blocks(c.Batch, c.inPiece()), ctcTask[T]{*c, dst, x, kept})
}

type ctcTask[T Float] struct {
	c      CTC
	dst, x []T
	kept   []float64
}

func (t *ctcTask[T]) run(piece, _ int) {
	for i := piece * t.c.inPiece(); i < min((piece+1)*t.c.inPiece(), t.c.Batch); i++ {
		s := sampleOf(&t.c, t.x, t.kept, i)
		s.forward()
		loss := -s.logProb()
		if t.c.ZeroInfinity && math.IsInf(loss, 1) {
			loss = 0
		}
		t.dst[i] = T(loss)
	}
}

// CTCLossGrad computes −gy·γ, with γ the probability of each class at each
// step, given the labels. It is 0 behind the end of a sample. A sample whose
// loss is infinite gives NaN, or 0 with ZeroInfinity.
func CTCLossGrad[T Float](dst, gy, x []T, c *CTC, kept, work []float64) {
	share(blocks(c.Batch, c.inPiece()), ctcGradTask[T]{*c, dst, gy, x, kept, work})
}

type ctcGradTask[T Float] struct {
	c          CTC
	dst, gy, x []T
	kept, work []float64
}

func (t *ctcGradTask[T]) run(piece, _ int) {
	size, states := t.c.Steps*t.c.Classes, t.c.States()
	for i := piece * t.c.inPiece(); i < min((piece+1)*t.c.inPiece(), t.c.Batch); i++ {
		s := sampleOf(&t.c, t.x, t.kept, i)
		dst := t.dst[i*size : (i+1)*size]
		clear(dst)
		if p := s.logProb(); math.IsInf(p, -1) {
			if !t.c.ZeroInfinity {
				fill(dst[:s.steps*s.classes], T(math.NaN()))
			}
			continue
		}
		s.backward(dst, t.gy[i], t.work[2*i*states:2*(i+1)*states])
	}
}

// A ctcSample is one sample. The logarithm of a probability of 0 is −Inf.
type ctcSample[T Float] struct {
	x                      []T // [steps, classes]
	labels                 []int
	blank                  int
	steps, classes, states int
	stride                 int       // from a step to the next in beginnings
	beginnings             []float64 // [steps, states]: of all paths that end there, that step included
}

func sampleOf[T Float](c *CTC, x []T, kept []float64, i int) ctcSample[T] {
	states := c.States()
	return ctcSample[T]{
		x:      x[i*c.Steps*c.Classes : (i+1)*c.Steps*c.Classes],
		labels: c.Labels[i*c.Longest : i*c.Longest+c.LabelLengths[i]],
		blank:  c.Blank, steps: c.Lengths[i], classes: c.Classes, states: 2*c.LabelLengths[i] + 1,
		stride: states, beginnings: kept[i*c.Steps*states : (i+1)*c.Steps*states],
	}
}

// class returns the class of a state.
func (s *ctcSample[T]) class(state int) int {
	if state%2 == 0 {
		return s.blank
	}
	return s.labels[state/2]
}

// skips reports whether a path may go from the state two before to this one,
// without the blank between them.
func (s *ctcSample[T]) skips(state int) bool {
	return state%2 == 1 && state >= 3 && s.labels[state/2] != s.labels[state/2-1]
}

func (s *ctcSample[T]) at(step, state int) float64 {
	return float64(s.x[step*s.classes+s.class(state)])
}

func (s *ctcSample[T]) forward() {
	before := s.beginnings[:s.states]
	for state := range before {
		before[state] = math.Inf(-1)
		if state < 2 {
			before[state] = s.at(0, state)
		}
	}
	for step := 1; step < s.steps; step++ {
		now := s.beginnings[step*s.stride : step*s.stride+s.states]
		for state := range now {
			a, b, c := before[state], math.Inf(-1), math.Inf(-1)
			if state > 0 {
				b = before[state-1]
			}
			if s.skips(state) {
				c = before[state-2]
			}
			now[state] = logAdd3(a, b, c) + s.at(step, state)
		}
		before = now
	}
}

// logProb returns ln p of the labels: of the paths that end in the last label
// or the blank behind it.
func (s *ctcSample[T]) logProb() float64 {
	last := s.beginnings[(s.steps-1)*s.stride:]
	if s.states == 1 {
		return last[0]
	}
	return logAdd3(last[s.states-1], last[s.states-2], math.Inf(-1))
}

// backward goes back through the ends of paths, which begin behind a step.
func (s *ctcSample[T]) backward(dst []T, gy T, work []float64) {
	all := s.logProb()
	ends, before := work[:s.states], work[s.stride:s.stride+s.states]
	for state := range ends {
		ends[state] = math.Inf(-1)
		if state >= s.states-2 {
			ends[state] = 0
		}
	}
	for step := s.steps - 1; step >= 0; step-- {
		row, beginnings := dst[step*s.classes:], s.beginnings[step*s.stride:]
		for state, end := range ends {
			row[s.class(state)] -= gy * T(math.Exp(beginnings[state]+end-all))
		}
		if step == 0 {
			return
		}
		for state := range ends {
			a, b, c := ends[state]+s.at(step, state), math.Inf(-1), math.Inf(-1)
			if state+1 < s.states {
				b = ends[state+1] + s.at(step, state+1)
			}
			if state+2 < s.states && s.skips(state+2) {
				c = ends[state+2] + s.at(step, state+2)
			}
			before[state] = logAdd3(a, b, c)
		}
		ends, before = before, ends
	}
}

// logAdd3 returns ln(eᵃ + eᵇ + eᶜ).
func logAdd3(a, b, c float64) float64 {
	most := max(a, b, c)
	if math.IsInf(most, -1) {
		return most
	}
	return most + math.Log(math.Exp(a-most)+math.Exp(b-most)+math.Exp(c-most))
}
