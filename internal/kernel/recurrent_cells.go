package kernel

import "math"

// cellLoops are the loops of recurrent cells over the hidden units of a row.
// Slices have the length of the first one.
type cellLoops[T Float] struct {
	sumSigmoid func(z, p, bias []T) // z = sigmoid(z + p + bias)
	sumTanh    func(z, p, bias []T) // z = tanh(z + p + bias)
	tanhSlope  func(dz, gh, h []T)  // dz = gh·(1 − h²)

	lstmState func(next, tanh, h []T, z gatesOf[T], c []T)
	lstmGrad  func(dz gatesOf[T], gc, gh []T, z gatesOf[T], c, tanh []T)
	gruState  func(z gatesOf[T], q, next, p, h, once, again []T)
	gruGrad   func(dz gatesOf[T], dn, gh []T, z gatesOf[T], h, q []T)
}

// gatesOf are the gates of a row, or their gradients: i, f, g and o of an LSTM,
// r, z and n of a GRU.
type gatesOf[T Float] [4][]T

func cutGates[T Float](x []T, n int) (g gatesOf[T]) {
	for i := range len(x) / n {
		g[i] = row(x, i, n)
	}
	return g
}

func portableCells[T Float]() cellLoops[T] {
	return cellLoops[T]{
		sumSigmoid: sumSigmoid[T], sumTanh: sumTanh[T], tanhSlope: tanhSlope[T],
		lstmState: lstmState[T], lstmGrad: lstmGrad[T], gruState: gruState[T], gruGrad: gruGrad[T],
	}
}

// addRow is z = z + p + bias.
func addRow[T Float](z, p, bias []T) {
	p, bias = p[:len(z)], bias[:len(z)]
	for i, v := range z {
		z[i] = v + p[i] + bias[i]
	}
}

// loopOf returns the loop of a function in a precision.
func loopOf[T Float](u *Unary) func(dst, x []T, a, b float64) {
	return *ofPrecision[*func(dst, x []T, a, b float64)](&u.F32, &u.F64)
}

func sumSigmoid[T Float](z, p, bias []T) {
	addRow(z, p, bias)
	mapX[T](sigmoid)(z, z, 0, 0)
}

func sumTanh[T Float](z, p, bias []T) {
	addRow(z, p, bias)
	mapX[T](math.Tanh)(z, z, 0, 0)
}

func tanhSlope[T Float](dz, gh, h []T) {
	gh, h = gh[:len(dz)], h[:len(dz)]
	for j, v := range h {
		dz[j] = gh[j] * (1 - v*v)
	}
}

// lstmState computes the cells after a step, their tanh, and the state.
func lstmState[T Float](next, tanh, h []T, z gatesOf[T], c []T) {
	n := len(next)
	in, forget, candidate, out := z[0][:n], z[1][:n], z[2][:n], z[3][:n]
	tanh, h, c = tanh[:n], h[:n], c[:n]
	for j := range next {
		next[j] = forget[j]*c[j] + in[j]*candidate[j]
		tanh[j] = T(math.Tanh(float64(next[j])))
		h[j] = out[j] * tanh[j]
	}
}

// lstmGrad computes the gradients of the weighted sums from those of the state
// and of the cells after a step, and changes the latter to that of the cells
// before.
func lstmGrad[T Float](dz gatesOf[T], gc, gh []T, z gatesOf[T], c, tanh []T) {
	for j, d := range gh {
		i, f, g, o, t := z[0][j], z[1][j], z[2][j], z[3][j], tanh[j]
		dc := gc[j] + d*o*(1-t*t)
		dz[0][j] = dc * g * (i * (1 - i))
		dz[1][j] = dc * c[j] * (f * (1 - f))
		dz[2][j] = dc * i * (1 - g*g)
		dz[3][j] = d * t * (o * (1 - o))
		gc[j] = dc * f
	}
}

// gruState computes the candidates' share q of the state before the reset gate,
// the candidates, and the state after a step. once is the candidates' first
// bias, again the one that the reset gate multiplies.
func gruState[T Float](z gatesOf[T], q, next, p, h, once, again []T) {
	for j, v := range p {
		q[j] = v + again[j]
		z[2][j] = T(math.Tanh(float64(z[2][j] + (once[j] + z[0][j]*q[j]))))
		next[j] = z[2][j] + z[1][j]*(h[j]-z[2][j])
	}
}

// gruGrad computes the gradients of the weighted sums from that of the state
// after a step; dn is that of the candidates' product with the state. It
// changes gh to what the state before is handed past the weights.
func gruGrad[T Float](dz gatesOf[T], dn, gh []T, z gatesOf[T], h, q []T) {
	for j, d := range gh {
		r, u, v := z[0][j], z[1][j], z[2][j]
		dc := d * (1 - u) * (1 - v*v)
		dz[0][j] = dc * q[j] * (r * (1 - r))
		dz[1][j] = d * (h[j] - v) * (u * (1 - u))
		dz[2][j], dn[j] = dc, dc*r
		gh[j] = d * u
	}
}
