package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// columns emits the softmax and its relatives along columns, of rows that are a
// stride apart.
func columns(f *file) {
	for _, l := range f.careful() {
		l.strips("softmaxColumns", "dst x", "is the softmax of each column.", func(s *strip) {
			best := s.largest()
			total := s.newTotals()
			s.each("power", "x", "dst", func(u int, in []vec) vec {
				y := s.expFrom(in[0], best[u])
				s.addTo(total[u], y)
				return y
			})
			inverse := s.inverses(total)
			s.each("ratio", "dst", "dst", func(u int, in []vec) vec { return s.scaled(in[0], inverse[u]) })
		})
		l.strips("logSumExpColumns", "dst x", "is the logarithm of the sum of powers of e in each column, in one row.", func(s *strip) {
			best := s.largest()
			rests := s.logRests(best)
			l.MOVQ(s.column, s.at)
			for u, rest := range rests {
				y := l.pick(l.is(equal, l.abs(best[u]), l.infinity()), l.add(best[u], rest), best[u])
				s.write(l.orNaN(l.is(unordered, rest, rest), y), s.place("dst", u))
			}
		})
		l.strips("logSoftmaxColumns", "dst x", "is the log-softmax of each column.", func(s *strip) {
			best := s.largest()
			rests := s.logRests(best)
			for u, rest := range rests {
				rests[u] = l.orNaN(l.is(equal, l.abs(best[u]), l.infinity()), rest)
			}
			s.each("difference", "x", "dst", func(u int, in []vec) vec { return l.sub(l.sub(in[0], best[u]), rests[u]) })
		})
		l.strips("softmaxGradColumns", "dst gy y", "is y·(gy − Σ gy·y) in each column.", func(s *strip) {
			total := s.newTotals()
			s.each("product", "gy y", "", func(u int, in []vec) vec {
				s.addTo(total[u], l.mul(in[0], in[1]))
				return nil
			})
			sum := s.totals(total)
			s.each("gradient", "gy y", "dst", func(u int, in []vec) vec { return l.mul(in[1], l.sub(in[0], sum[u])) })
		})
		l.strips("logSoftmaxGradColumns", "dst gy y", "is gy − eʸ·Σ gy in each column.", func(s *strip) {
			total := s.newTotals()
			s.each("sum", "gy", "", func(u int, in []vec) vec {
				s.addTo(total[u], in[0])
				return nil
			})
			sum := s.totals(total)
			s.each("gradient", "gy y", "dst", func(u int, in []vec) vec { return l.sub(in[0], l.mul(l.exp(in[1]), sum[u])) })
		})
	}
}

// strip is one or two vectors of adjacent columns, or the part of a vector that
// is left at the end of the rows.
type strip struct {
	*lane
	label                             string
	count                             int // of vectors
	bases                             map[string]reg.GPVirtual
	rows, stride, column, at, columns reg.GPVirtual
	some                              mask // nil for a whole vector
}

// strips emits a kernel that goes over the columns of its arrays in strips.
func (l *lane) strips(name, arrays, doc string, body func(s *strip)) {
	s := &strip{lane: l, bases: map[string]reg.GPVirtual{}}
	list := strings.ReplaceAll(arrays, " ", ", ")
	l.loop(name, "func("+list+" *T, rows, stride, columns int)", doc+" There are rows > 0, stride elements apart.")
	for _, array := range strings.Fields(arrays) {
		s.bases[array] = l.param(array)
	}
	s.rows, s.stride, s.columns = l.param("rows"), l.param("stride"), l.param("columns")
	s.column, s.at = l.GP64(), l.GP64()
	l.SHLQ(operand.Imm(uint64(map[int]int{4: 2, 8: 3}[l.size()])), s.stride)
	l.XORQ(s.column, s.column)
	counts := []int{2, 1}
	if l.stored == 64 {
		counts = []int{1} // vectors are longer, and more registers in use
	}
	for _, count := range counts {
		s.label, s.count = fmt.Sprintf("by%d", count), count
		step := operand.Imm(uint64(count * l.width()))
		l.SUBQ(step, s.columns)
		l.JLT(operand.LabelRef(s.label + "Done"))
		l.Label(s.label)
		body(s)
		l.ADDQ(operand.Imm(uint64(count*l.step())), s.column)
		l.SUBQ(step, s.columns)
		l.JGE(operand.LabelRef(s.label))
		l.Label(s.label + "Done")
		l.ADDQ(step, s.columns)
	}
	l.JZ(operand.LabelRef("end"))
	s.label, s.some = "some", l.mask(s.columns)
	body(s)
	l.Label("end")
	l.end()
}

// place is the address of the strip's vector u in the current row.
func (s *strip) place(array string, u int) operand.Mem {
	return operand.Mem{Base: s.bases[array], Index: s.at, Scale: 1, Disp: u * s.step()}
}

