package onnx

import (
	"math"
	"slices"
	"strings"

	"nabla/autograd"
	"nabla/autograd/matrix"
	"nabla/onnx/internal/message"
)

// products are those of matrices.
func products() map[string]operator {
	return map[string]operator{
		"Det":    with(since(11, 22), func(*node) func(value) value { return matrix.Det }),
		"Einsum": {since(12, 28), 1, -1, 1, buildEinsum},
		"Gemm":   {since(1, 6, 7, 9, 11, 13), 2, 3, 1, buildGemm},
		"MatMul": {since(1, 9, 13), 2, 2, 1, buildMatMul},
	}
}

func buildMatMul(*node) func(*call) {
	return func(c *call) {
		c.sameTypes(0, 1)
		x, y := c.args[0], c.args[1]
		c.room(c.productShape(x.shape(), y.shape()))
		if isFloat(x.elem) {
			c.setLike(0, c.value(0).MatMul(c.value(1)))
			return
		}
		c.set(0, c.matMulInts(x, y))
	}
}

// productShape returns the shape of a matrix product.
func (c *call) productShape(x, y []int) []int {
	if len(x) == 0 || len(y) == 0 {
		c.failShapes("an operand is a scalar", x, y)
	}
	x, y, _, _ = matrices(x, y)
	batch, ok := broadcast(x[:len(x)-2], y[:len(y)-2])
	if !ok || x[len(x)-1] != y[len(y)-2] {
		c.failShapes("the matrices do not fit each other", x, y)
	}
	return append(slices.Clone(batch), x[len(x)-2], y[len(y)-1])
}

// matrices makes a row of a vector on the left and a column of one on the
// right.
func matrices(x, y []int) (a, b []int, row, column bool) {
	if row = len(x) == 1; row {
		x = []int{1, x[0]}
	}
	if column = len(y) == 1; column {
		y = []int{y[0], 1}
	}
	return x, y, row, column
}

func (c *call) matMulInts(x, y datum) datum {
	xs, ys, row, column := matrices(x.shape(), y.shape())
	to := c.productShape(x.shape(), y.shape())
	n, k, m := to[len(to)-2], xs[len(xs)-1], to[len(to)-1]
	batch := to[:len(to)-2]
	a, b := c.intsOf(x), c.intsOf(y)
	as, bs := spread(xs[:len(xs)-2], batch), spread(ys[:len(ys)-2], batch)
	values := make([]int64, product(to))
	for i := range values {
		at := i / (n * m)
		from, by := (as.at(at)*n+i/m%n)*k, bs.at(at)*k*m+i%m
		for j := range k {
			values[i] += a[from+j] * b[by+j*m]
		}
		values[i] = wrap(x.elem, values[i])
	}
	if column {
		to = to[:len(to)-1]
	}
	if row {
		at := len(to) - 1 - int(truth(!column))
		to = slices.Delete(slices.Clone(to), at, at+1)
	}
	return ofInts(x.elem, values, to...)
}

// buildGemm returns α·x·y + β·z.
func buildGemm(n *node) func(*call) {
	n.ignore("broadcast")
	alpha, beta := n.float("alpha", 1), n.float("beta", 1)
	transX, transY := n.bool("transA", false), n.bool("transB", false)
	return func(c *call) {
		x, y := c.numbers(0), c.numbers(1)
		if x.Rank() != 2 || y.Rank() != 2 {
			c.failShapes("the operands are no matrices", x.Shape(), y.Shape())
		}
		if transX {
			x = x.T()
		}
		if transY {
			y = y.T()
		}
		to := []int{x.Dim(0), y.Dim(1)}
		c.room(to)
		z := x.MatMul(y)
		if alpha != 1 {
			z = z.MulScalar(alpha)
		}
		if c.has(2) {
			shift := c.numbers(2)
			if got, ok := broadcast(shift.Shape(), to); !ok || !slices.Equal(got, to) {
				c.failShapes("the third operand does not broadcast to the product", shift.Shape(), to)
			}
			if beta != 1 {
				shift = shift.MulScalar(beta)
			}
			z = z.Add(shift)
		}
		c.set(0, c.cast(ofValue(message.Double, z), c.args[0].elem, conversion{saturate: true}))
		if isFloat(c.args[0].elem) {
			c.setLike(0, z)
		}
	}
}

// buildEinsum knows the sizes of all axes before anything is computed.
func buildEinsum(n *node) func(*call) {
	equation := strings.ReplaceAll(n.string("equation", ""), " ", "")
	if len(equation) > 1024 {
		n.wrong("Einsum has an equation of %d letters", len(equation))
	}
	return func(c *call) {
		values := make([]value, len(c.args))
		for i := range values {
			values[i] = c.value(i)
		}
		c.einsumRoom(equation, values)
		c.setLike(0, autograd.Einsum(equation, values...))
	}
}

// einsumRoom bounds the elements over all letters of two operands at a time,
// which is more than any product on the way has.
func (c *call) einsumRoom(equation string, in []value) {
	terms := strings.Split(strings.Split(equation, "->")[0], ",")
	if len(terms) != len(in) {
		c.fail("the equation %q is not for %d operands", equation, len(in))
	}
	sizes := map[rune]int{}
	rest := 1
	for i, term := range terms {
		named := strings.Replace(term, "...", "", 1)
		shape := in[i].Shape()
		if extra := len(shape) - len(named); extra < 0 || extra > 0 && named == term {
			c.failShapes("the equation "+equation+" does not fit", shape)
		} else if extra > 0 {
			at := strings.Index(term, "...")
			rest = max(rest, product(shape[at:at+extra]))
			shape = slices.Delete(slices.Clone(shape), at, at+extra)
		}
		for j, letter := range named {
			sizes[letter] = max(sizes[letter], shape[j])
		}
	}
	if len(in) < 2 {
		return
	}
	output := ""
	if _, after, ok := strings.Cut(equation, "->"); ok {
		output = after
	}
	all := rest
	for letter, size := range sizes {
		if output == "" || strings.ContainsRune(output, letter) || len(in) > 2 {
			if size > 0 && all > math.MaxInt/size {
				c.tooLarge([]int{all, size})
			}
			all *= size
		}
	}
	c.room([]int{all})
}
