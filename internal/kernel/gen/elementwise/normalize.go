package main

import (
	"fmt"
	"strings"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// normalizations emit the loops of normalizations: sums in float64, and what
// memory limits in the precision of the numbers.
func normalizations(f *file) {
	for _, l := range f.careful() {
		l.normalizationSums()
		l.normalizationColumns()
	}
	for _, l := range f.both() {
		l.normalizationLines()
		l.normalizationGradients()
	}
}

func (l *lane) normalizationSums() {
	l.loop("products", "func(gy, x *T, n int, mean float64) (sum, products float64)", "adds up gy and gy·(x − mean).")
	mean := l.number("mean")
	l.folds([]string{"gy", "x"}, 4, 2, func(a, in []vec, _ mask) {
		l.accumulate(a[0], in[0])
		l.addProduct(a[1], in[0], l.sub(in[1], mean))
	}, "sum", "products")
	l.loop("productsOfRow", "func(gy, x, scale *T, n int, mean float64) (sum, products float64)", "adds up u = scale·gy and u·(x − mean).")
	mean = l.number("mean")
	l.folds([]string{"gy", "x", "scale"}, 4, 2, func(a, in []vec, _ mask) {
		u := l.mul(in[0], in[2])
		l.accumulate(a[0], u)
		l.addProduct(a[1], u, l.sub(in[1], mean))
	}, "sum", "products")
}

// straight is (x − center)·factor + rest.
func (l *lane) straight(x, center, factor, rest op) vec {
	d := l.sub(x, center)
	l.fma(d, factor, rest)
	return d
}

func (l *lane) normalizationLines() {
	const line = "center, factor, rest T"
	numbers := func() (center, factor, rest vec) {
		return l.element("center"), l.element("factor"), l.element("rest")
	}
	l.loop("normalize", "func(y, x *T, n int, "+line+")", "is y = (x − center)·factor + rest.")
	center, factor, rest := numbers()
	l.arrays([]string{"y"}, []string{"x"}, plenty, one(func(in []vec) vec { return l.straight(in[0], center, factor, rest) }), nil)

	l.loop("normalizeScaled", "func(y, x, scale *T, n int, "+line+")", "is y = ((x − center)·factor + rest)·scale.")
	center, factor, rest = numbers()
	l.arrays([]string{"y"}, []string{"x", "scale"}, plenty, one(func(in []vec) vec { return l.mul(l.straight(in[0], center, factor, rest), in[1]) }), nil)

	l.loop("normalizeRow", "func(y, x, scale, shift *T, n int, "+line+")", "is y = ((x − center)·factor + rest)·scale + shift.")
	center, factor, rest = numbers()
	l.arrays([]string{"y"}, []string{"x", "scale", "shift"}, plenty, one(func(in []vec) vec {
		hat := l.straight(in[0], center, factor, rest)
		l.fma(hat, in[1], in[2])
		return hat
	}), nil)

	l.loop("normalizeColumns", "func(y, x, center, factor, rest *T, n int)", "is y = (x − center)·factor + rest.")
	l.arrays([]string{"y"}, []string{"x", "center", "factor", "rest"}, plenty/2, one(func(in []vec) vec { return l.straight(in[0], in[1], in[2], in[3]) }), nil)
}

// bent is slope·gy + (curve·((x − center)·factor) + level).
func (l *lane) bent(gy, x, center, factor, slope, curve, level op) vec {
	d := l.mul(l.sub(x, center), factor)
	l.fma(d, curve, level)
	l.addProduct(d, gy, slope)
	return d
}

func (l *lane) normalizationGradients() {
	const bend = "center, factor, slope, curve, level T"
	l.loop("normalizeGrad", "func(gx, gy, x *T, n int, "+bend+")", "is gx = slope·gy + (curve·((x − center)·factor) + level).")
	center, factor, slope, curve, level := l.element("center"), l.element("factor"), l.element("slope"), l.element("curve"), l.element("level")
	l.arrays([]string{"gx"}, []string{"gy", "x"}, plenty, one(func(in []vec) vec { return l.bent(in[0], in[1], center, factor, slope, curve, level) }), nil)

	l.loop("normalizeRowGrad", "func(gx, gy, x, scale *T, n int, "+bend+")", "is normalizeGrad of scale·gy.")
	center, factor, slope, curve, level = l.element("center"), l.element("factor"), l.element("slope"), l.element("curve"), l.element("level")
	l.arrays([]string{"gx"}, []string{"gy", "x", "scale"}, 2, one(func(in []vec) vec {
		return l.bent(l.mul(in[0], in[2]), in[1], center, factor, slope, curve, level)
	}), nil)

	l.loop("normalizeColumnsGrad", "func(gx, gy, x, center, factor, slope, curve, level *T, n int)", "is normalizeGrad with numbers for each column.")
	l.arrays([]string{"gx"}, []string{"gy", "x", "center", "factor", "slope", "curve", "level"}, 1, one(func(in []vec) vec {
		return l.bent(in[0], in[1], in[2], in[3], in[4], in[5], in[6])
	}), nil)
}

// normalizationColumns emits two sums down each column.
func (l *lane) normalizationColumns() {
	l.pairsOfColumns("deviationsOfColumns", "sum, squares", "x", "from", "is Σ (x − from) and Σ (x − from)².", func(c *columnPair, sum, squares vec, in []vec, u int) {
		d := l.sub(in[0], c.numbers[0][u])
		l.VADDPD(d, sum, sum)
		l.addProduct(squares, d, d)
	})
	l.pairsOfColumns("productsOfColumns", "sum, products", "gy x", "mean", "is Σ gy and Σ gy·(x − mean).", func(c *columnPair, sum, products vec, in []vec, u int) {
		l.VADDPD(in[0], sum, sum)
		l.addProduct(products, in[0], l.sub(in[1], c.numbers[0][u]))
	})
	l.pairsOfColumns("affineSums", "sum, products", "gy x", "", "is Σ gy and Σ gy·((x − mean)·factor + rest), with numbers for each row that are step apart.", func(c *columnPair, sum, products vec, in []vec, u int) {
		l.VADDPD(in[0], sum, sum)
		l.addProduct(products, in[0], l.straight(in[1], c.row[0], c.row[1], c.row[2]))
	})
}

// columnPair is a strip of columns and two float64 sums for each of them.
type columnPair struct {
	strip
	numbers [][]vec // one for each column, of each array of float64
	row     []vec   // broadcast numbers of the current row
}

// pairsOfColumns emits a kernel that adds up two functions of the arrays, down
// columns. numbers is an array with a number for each column; if there is none,
// there are numbers for each row. All numbers are float64.
func (l *lane) pairsOfColumns(name, results, arrays, numbers, doc string, add func(c *columnPair, a, b vec, in []vec, u int)) {
	c := &columnPair{strip: strip{lane: l, bases: map[string]reg.GPVirtual{}}}
	list := strings.Join(strings.Fields(arrays), ", ")
	signature := "func(" + results + " *float64, " + list + " *T, " + numbers + " *float64, rows, stride, columns int)"
	perRow := []string(nil)
	if numbers == "" {
		perRow = []string{"mean", "factor", "rest"}
		signature = "func(" + results + " *float64, " + list + " *T, mean, factor, rest *float64, rows, stride, columns, step int)"
	}
	l.loop(name, signature, doc+" There are rows > 0, stride elements apart.")
	for _, array := range strings.Fields(arrays) {
		c.bases[array] = l.param(array)
	}
	c.rows, c.stride, c.columns = l.param("rows"), l.param("stride"), l.param("columns")
	c.column, c.at = l.GP64(), l.GP64()
	shift := operand.Imm(uint64(map[int]int{4: 2, 8: 3}[l.size()]))
	l.SHLQ(shift, c.stride)
	l.XORQ(c.column, c.column)
	for _, count := range []int{4, 1} {
		c.label, c.count = fmt.Sprintf("by%d", count), count
		step := operand.U32(count * l.width())
		l.SUBQ(step, c.columns)
		l.JLT(operand.LabelRef(c.label + "Done"))
		l.Label(c.label)
		c.sums(results, arrays, numbers, perRow, add)
		l.ADDQ(operand.U32(count*l.step()), c.column)
		l.SUBQ(step, c.columns)
		l.JGE(operand.LabelRef(c.label))
		l.Label(c.label + "Done")
		l.ADDQ(step, c.columns)
	}
	l.JZ(operand.LabelRef("end"))
	c.label, c.some = "some", l.mask(c.columns)
	c.sums(results, arrays, numbers, perRow, add)
	l.Label("end")
	l.end()
}

// sums emits the loop over the rows of a strip, and stores its sums.
func (c *columnPair) sums(results, arrays, numbers string, perRow []string, add func(c *columnPair, a, b vec, in []vec, u int)) {
	l := c.lane
	d := l.double()
	sums := l.newAccumulator(c.count, 2)
	wide := func(name string) operand.Mem { // a float64 for each column
		return operand.Mem{Base: l.param(name), Index: c.column, Scale: uint8(8 / l.size())}
	}
	// The mask of a strip selects float64 numbers too, once it is as wide.
	some := c.some
	if some != nil && l.bits != l.stored && l.vector == 256 {
		some = l.YMM()
		l.VPMOVSXDQ(c.some.(vec).AsX(), some)
	}
	c.numbers, c.row = nil, nil
	if numbers != "" {
		place, of := wide(numbers), make([]vec, c.count)
		for u := range of {
			if at := place.Offset(32 * u); some == nil {
				of[u] = d.load(at)
			} else {
				of[u] = d.readSome(at, some)
			}
		}
		c.numbers = append(c.numbers, of)
	}
	step, places := l.GP64(), make([]reg.GPVirtual, len(perRow))
	for i, name := range perRow {
		places[i] = l.param(name)
		c.row = append(c.row, l.register())
	}
	if perRow != nil {
		l.Load(l.Param("step"), step)
		l.SHLQ(operand.Imm(3), step)
	}
	left := l.GP64()
	l.MOVQ(c.rows, left)
	l.MOVQ(c.column, c.at)
	l.Label(c.label + "Rows")
	for i, place := range places {
		l.VBROADCASTSD(operand.Mem{Base: place}, c.row[i])
		l.ADDQ(step, place)
	}
	for u := range c.count {
		var in []vec
		for _, array := range strings.Fields(arrays) {
			in = append(in, c.read(c.place(array, u)))
		}
		add(c, sums[u][0], sums[u][1], in, u)
	}
	l.ADDQ(c.stride, c.at)
	l.DECQ(left)
	l.JNZ(operand.LabelRef(c.label + "Rows"))
	for i, name := range strings.Split(results, ", ") {
		place := wide(name)
		for u := range c.count {
			if at := place.Offset(32 * u); some == nil {
				l.VMOVUPD(sums[u][i], at)
			} else {
				l.VMASKMOVPD(sums[u][i], some, at)
			}
		}
	}
}
