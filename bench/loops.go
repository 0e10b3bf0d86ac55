package main

import "nabla/autograd"

// loops is W2 written by hand for exactly this network: forward and backward in
// one pass over the rows, with nothing stored in between. It is the limit of
// what plain Go can reach.
type loops[T number] struct {
	x       [tinyRows][tinyInputs]T
	t       [tinyRows]T
	w1      [tinyInputs][tinyHidden]T
	b1      [tinyHidden]T
	w2      [tinyHidden]T
	b2      T
	squares T // the sum of squared errors in the last step
}

// newLoops starts with the same numbers as the network in Nabla.
func newLoops[T number]() *loops[T] {
	l := &loops[T]{}
	features, targets := tinyData()
	for r := range tinyRows {
		l.x[r] = [tinyInputs]T{T(features[2*r]), T(features[2*r+1])}
		l.t[r] = T(targets[r])
	}
	params := newTinyNetwork(autograd.Float64).model.Params()
	for i, w := range params[0].Tensor().Float64s() {
		l.w1[i/tinyHidden][i%tinyHidden] = T(w)
	}
	for j, w := range params[2].Tensor().Float64s() {
		l.w2[j] = T(w)
	}
	return l
}

func (l *loops[T]) step() {
	w1, b1, w2, b2 := &l.w1, &l.b1, &l.w2, l.b2
	var dw1 [tinyInputs][tinyHidden]T
	var db1, dw2 [tinyHidden]T
	var db2, squares T
	for r := range l.x {
		x := &l.x[r]
		var a [tinyHidden]T
		p := b2
		for j := range a {
			a[j] = max(x[0]*w1[0][j]+x[1]*w1[1][j]+b1[j], 0)
			p += a[j] * w2[j]
		}
		d := p - l.t[r]
		squares += d * d
		dp := 2 * d / tinyRows
		db2 += dp
		for j := range a {
			dw2[j] += dp * a[j]
			if a[j] > 0 {
				dz := dp * w2[j]
				dw1[0][j] += dz * x[0]
				dw1[1][j] += dz * x[1]
				db1[j] += dz
			}
		}
	}
	for j := range tinyHidden {
		l.w1[0][j] -= tinyRate * dw1[0][j]
		l.w1[1][j] -= tinyRate * dw1[1][j]
		l.b1[j] -= tinyRate * db1[j]
		l.w2[j] -= tinyRate * dw2[j]
	}
	l.b2 -= tinyRate * db2
	l.squares = squares
}

// loss returns the mean squared error before the last step.
func (l *loops[T]) loss() T { return l.squares / tinyRows }

var loopsStep = inPrecision(newLoops[float32], newLoops[float64])
