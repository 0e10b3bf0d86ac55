package main

// recurrences emits the loops of recurrent cells over the hidden units of a
// row, which compute in the numbers' own precision.
func recurrences(f *file) {
	for _, l := range f.both() {
		l.gateSums()
		l.lstm()
		l.gru()
	}
}

// gateSums emits activations of z + p + bias.
func (l *lane) gateSums() {
	const signature = "func(z, p, bias *T, n int)"
	arrays := []string{"z", "p", "bias"}
	sum := func(in []vec) vec { return l.add(l.add(in[0], in[1]), in[2]) }
	l.loop("sumSigmoid", signature, "is z = 1/(1 + e⁻ˣ) of x = z + p + bias.")
	l.keep(1, l.gateEnd())
	l.arrays([]string{"z"}, arrays, 2, one(func(in []vec) vec { return l.sigmoid(sum(in)) }), &guarded{
		one(func(in []vec) vec { return l.normalSigmoid(sum(in)) }),
		func(in []vec) mask { return l.isBeyondGate(sum(in)) },
	})
	l.loop("sumTanh", signature, "is z = tanh(z + p + bias).")
	l.arrays([]string{"z"}, arrays, 1, one(func(in []vec) vec { return l.tanh(sum(in)) }), nil)
	l.loop("tanhSlope", "func(dz, gh, h *T, n int)", "is dz = gh·(1 − h²).")
	l.arrays([]string{"dz"}, []string{"gh", "h"}, plenty, one(func(in []vec) vec { return l.mul(in[0], l.oneLess(l.mul(in[1], in[1]))) }), nil)
}

// oneLess is 1 − x.
func (l *lane) oneLess(x vec) vec { return l.sub(l.load(l.c(1)), x) }

// gateSlope is x·(1 − x), the slope of a gate that is a sigmoid.
func (l *lane) gateSlope(x vec) vec { return l.mul(x, l.oneLess(x)) }

func (l *lane) lstm() {
	l.loop("lstmState", "func(next, tanh, h, in, forget, candidate, out, c *T, n int)", "is next = forget·c + in·candidate, h = out·tanh next.")
	l.arrays([]string{"next", "tanh", "h"}, []string{"in", "forget", "candidate", "out", "c"}, 1, func(in []vec) []vec {
		next := l.mul(in[1], in[4])
		next = l.add(next, l.mul(in[0], in[2]))
		tanh := l.tanh(next)
		return []vec{next, tanh, l.mul(in[3], tanh)}
	}, nil)
	l.loop("lstmOutGrad", "func(do, gc, gh, out, tanh *T, n int)", "is the gradient of the out gate, and adds to that of the cells.")
	l.arrays([]string{"do", "gc"}, []string{"gc", "gh", "out", "tanh"}, 2, func(in []vec) []vec {
		gc, gh, out, tanh := in[0], in[1], in[2], in[3]
		do := l.mul(l.mul(gh, tanh), l.gateSlope(out))
		return []vec{do, l.add(gc, l.mul(l.mul(gh, out), l.oneLess(l.mul(tanh, tanh))))}
	}, nil)
	l.loop("lstmCellGrad", "func(di, df, dg, gc, in, forget, candidate, c *T, n int)", "is the gradients of the gates in and forget, of the candidates, and of the cells before.")
	l.arrays([]string{"di", "df", "dg", "gc"}, []string{"gc", "in", "forget", "candidate", "c"}, 1, func(x []vec) []vec {
		gc, in, forget, candidate, c := x[0], x[1], x[2], x[3], x[4]
		return []vec{
			l.mul(l.mul(gc, candidate), l.gateSlope(in)),
			l.mul(l.mul(gc, c), l.gateSlope(forget)),
			l.mul(l.mul(gc, in), l.oneLess(l.mul(candidate, candidate))),
			l.mul(gc, forget),
		}
	}, nil)
}

func (l *lane) gru() {
	l.loop("gruState", "func(candidate, q, next, p, reset, update, h, once, again *T, n int)", "is q = p + again, candidate = tanh(candidate + (once + reset·q)), next = candidate + update·(h − candidate).")
	l.arrays([]string{"candidate", "q", "next"}, []string{"candidate", "p", "reset", "update", "h", "once", "again"}, 1, func(in []vec) []vec {
		q := l.add(in[1], in[6])
		candidate := l.tanh(l.add(in[0], l.add(in[5], l.mul(in[2], q))))
		return []vec{candidate, q, l.add(candidate, l.mul(in[3], l.sub(in[4], candidate)))}
	}, nil)
	l.loop("gruGrad", "func(dr, du, dn, pn, gh, reset, update, candidate, h, q *T, n int)", "is the gradients of the weighted sums, of the candidates' product with the state, and what the state is handed past them.")
	l.arrays([]string{"dr", "du", "dn", "pn", "gh"}, []string{"gh", "reset", "update", "candidate", "h", "q"}, 1, func(in []vec) []vec {
		gh, reset, update, candidate, h, q := in[0], in[1], in[2], in[3], in[4], in[5]
		dn := l.mul(l.mul(gh, l.oneLess(update)), l.oneLess(l.mul(candidate, candidate)))
		return []vec{
			l.mul(l.mul(dn, q), l.gateSlope(reset)),
			l.mul(l.mul(gh, l.sub(h, candidate)), l.gateSlope(update)),
			dn,
			l.mul(dn, reset),
			l.mul(gh, update),
		}
	}, nil)
}
