package autograd_test

import (
	"math"

	"nabla/autograd"
)

// recurrentShapes are those of x, both matrices, h, c, and both biases.
func recurrentShapes(batch, steps, in, hidden, gates, states int) [][]int {
	all := [][]int{{batch, steps, in}, {in, gates * hidden}, {hidden, gates * hidden}, {batch, hidden}}
	if states == 2 {
		all = append(all, []int{batch, hidden})
	}
	return append(all, []int{gates * hidden}, []int{gates * hidden})
}

// recurrentWeights returns the weights among inputs, the biases behind the
// state.
func recurrentWeights(in []autograd.Value, states int) autograd.RecurrentWeights {
	return autograd.RecurrentWeights{Input: in[1], Hidden: in[2], InputBias: argument(in, 3+states), HiddenBias: argument(in, 4+states)}
}

// rowsOf joins all results of a recurrent operation along the steps.
func rowsOf(y autograd.Value, states ...autograd.Value) autograd.Value {
	all := []autograd.Value{y}
	for _, s := range states {
		all = append(all, s.Unsqueeze(1))
	}
	return autograd.Concat(1, all...)
}

func lstmOf(o autograd.RecurrentOptions) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value {
		y, h, c := autograd.LSTM(in[0], argument(in, 3), argument(in, 4), recurrentWeights(in, 2), o)
		return rowsOf(y, h, c)
	}
}

func gruOf(o autograd.RecurrentOptions) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value {
		y, h := autograd.GRU(in[0], argument(in, 3), recurrentWeights(in, 1), o)
		return rowsOf(y, h)
	}
}

func rnnOf(o autograd.RecurrentOptions) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value {
		y, h := autograd.RNN(in[0], argument(in, 3), recurrentWeights(in, 1), o)
		return rowsOf(y, h)
	}
}

// A unit computes a hidden unit's next state from its weighted sums of the
// input and of the state, by gates, and its state.
type unit func(p, q []float64, h, c float64) (nextH, nextC float64)

func lstmUnit(p, q []float64, _, c float64) (nextH, nextC float64) {
	c = logistic(p[1]+q[1])*c + logistic(p[0]+q[0])*math.Tanh(p[2]+q[2])
	return logistic(p[3]+q[3]) * math.Tanh(c), c
}

func gruUnit(p, q []float64, h, _ float64) (nextH, nextC float64) {
	z := logistic(p[1] + q[1])
	return (1-z)*math.Tanh(p[2]+logistic(p[0]+q[0])*q[2]) + z*h, 0
}

func tanhUnit(p, q []float64, _, _ float64) (nextH, nextC float64) { return math.Tanh(p[0] + q[0]), 0 }

func reluUnit(p, q []float64, _, _ float64) (nextH, nextC float64) { return max(p[0]+q[0], 0), 0 }

// recurrentTwin is the twin of a recurrent operation, one sequence and one unit
// at a time.
func recurrentTwin(next unit, gates, states int, o autograd.RecurrentOptions) func(in ...grid) grid {
	return func(in ...grid) grid {
		x, hidden := in[0], in[2].shape[0]
		batch, steps := x.shape[0], x.shape[1]
		all := zeros([]int{batch, steps + states, hidden})
		for b := range batch {
			h, c := make([]float64, hidden), make([]float64, hidden)
			for j := range hidden {
				if len(in) > 3 {
					h[j] = in[3].at(b, j)
				}
				if states == 2 && len(in) > 4 {
					c[j] = in[4].at(b, j)
				}
			}
			length := steps
			if o.Lengths.Size() > 0 {
				length = o.Lengths.Values()[b]
			}
			for i := range length {
				s := i
				if o.Reverse {
					s = length - 1 - i
				}
				nextH, nextC := make([]float64, hidden), make([]float64, hidden)
				for j := range hidden {
					var p, q []float64
					for gate := range gates {
						column := gate*hidden + j
						p, q = append(p, weightedSum(x, []int{b, s}, in[1], column, in, 3+states)), append(q, weightedSumOf(h, in[2], column, in, 4+states))
					}
					nextH[j], nextC[j] = next(p, q, h[j], c[j])
					all.data[offset(all.shape, []int{b, s, j})] = nextH[j]
				}
				h, c = nextH, nextC
			}
			for i, state := range [][]float64{h, c}[:states] {
				for j, v := range state {
					all.data[offset(all.shape, []int{b, steps + i, j})] = v
				}
			}
		}
		return all
	}
}

func weightedSum(x grid, at []int, w grid, column int, in []grid, bias int) float64 {
	row := make([]float64, w.shape[0])
	for i := range row {
		row[i] = x.at(at[0], at[1], i)
	}
	return weightedSumOf(row, w, column, in, bias)
}

func weightedSumOf(row []float64, w grid, column int, in []grid, bias int) float64 {
	sum := 0.0
	for i, v := range row {
		sum += v * w.at(i, column)
	}
	if bias < len(in) {
		sum += in[bias].at(column)
	}
	return sum
}

// paddedRuns has sequences of different lengths, one of them of all steps.
var paddedRuns = autograd.RecurrentOptions{Lengths: autograd.NewInts([]int{2, 4, 1})}

