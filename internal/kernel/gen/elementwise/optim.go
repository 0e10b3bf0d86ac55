package main

func optimizers(f *file) {
	for _, l := range f.both() {
		l.sgd()
		l.adam()
		l.rmsProp()
	}
}

// The updates round each product and sum, as the portable loops do.

func (l *lane) sgd() {
	l.loop("sgd", "func(w, grad *T, n int, rate, decay T)", "is w −= rate·(grad + decay·w).")
	rate, decay := l.element("rate"), l.element("decay")
	l.arrays([]string{"w"}, []string{"w", "grad"}, plenty, one(func(in []vec) vec {
		return l.sub(in[0], l.mul(rate, l.add(in[1], l.mul(decay, in[0]))))
	}), nil)
	for _, nesterov := range []bool{false, true} {
		name, doc := "sgdMomentum", "is v = momentum·v + d with d = grad + decay·w, w −= rate·v."
		if nesterov {
			name, doc = "sgdNesterov", "is v = momentum·v + d with d = grad + decay·w, w −= rate·(d + momentum·v)."
		}
		l.loop(name, "func(w, grad, v *T, n int, rate, momentum, decay T)", doc)
		rate, momentum, decay := l.element("rate"), l.element("momentum"), l.element("decay")
		l.arrays([]string{"w", "v"}, []string{"w", "grad", "v"}, 2, func(in []vec) []vec {
			d := l.add(in[1], l.mul(decay, in[0]))
			v := l.add(d, l.mul(momentum, in[2]))
			step := v
			if nesterov {
				step = l.add(d, l.mul(momentum, v))
			}
			return []vec{l.sub(in[0], l.mul(rate, step)), v}
		}, nil)
	}
}

func (l *lane) adam() {
	l.loop("adam", "func(w, grad, m, v *T, n int, decay, keep, beta1, beta2, rest1, rest2, rate, root, eps T)",
		"is the update of Adam: see the function of that name.")
	decay, keep := l.element("decay"), l.element("keep")
	beta1, beta2, rest1, rest2 := l.element("beta1"), l.element("beta2"), l.element("rest1"), l.element("rest2")
	rate, root, eps := l.element("rate"), l.element("root"), l.element("eps")
	l.arrays([]string{"w", "m", "v"}, []string{"w", "grad", "m", "v"}, 1, func(in []vec) []vec {
		d := l.add(in[1], l.mul(decay, in[0]))
		m := l.add(l.mul(beta1, in[2]), l.mul(rest1, d))
		v := l.add(l.mul(beta2, in[3]), l.mul(l.mul(rest2, d), d))
		step := l.div(m, l.add(l.div(l.sqrt(v), root), eps))
		return []vec{l.sub(l.mul(in[0], keep), l.mul(rate, step)), m, v}
	}, nil)
}

// rmsProp is the plain form, neither centered nor with momentum.
func (l *lane) rmsProp() {
	l.loop("rmsProp", "func(w, grad, v *T, n int, rate, alpha, rest, eps, decay T)",
		"is d = grad + decay·w, v = alpha·v + rest·d², w −= rate·d/(√v + eps).")
	rate, alpha, rest := l.element("rate"), l.element("alpha"), l.element("rest")
	eps, decay := l.element("eps"), l.element("decay")
	l.arrays([]string{"w", "v"}, []string{"w", "grad", "v"}, 2, func(in []vec) []vec {
		d := l.add(in[1], l.mul(decay, in[0]))
		v := l.add(l.mul(alpha, in[2]), l.mul(l.mul(rest, d), d))
		step := l.div(d, l.add(l.sqrt(v), eps))
		return []vec{l.sub(in[0], l.mul(rate, step)), v}
	}, nil)
}
