package main

func comparison(f *file) {
	for _, l := range f.both() {
		for _, row := range []struct {
			name, formula string
			predicate     int
		}{
			{"equal", "[x = y]", equal}, {"notEqual", "[x ≠ y]", notEqual}, {"less", "[x < y]", less},
			{"lessEqual", "[x ≤ y]", lessEqual}, {"greater", "[x > y]", greater}, {"greaterEqual", "[x ≥ y]", greaterEqual},
		} {
			l.binary(row.name, row.formula, "VV VS", plenty, func() func(x, y vec) vec {
				unit := l.held(1)
				return func(x, y vec) vec { return l.and(l.is(row.predicate, x, y), unit) }
			})
		}
		l.binary("maximum", "max(x, y)", "VV VS", plenty, func() func(x, y vec) vec { return l.maximum })
		l.binary("minimum", "min(x, y)", "VV VS", plenty, func() func(x, y vec) vec { return l.minimum })
		l.where()
	}
}

// maximum is Go's max: NaN where one is, and +0 of two different zeros. The processor's has the second argument there.
func (l *lane) maximum(x, y vec) vec {
	return l.or(l.and(l.most(x, y), l.most(y, x)), l.is(unordered, x, y))
}

// minimum is Go's min likewise, −0 of two different zeros.
func (l *lane) minimum(x, y vec) vec {
	return l.or(l.or(l.least(x, y), l.least(y, x)), l.is(unordered, x, y))
}

func (l *lane) where() {
	l.begin(l.kernel("where"), l.signature("func(dst, c, x, y *T, n int)"), "is dst = x where c ≠ 0, else y.")
	zero := l.zero()
	l.arrays([]string{"dst"}, []string{"c", "x", "y"}, plenty, one(func(in []vec) vec {
		return l.pick(l.is(notEqual, in[0], zero), in[2], in[1])
	}), nil)
}