// each emits a loop over the rows of the sources. It stores what f returns in
// the destination, if there is one.
func (s *strip) each(label, sources, destination string, f func(u int, in []vec) vec) {
	label = fmt.Sprintf("%s%s", s.label, label)
	left := s.GP64()
	s.MOVQ(s.rows, left)
	s.MOVQ(s.column, s.at)
	s.Label(label)
	for u := range s.count {
		var in []vec
		for _, source := range strings.Fields(sources) {
			in = append(in, s.read(s.place(source, u)))
		}
		if y := f(u, in); destination != "" {
			s.write(y, s.place(destination, u))
		}
	}
	s.ADDQ(s.stride, s.at)
	s.DECQ(left)
	s.JNZ(operand.LabelRef(label))
}

// read loads the strip's part of a row.
func (s *strip) read(m operand.Mem) vec {
	if s.some == nil {
		return s.lane.read(m)
	}
	return s.readSome(m, s.some)
}

// write stores the strip's part of a row. It changes x.
func (s *strip) write(x vec, m operand.Mem) {
	switch {
	case s.some == nil:
		s.lane.write(x, m)
	case s.vector == 256 && s.stored == 32:
		s.VMASKMOVPS(s.narrow(x), s.some.(vec).AsX(), m)
	case s.vector == 256:
		s.VMASKMOVPD(x, s.some, m)
	default:
		s.writeMasked(x, m, s.some)
	}
}

// state returns a vector for each vector of the strip, filled with a number.
func (s *strip) state(start float64) []vec {
	vectors := make([]vec, s.count)
	for u := range vectors {
		vectors[u] = s.load(s.c(start))
	}
	return vectors
}

// largest is the largest number of each column that is not NaN.
func (s *strip) largest() []vec {
	best := s.state(math.Inf(-1))
	s.each("largest", "x", "", func(u int, in []vec) vec {
		s.VMOVAPD(s.most(in[0], best[u]), best[u])
		return nil
	})
	return best
}

// expFrom is e^(x − best) for x ≤ best. In float64 it corrects the rounding
// error of the difference.
func (s *strip) expFrom(x, best vec) vec {
	d := s.sub(x, best)
	if s.stored == 32 {
		return s.negativeExp(d)
	}
	back := s.sub(d, x)
	rest := s.sub(s.sub(x, s.sub(d, back)), s.add(best, back))
	return s.expOfPair(pair{d, rest})
}

// logRests are ln Σ e^(x − best), as log1p of the sum without the largest
// element.
func (s *strip) logRests(best []vec) []vec {
	total, ties := s.newTotals(), s.state(-1)
	s.each("powers", "x", "", func(u int, in []vec) vec {
		isBest := s.is(equal, in[0], best[u])
		s.VADDPD(s.only(isBest, s.held(1)), ties[u], ties[u])
		s.addTo(total[u], s.without(isBest, s.expFrom(in[0], best[u])))
		return nil
	})
	rests := s.totals(total)
	for u, rest := range rests {
		rests[u] = s.log1p(s.add(rest, ties[u]), false)
	}
	return rests
}

// newTotals are sums that addTo adds to, in float64 with a second sum of the
// rounding errors.
func (s *strip) newTotals() []pair {
	totals := make([]pair, s.count)
	for u := range totals {
		totals[u].high = s.zero()
		if s.stored == 64 {
			totals[u].low = s.zero()
		}
	}
	return totals
}

func (s *strip) addTo(total pair, y vec) {
	if s.stored == 32 {
		s.VADDPD(y, total.high, total.high)
		return
	}
	sum := s.add(total.high, y)
	part := s.sub(sum, total.high)
	rest := s.add(s.sub(total.high, s.sub(sum, part)), s.sub(y, part))
	s.VADDPD(rest, total.low, total.low)
	s.VMOVAPD(sum, total.high)
}

// totals are the sums with their errors, which are NaN if the sum is infinite.
func (s *strip) totals(total []pair) []vec {
	sums := make([]vec, s.count)
	for u, t := range total {
		sums[u] = t.high
		if s.stored == 64 {
			sums[u] = s.pick(s.is(unordered, t.low, t.low), s.add(t.high, t.low), t.high)
		}
	}
	return sums
}

// inverses are 1/total, in two parts for float64.
func (s *strip) inverses(total []pair) []pair {
	inverses := make([]pair, s.count)
	for u, t := range total {
		high := s.div(s.held(1), t.high)
		inverses[u].high = high
		if s.stored == 32 {
			continue
		}
		rest := s.copy(s.held(1))
		s.subProduct(rest, high, t.high)
		s.subProduct(rest, high, t.low)
		inverses[u].low = s.mul(rest, high)
	}
	return inverses
}

// scaled is y·x for a y in one or two parts.
func (s *strip) scaled(x vec, y pair) vec {
	if s.stored == 32 {
		return s.mul(x, y.high)
	}
	z := s.mul(x, y.low)
	s.addProduct(z, x, y.high)
	return z
}