var recurrentRows = []opRow{
	{op: "lstm", shapes: recurrentShapes(2, 3, 2, 3, 4, 2), more: [][][]int{recurrentShapes(1, 1, 1, 1, 4, 2), recurrentShapes(0, 2, 3, 2, 4, 2), recurrentShapes(7, 2, 0, 1, 4, 2)},
		lo: -1, hi: 1, f: lstmOf(autograd.RecurrentOptions{}), twin: recurrentTwin(lstmUnit, 4, 2, autograd.RecurrentOptions{})},
	{op: "lstm", note: "padded", shapes: recurrentShapes(3, 4, 2, 3, 4, 2), lo: -1, hi: 1, f: lstmOf(paddedRuns), twin: recurrentTwin(lstmUnit, 4, 2, paddedRuns)},
	{op: "lstm", note: "backwards", shapes: recurrentShapes(3, 4, 2, 3, 4, 2), lo: -1, hi: 1, f: lstmOf(backwards(paddedRuns)), twin: recurrentTwin(lstmUnit, 4, 2, backwards(paddedRuns))},
	{op: "lstm", note: "no biases and zero cells", shapes: recurrentShapes(2, 3, 2, 3, 4, 2)[:4], lo: -1, hi: 1, f: lstmOf(autograd.RecurrentOptions{}), twin: recurrentTwin(lstmUnit, 4, 2, autograd.RecurrentOptions{})},
	{op: "gru", shapes: recurrentShapes(2, 3, 2, 3, 3, 1), more: [][][]int{recurrentShapes(1, 1, 1, 1, 3, 1), recurrentShapes(0, 2, 3, 2, 3, 1), recurrentShapes(7, 2, 0, 1, 3, 1)},
		lo: -1, hi: 1, f: gruOf(autograd.RecurrentOptions{}), twin: recurrentTwin(gruUnit, 3, 1, autograd.RecurrentOptions{})},
	{op: "gru", note: "padded", shapes: recurrentShapes(3, 4, 2, 3, 3, 1), lo: -1, hi: 1, f: gruOf(paddedRuns), twin: recurrentTwin(gruUnit, 3, 1, paddedRuns)},
	{op: "gru", note: "backwards", shapes: recurrentShapes(3, 4, 2, 3, 3, 1), lo: -1, hi: 1, f: gruOf(backwards(paddedRuns)), twin: recurrentTwin(gruUnit, 3, 1, backwards(paddedRuns))},
	{op: "gru", note: "no biases and no state", shapes: recurrentShapes(2, 3, 2, 3, 3, 1)[:3], lo: -1, hi: 1, f: gruOf(autograd.RecurrentOptions{}), twin: recurrentTwin(gruUnit, 3, 1, autograd.RecurrentOptions{})},
	{op: "rnn", shapes: recurrentShapes(2, 3, 2, 3, 1, 1), more: [][][]int{recurrentShapes(1, 1, 1, 1, 1, 1), recurrentShapes(0, 2, 3, 2, 1, 1), recurrentShapes(7, 2, 0, 1, 1, 1)},
		lo: -1, hi: 1, f: rnnOf(autograd.RecurrentOptions{}), twin: recurrentTwin(tanhUnit, 1, 1, autograd.RecurrentOptions{})},
	{op: "rnn", note: "padded", shapes: recurrentShapes(3, 4, 2, 3, 1, 1), lo: -1, hi: 1, f: rnnOf(paddedRuns), twin: recurrentTwin(tanhUnit, 1, 1, paddedRuns)},
	{op: "rnn", note: "relu, backwards", shapes: recurrentShapes(3, 4, 2, 3, 1, 1), lo: -1, hi: 1, f: rnnOf(withReLU(backwards(paddedRuns))), twin: recurrentTwin(reluUnit, 1, 1, backwards(paddedRuns))},
	{op: "lstm cell", shapes: append([][]int{{3, 2}}, recurrentShapes(3, 1, 2, 3, 4, 2)[1:]...), lo: -1, hi: 1,
		f: func(in ...autograd.Value) autograd.Value {
			h, c := autograd.LSTMCell(in[0], in[3], in[4], recurrentWeights(in, 2))
			return autograd.Stack(1, h, c)
		}, twin: cellTwin(lstmUnit, 4, 2)},
	{op: "gru cell", shapes: append([][]int{{3, 2}}, recurrentShapes(3, 1, 2, 3, 3, 1)[1:]...), lo: -1, hi: 1,
		f: func(in ...autograd.Value) autograd.Value {
			return autograd.GRUCell(in[0], in[3], recurrentWeights(in, 1)).Unsqueeze(1)
		}, twin: cellTwin(gruUnit, 3, 1)},
}

func backwards(o autograd.RecurrentOptions) autograd.RecurrentOptions {
	o.Reverse = true
	return o
}

func withReLU(o autograd.RecurrentOptions) autograd.RecurrentOptions {
	o.ReLU = true
	return o
}

// cellTwin is the twin of one step: its states, without the output.
func cellTwin(next unit, gates, states int) func(in ...grid) grid {
	whole := recurrentTwin(next, gates, states, autograd.RecurrentOptions{})
	return func(in ...grid) grid {
		x := in[0]
		in = append([]grid{{[]int{x.shape[0], 1, x.shape[1]}, x.data}}, in[1:]...)
		all := whole(in...)
		return build([]int{x.shape[0], states, all.shape[2]}, func(at []int) float64 { return all.at(at[0], 1+at[1], at[2]) })
	}
}
