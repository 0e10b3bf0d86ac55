package main

import "strings"

func comparison(f *file) {
	for _, l := range f.both() {
		for _, row := range []struct {
			name, formula string
			predicate     int
		}{
			{"Equal", "[x = y]", equal}, {"NotEqual", "[x ≠ y]", notEqual}, {"Less", "[x < y]", less},
			{"LessEqual", "[x ≤ y]", lessEqual}, {"Greater", "[x > y]", greater}, {"GreaterEqual", "[x ≥ y]", greaterEqual},
		} {
			l.binary(row.name, row.formula, light, func() func(x, y vec) vec {
				unit := l.held(1)
				return func(x, y vec) vec { return l.and(l.is(row.predicate, x, y), unit) }
			})
			l.unary(row.name+"S", strings.ReplaceAll(row.formula, "y", "a"), light, func() func(x vec) vec {
				a, unit := l.number("a"), l.held(1)
				return func(x vec) vec { return l.and(l.is(row.predicate, x, a), unit) }
			})
		}
		l.binary("Maximum", "max(x, y)", light, func() func(x, y vec) vec { return l.maximum })
		l.binary("Minimum", "min(x, y)", light, func() func(x, y vec) vec { return l.minimum })
		l.where()
	}
}

// maximum is Go's max: NaN if either is NaN, and +0 for two different zeros.
// The processor's instruction returns the second argument in both cases.
func (l *lane) maximum(x, y vec) vec {
	return l.or(l.and(l.most(x, y), l.most(y, x)), l.is(unordered, x, y))
}

// minimum is Go's min in the same way, with −0 for two different zeros.
func (l *lane) minimum(x, y vec) vec {
	return l.or(l.or(l.least(x, y), l.least(y, x)), l.is(unordered, x, y))
}

func (l *lane) where() {
	l.loop("where", "func(dst, c, x, y *T, n int)", "is dst = x where c ≠ 0, else y.")
	zero := l.zero()
	l.arrays([]string{"dst"}, []string{"c", "x", "y"}, plenty, one(func(in []vec) vec {
		return l.pick(l.is(notEqual, in[0], zero), in[2], in[1])
	}), nil)
}
