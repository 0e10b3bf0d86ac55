package kernel

// The cells, a row at a time: n hidden units of one sequence. z has the
// products of the input with the weights, p those of the state, and bias what
// is added to both; z becomes the gates.

// addRow is z = z + p + bias.
func addRow[T Float](z, p, bias []T) {
	p, bias = p[:len(z)], bias[:len(z)]
	for i, v := range z {
		z[i] = v + p[i] + bias[i]
	}
}

func sigmoidOf[T Float](x []T) { loopOf[T](&Sigmoid)(x, x, 0, 0) }
func tanhOf[T Float](x []T)    { loopOf[T](&Tanh)(x, x, 0, 0) }

// loopOf returns the loop of a function in a precision.
func loopOf[T Float](u *Unary) func(dst, x []T, a, b float64) {
	return *ofPrecision[*func(dst, x []T, a, b float64)](&u.F32, &u.F64)
}

// lstmRow computes the gates i, f, g and o, the next cells and states, and the
// tanh of these cells.
func lstmRow[T Float](z, p, bias, c, next, tanh, h []T) {
	n := len(c)
	addRow(z, p, bias)
	sigmoidOf(z[:2*n])
	tanhOf(z[2*n : 3*n])
	sigmoidOf(z[3*n:])
	in, forget, candidate, out := z[:n], z[n:2*n], z[2*n:3*n], z[3*n:4*n]
	next, tanh, h = next[:n], tanh[:n], h[:n]
	for j, v := range c {
		next[j] = forget[j]*v + in[j]*candidate[j]
	}
	loopOf[T](&Tanh)(tanh, next, 0, 0)
	for j, v := range tanh {
		h[j] = out[j] * v
	}
}

// lstmRowGrad computes the gradients of the weighted sums, and that of the
// cells before the step from that of those after it.
func lstmRowGrad[T Float](dz, gc, gh, z, c, tanh []T) {
	n := len(c)
	in, forget, candidate, out := z[:n], z[n:2*n], z[2*n:3*n], z[3*n:4*n]
	di, df, dg, do := dz[:n], dz[n:2*n], dz[2*n:3*n], dz[3*n:4*n]
	gc, gh, tanh = gc[:n], gh[:n], tanh[:n]
	for j, d := range gh {
		i, f, g, o, t := in[j], forget[j], candidate[j], out[j], tanh[j]
		dc := gc[j] + d*o*(1-t*t)
		do[j] = d * t * (o * (1 - o))
		di[j] = dc * g * (i * (1 - i))
		df[j] = dc * c[j] * (f * (1 - f))
		dg[j] = dc * i * (1 - g*g)
		gc[j] = dc * f
	}
}

// gruRow computes the gates r, z and n, the candidates' share q of the state
// before the reset gate, and the next states.
func gruRow[T Float](z, p, bias, h, q, next []T) {
	n := len(h)
	addRow(z[:2*n], p, bias)
	sigmoidOf(z[:2*n])
	reset, update, candidate := z[:n], z[n:2*n], z[2*n:3*n]
	q, next, p = q[:n], next[:n], p[2*n:3*n]
	once, again := bias[2*n:3*n], bias[3*n:4*n]
	for j, v := range p {
		q[j] = v + again[j]
		candidate[j] += once[j] + reset[j]*q[j]
	}
	tanhOf(candidate)
	for j, v := range candidate {
		next[j] = v + update[j]*(h[j]-v)
	}
}

// gruRowGrad computes the gradients of the weighted sums and of the products
// with the state, and what the state is handed past them.
func gruRowGrad[T Float](dz, dp, gh, z, h, q []T) {
	n := len(h)
	reset, update, candidate := z[:n], z[n:2*n], z[2*n:3*n]
	dr, du, dn := dz[:n], dz[n:2*n], dz[2*n:3*n]
	pr, pu, pn := dp[:n], dp[n:2*n], dp[2*n:3*n]
	q, gh = q[:n], gh[:n]
	for j, d := range gh {
		r, u, v := reset[j], update[j], candidate[j]
		dc := d * (1 - u) * (1 - v*v)
		dn[j], pn[j] = dc, dc*r
		dr[j] = dc * q[j] * (r * (1 - r))
		du[j] = d * (h[j] - v) * (u * (1 - u))
		pr[j], pu[j] = dr[j], du[j]
		gh[j] = d * u
	}
}

func tanhRow[T Float](z, p, bias, next []T) {
	addRow(z, p, bias)
	tanhOf(z)
	copy(next, z)
}

func tanhRowGrad[T Float](dz, gh, z []T) {
	dz, z = dz[:len(gh)], z[:len(gh)]
	for j, d := range gh {
		dz[j] = d * (1 - z[j]*z[j])
	}
}

func reluRow[T Float](z, p, bias, next []T) {
	addRow(z, p, bias)
	loopOf[T](&ReLU)(z, z, 0, 0)
	copy(next, z)
}

func reluRowGrad[T Float](dz, gh, z []T) {
	loopOfGrad[T](&ReLU)(dz, gh, z, nil, 0, 0)
}

// loopOfGrad returns the loop of a function's derivative in a precision.
func loopOfGrad[T Float](u *Unary) func(dst, gy, x, y []T, a, b float64) {
	return *ofPrecision[*func(dst, gy, x, y []T, a, b float64)](&u.D32, &u.D64)
}
