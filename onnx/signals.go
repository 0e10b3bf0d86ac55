package onnx

import (
	"math"
	"slices"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// signals are transforms of sequences of samples.
func signals() map[string]operator {
	return map[string]operator{
		"BlackmanWindow":  {since(17), 1, 1, 1, buildWindow(0.42, 0.5, 0.08)},
		"DFT":             {since(17, 20), 1, 3, 1, buildDFT},
		"HammingWindow":   {since(17), 1, 1, 1, buildWindow(25.0/46, 1-25.0/46, 0)},
		"HannWindow":      {since(17), 1, 1, 1, buildWindow(0.5, 0.5, 0)},
		"MelWeightMatrix": {since(17), 5, 5, 1, buildMelWeights},
		"STFT":            {since(17), 2, 4, 1, buildSTFT},
	}
}

// buildWindow is a sum of cosines, a window of a signal.
func buildWindow(a, b, d float64) func(n *node) func(*call) {
	return func(n *node) func(*call) {
		periodic, elem := n.bool("periodic", true), message.Elem(n.int("output_datatype", 1))
		return func(c *call) {
			size := c.integer(0)
			if size < 0 {
				c.fail("the size is %d", size)
			}
			c.room([]int{size})
			over := float64(size)
			if !periodic {
				over--
			}
			values := make([]float64, size)
			for i := range values {
				x := 2 * math.Pi * float64(i) / over
				values[i] = a - b*math.Cos(x) + d*math.Cos(2*x)
			}
			c.set(0, c.cast(ofFloats(message.Double, values, size), elem, conversion{saturate: true}))
		}
	}
}

// A transform is a discrete Fourier transform along the last axis but one, of
// real numbers (a last axis of 1) or complex ones (of 2).
type transform struct {
	inverse, half bool
	length        int
}

// buildDFT transforms by matrices of cosines and sines.
func buildDFT(n *node) func(*call) {
	t := transform{inverse: n.bool("inverse", false), half: n.bool("onesided", false)}
	axis := -2
	if n.version < 20 {
		axis = n.int("axis", 1)
	}
	return func(c *call) {
		x, t, axis := c.value(0), t, axis
		if c.has(2) {
			axis = c.integer(2)
		}
		axis = c.axis(axis, x.Rank())
		if axis == x.Rank()-1 || x.Dim(-1) != 1 && x.Dim(-1) != 2 {
			c.failShapes("x is no signal", x.Shape())
		}
		t.length = x.Dim(axis)
		if t.inverse && t.half {
			t.length = 2 * (t.length - 1)
		}
		if c.has(1) {
			t.length = c.integer(1)
		}
		order := all(x.Rank())
		order = slices.Insert(slices.Delete(order, axis, axis+1), x.Rank()-2, axis)
		back := make([]int, len(order))
		for to, from := range order {
			back[from] = to
		}
		c.setLike(0, c.transform(t, x.Permute(order...)).Permute(back...))
	}
}

func (c *call) transform(t transform, x value) value {
	if t.length < 1 || t.length > math.MaxInt32 {
		c.fail("the length of the signal is %d", t.length)
	}
	if t.inverse && t.half {
		return c.realSignal(t, x)
	}
	n, axis := t.length, x.Rank()-2
	if have := x.Dim(axis); have > n {
		x = x.Narrow(axis, 0, n)
	} else if have < n {
		shape := x.Shape()
		shape[axis] = n
		c.room(shape)
		pairs := make([][2]int, x.Rank())
		pairs[axis][1] = n - have
		x = x.Pad(0, pairs...)
	}
	bins := n
	if t.half {
		bins = n/2 + 1
	}
	cosines, sines := c.waves(n, bins, n)
	if t.inverse {
		sines = sines.Neg()
	}
	real := x.Select(axis+1, 0)
	re, im := real.MatMul(cosines), real.MatMul(sines).Neg()
	if x.Dim(-1) == 2 {
		imaginary := x.Select(axis+1, 1)
		re, im = re.Add(imaginary.MatMul(sines)), im.Add(imaginary.MatMul(cosines))
	}
	y := autograd.Stack(axis+1, re, im)
	if t.inverse {
		y = y.MulScalar(1 / float64(n))
	}
	return y
}

// realSignal returns the real signal of which x is the first half of the
// transform: the other half is its mirror image.
func (c *call) realSignal(t transform, x value) value {
	n, axis := t.length, x.Rank()-2
	bins := n/2 + 1
	if x.Dim(axis) < bins || x.Dim(-1) != 2 {
		c.failShapes("there are too few frequencies", x.Shape(), []int{bins})
	}
	x = x.Narrow(axis, 0, bins)
	cosines, sines := c.waves(bins, n, n)
	weights := slices.Repeat([]float64{2}, bins)
	weights[0] = 1
	if n%2 == 0 {
		weights[bins-1] = 1
	}
	w := c.graph().Constant(autograd.NewTensor(weights, bins))
	re, im := x.Select(axis+1, 0).Mul(w), x.Select(axis+1, 1).Mul(w)
	return re.MatMul(cosines).Sub(im.MatMul(sines)).MulScalar(1 / float64(n)).Unsqueeze(axis + 1)
}

// waves returns cos and sin of 2π·i·j/period, [rows, columns].
func (c *call) waves(rows, columns, period int) (cosines, sines value) {
	c.room([]int{rows, columns})
	cos, sin := make([]float64, 0, rows*columns), make([]float64, 0, rows*columns)
	for i := range rows {
		for j := range columns {
			s, k := math.Sincos(2 * math.Pi * float64(i*j%period) / float64(period))
			cos, sin = append(cos, k), append(sin, s)
		}
	}
	g := c.graph()
	return g.Constant(autograd.NewTensor(cos, rows, columns)), g.Constant(autograd.NewTensor(sin, rows, columns))
}

// buildSTFT transforms frames of a signal, [batch, length, 1 or 2].
func buildSTFT(n *node) func(*call) {
	half := n.bool("onesided", true)
	return func(c *call) {
		x, step := c.value(0), c.integer(1)
		if x.Rank() != 3 || step < 1 || x.Dim(2) != 1 && x.Dim(2) != 2 {
			c.failShapes("x is no [batch, length, 1 or 2], or the step is not positive", x.Shape(), []int{step})
		}
		length := x.Dim(1)
		if c.has(2) {
			length = c.tensor(2).size()
		}
		if c.has(3) {
			length = c.integer(3)
		}
		if length < 1 || length > x.Dim(1) {
			c.failShapes("the frames do not fit the signal", x.Shape(), []int{length})
		}
		frames := (x.Dim(1)-length)/step + 1
		c.room([]int{x.Dim(0), frames, length, 2})
		index := make([]int, 0, frames*length)
		for f := range frames {
			for i := range length {
				index = append(index, f*step+i)
			}
		}
		x = x.IndexSelect(1, toInts(index, []int{frames, length}))
		if c.has(2) {
			w := c.value(2)
			if w.Rank() != 1 || w.Dim(0) != length {
				c.failShapes("the window has another length than the frames", w.Shape(), []int{length})
			}
			x = x.Mul(w.Unsqueeze(1))
		}
		c.setLike(0, c.transform(transform{half: half, length: length}, x))
	}
}

// buildMelWeights joins frequencies to bands of equal width on the mel scale.
func buildMelWeights(n *node) func(*call) {
	elem := message.Elem(n.int("output_datatype", 1))
	return func(c *call) {
		bands, length, rate := c.integer(0), c.integer(1), c.integer(2)
		lo, hi := c.number(3), c.number(4)
		if bands < 1 || bands > math.MaxInt32 || length < 1 || rate < 1 {
			c.fail("there are %d bands of a transform of length %d and a rate of %d", bands, length, rate)
		}
		rows := length/2 + 1
		c.room([]int{rows, bands})
		mel := func(f float64) float64 { return 2595 * math.Log10(1+f/700) }
		step := (mel(hi) - mel(lo)) / float64(bands+2)
		edges := make([]int, bands+2)
		for i := range edges {
			f := 700 * (math.Pow(10, (float64(i)*step+mel(lo))/2595) - 1)
			edges[i] = int(toInteger(message.Int32, float64(length+1)*f/float64(rate)))
		}
		values := make([]float64, rows*bands)
		for b := range bands {
			rise(values, bands, b, edges[b], edges[b+1], edges[b+2])
		}
		c.set(0, c.cast(ofFloats(message.Double, values, rows, bands), elem, conversion{saturate: true}))
	}
}

// rise fills a column with a triangle, which is 1 at its top.
func rise(values []float64, columns, column, from, top, to int) {
	rows := len(values) / columns
	for i := max(from, 0); i < min(max(to, top+1), rows); i++ {
		switch {
		case i < top:
			values[i*columns+column] = float64(i-from) / float64(top-from)
		case i == top:
			values[i*columns+column] = 1
		default:
			values[i*columns+column] = float64(to-i) / float64(to-top)
		}
	}
}
