package kernel

func (l *vectors[T]) cells() cellLoops[T] {
	return cellLoops[T]{
		sumSigmoid: l.sumSigmoidOfRow, sumTanh: l.sumTanhOfRow, tanhSlope: l.tanhSlopeOfRow,
		lstmState: l.lstmStateOfRow, lstmGrad: l.lstmGradOfRow, gruState: l.gruStateOfRow, gruGrad: l.gruGradOfRow,
	}
}

// Rows have at least one element.

func (l *vectors[T]) sumSigmoidOfRow(z, p, bias []T) {
	n := len(z)
	p, bias = p[:n], bias[:n]
	l.sumSigmoid(&z[0], &p[0], &bias[0], n)
}

func (l *vectors[T]) sumTanhOfRow(z, p, bias []T) {
	n := len(z)
	p, bias = p[:n], bias[:n]
	l.sumTanh(&z[0], &p[0], &bias[0], n)
}

func (l *vectors[T]) tanhSlopeOfRow(dz, gh, h []T) {
	n := len(dz)
	gh, h = gh[:n], h[:n]
	l.tanhSlope(&dz[0], &gh[0], &h[0], n)
}

func (l *vectors[T]) lstmStateOfRow(next, tanh, h []T, z gatesOf[T], c []T) {
	n := len(next)
	tanh, h, c = tanh[:n], h[:n], c[:n]
	in, forget, candidate, out := z.first(n)
	l.lstmState(&next[0], &tanh[0], &h[0], in, forget, candidate, out, &c[0], n)
}

func (l *vectors[T]) lstmGradOfRow(dz gatesOf[T], gc, gh []T, z gatesOf[T], c, tanh []T) {
	n := len(gh)
	gc, c, tanh = gc[:n], c[:n], tanh[:n]
	in, forget, candidate, out := z.first(n)
	di, df, dg, do := dz.first(n)
	l.lstmOutGrad(do, &gc[0], &gh[0], out, &tanh[0], n)
	l.lstmCellGrad(di, df, dg, &gc[0], in, forget, candidate, &c[0], n)
}

func (l *vectors[T]) gruStateOfRow(z gatesOf[T], q, next, p, h, once, again []T) {
	n := len(p)
	q, next, h, once, again = q[:n], next[:n], h[:n], once[:n], again[:n]
	reset, update, candidate, _ := z.first(n)
	l.gruState(candidate, &q[0], &next[0], &p[0], reset, update, &h[0], &once[0], &again[0], n)
}

func (l *vectors[T]) gruGradOfRow(dz gatesOf[T], dn, gh []T, z gatesOf[T], h, q []T) {
	n := len(gh)
	dn, h, q = dn[:n], h[:n], q[:n]
	reset, update, candidate, _ := z.first(n)
	dr, du, dc, _ := dz.first(n)
	l.gruGrad(dr, du, dc, &dn[0], &gh[0], reset, update, candidate, &h[0], &q[0], n)
}

// first returns where the gates of n units begin, nil for one that there is
// not.
func (g gatesOf[T]) first(n int) (a, b, c, d *T) {
	at := [4]*T{}
	for i, gate := range g {
		if len(gate) > 0 {
			at[i] = &gate[:n][0]
		}
	}
	return at[0], at[1], at[2], at[3]
}
