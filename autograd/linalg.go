package autograd

import "nabla/internal/kernel"

var (
	opMatMul     = operation{name: "matmul", method: "MatMul"}
	opDiagonal   = operation{name: "diagonal", method: "Diagonal"}
	opOnDiagonal = operation{name: "on diagonal", method: "Diagonal"}
	opTriu       = operation{name: "triu", method: "Triu"}
	opTril       = operation{name: "tril", method: "Tril"}
)

// MatMul returns the matrix product x·y. A vector is treated as a row on the
// left and as a column on the right, and its axis is dropped from the result.
// Axes before the last two are batch axes and broadcast.
//
//	∂/∂x = gy·yᵀ, ∂/∂y = xᵀ·gy
//
// If the inner dimension is 0 the elements are 0. 0·NaN is NaN. MatMul panics
// with a [*ShapeError] if the inner dimensions differ, an operand is a scalar,
// or the batch axes do not broadcast.
func (x Value) MatMul(y Value) Value {
	left, right := x.node(opMatMul.method).shape, x.operand(opMatMul.method, y).shape
	if left.rank() == 0 || right.rank() == 0 {
		panic(shapeError(opMatMul.method, "a scalar has no matrix product", " × ", left.dims, right.dims))
	}
	if inner := right.dims[max(0, right.rank()-2)]; left.dims[left.rank()-1] != inner {
		panic(shapeError(opMatMul.method, "inner dimensions differ", " × ", left.dims, right.dims))
	}
	switch {
	case left.rank() == 1 && right.rank() == 1:
		return x.Unsqueeze(0).matmul(y.Unsqueeze(1), false, false).Reshape()
	case left.rank() == 1:
		return x.Unsqueeze(0).matmul(y, false, false).Squeeze(-2)
	case right.rank() == 1:
		return x.matmul(y.Unsqueeze(1), false, false).Squeeze(-1)
	case left.rank() > 2 && right.rank() == 2 && left.size > 0:
		dims := x.g.copied(left.dims)
		dims[len(dims)-1] = right.dims[1]
		rows := x.Reshape(-1, left.dims[left.rank()-1])
		return rows.matmul(y, false, false).Reshape(dims...)
	}
	return x.matmul(y, false, false)
}

// matmul returns op(x)·op(y) over the last two axes, where op is the transpose
// or nothing.
func (x Value) matmul(y Value, transX, transY bool) Value {
	g, left, right := x.g, x.node(opMatMul.method), x.operand(opMatMul.method, y)
	p := g.product(left.shape, right.shape, transX, transY)
	n := g.record(&opMatMul, matmulRule, p.shape, x, y)
	n.a, n.b = reversed(transX), reversed(transY)
	transX = transX && min(p.m, p.k) > 1 // a vector lies in memory as its transpose does
	transY = transY && min(p.k, p.n) > 1
	pick(g, multiply[float64], multiply[float32])(n, left, right, p, transX, transY)
	return g.done()
}

// A product holds the sizes of a batch of matrix products m×k by k×n.
type product struct {
	shape   *shape
	m, n, k int
	batch   []int // broadcast batch dimensions; nil for one product
	x, y    []int // strides of the operands along them
}

func (g *Graph) product(x, y *shape, transX, transY bool) product {
	m, k := rowsAndColumns(x, transX)
	k2, n := rowsAndColumns(y, transY)
	if k != k2 {
		panic(shapeError(opMatMul.method, "inner dimensions differ", " × ", x.dims, y.dims))
	}
	p := product{m: m, n: n, k: k}
	if x.rank() == 2 && y.rank() == 2 {
		dims := g.ints.take(2)
		dims[0], dims[1] = m, n
		p.shape = g.newShape(opMatMul.method, dims)
		return p
	}
	xs, ys := g.shape(x.dims[:x.rank()-2]), g.shape(y.dims[:y.rank()-2])
	batch := g.batch(xs, ys, x, y)
	dims := g.ints.take(batch.rank() + 2)
	copy(dims, batch.dims)
	dims[batch.rank()], dims[batch.rank()+1] = m, n
	p.shape, p.batch = g.newShape(opMatMul.method, dims), batch.dims
	p.x, p.y = g.broadcastStrides(xs, batch), g.broadcastStrides(ys, batch)
	return p
}

// batch returns the shape that the batch axes share.
func (g *Graph) batch(xs, ys, x, y *shape) *shape {
	if !broadcasts(xs.dims, ys.dims) && !broadcasts(ys.dims, xs.dims) && !compatible(xs.dims, ys.dims) {
		panic(shapeError(opMatMul.method, "batch dimensions do not broadcast", " × ", x.dims, y.dims))
	}
	return g.broadcast(opMatMul.method, xs, ys)
}

// compatible reports whether two shapes broadcast to a common one.
func compatible(x, y []int) bool {
	for i := 1; i <= min(len(x), len(y)); i++ {
		if a, b := x[len(x)-i], y[len(y)-i]; a != b && a != 1 && b != 1 {
			return false
		}
	}
	return true
}

func rowsAndColumns(s *shape, trans bool) (rows, columns int) {
	rows, columns = s.dims[s.rank()-2], s.dims[s.rank()-1]
	if trans {
		return columns, rows
	}
	return rows, columns
}

// multiply computes a batch of products, which lie one after another in memory.
func multiply[T kernel.Float](n, left, right *node, p product, transX, transY bool) {
	dst, x, y := numbers[T](n), numbers[T](left), numbers[T](right)
	if len(p.batch) == 0 {
		kernel.MatMul(dst, x, y, p.m, p.n, p.k, transX, transY)
		return
	}
	kernel.MatMuls(dst, x, y, p.batch, p.x, p.y, p.m, p.n, p.k, transX, transY)
}

func matmulRule(r *Rule) {
	gy, x, y := r.Grad(), r.In(0), r.In(1)
	transX, transY := r.n.a == 1, r.n.b == 1
	if r.Needs(0) {
		if transX {
			r.Add(0, y.matmul(gy, transY, true))
		} else {
			r.Add(0, gy.matmul(y, false, !transY))
		}
	}
	if r.Needs(1) {
		if transY {
			r.Add(1, gy.matmul(x, true, transX))
		} else {
			r.Add(1, x.matmul(gy, !transX, false))
		}
	}
}

// Dot returns the scalar product Σ xᵢyᵢ of two vectors.
//
//	∂/∂x = y, ∂/∂y = x
//
// It panics with a [*ShapeError] unless both are vectors of the same length.
func (x Value) Dot(y Value) Value {
	left, right := x.node("Dot").shape, x.operand("Dot", y).shape
	if left.rank() != 1 || !left.equal(right) {
		panic(shapeError("Dot", "not two vectors of one length", " · ", left.dims, right.dims))
	}
	return x.MatMul(y)
}

// Outer returns the outer product xᵢyⱼ of two vectors.
//
//	∂/∂x = gy·y, ∂/∂y = gyᵀ·x
//
// It panics with a [*ShapeError] unless both are vectors.
func (x Value) Outer(y Value) Value {
	left, right := x.node("Outer").shape, x.operand("Outer", y).shape
	if left.rank() != 1 || right.rank() != 1 {
		panic(shapeError("Outer", "not two vectors", " and ", left.dims, right.dims))
	}
	return x.Unsqueeze(1).Mul(y.Unsqueeze(0))
}

// Diagonal returns the k-th diagonals of the matrices in the last two axes, as
// the last axis: the main diagonal for k = 0, one above it for k > 0, one below
// it for k < 0.
//
//	gx = gy on the diagonal, else 0
//
// It panics with a [*ShapeError] if there are fewer than two axes.
func (x Value) Diagonal(k int) Value {
	g, from := x.g, x.matrix(opDiagonal.method)
	s := from.shape
	rank, rows, columns := s.rank(), s.dims[s.rank()-2], s.dims[s.rank()-1]
	dims := g.copied(s.dims[:rank-1])
	dims[rank-2] = max(0, min(rows+min(k, 0), columns-max(k, 0)))
	n := g.record(&opDiagonal, diagonalRule, g.shape(dims), x)
	n.a = float64(k)
	if n.shape.size > 0 {
		off, strides := g.diagonal(s, k)
		g.copy(n, from, n.shape.dims, 0, g.strides(n.shape), off, strides)
	}
	return g.done()
}

// matrix returns x's node, which must have at least two axes.
func (x Value) matrix(op string) *node {
	n := x.node(op)
	if n.shape.rank() < 2 {
		panic(shapeError(op, "not a matrix", "", n.shape.dims))
	}
	return n
}

// diagonal returns where the k-th diagonals of a tensor of shape s lie.
func (g *Graph) diagonal(s *shape, k int) (off int, strides []int) {
	all := g.strides(s)
	rank := s.rank()
	down, right := all[rank-2], all[rank-1]
	strides = all[:rank-1]
	strides[rank-2] = down + right
	return max(0, -k)*down + max(0, k)*right, strides
}

func diagonalRule(r *Rule) {
	r.Add(0, r.Grad().onDiagonal(r.g.at(r.n.in[0]).shape, int(r.n.a)))
}

// onDiagonal returns zeros of shape s with x on the k-th diagonals.
func (x Value) onDiagonal(s *shape, k int) Value {
	g, from := x.g, x.node(opOnDiagonal.method)
	n := g.record(&opOnDiagonal, onDiagonalRule, s, x)
	n.a = float64(k)
	g.setAll(n, 0)
	if from.shape.size > 0 {
		off, strides := g.diagonal(s, k)
		g.copy(n, from, from.shape.dims, off, strides, 0, g.strides(from.shape))
	}
	return g.done()
}

func onDiagonalRule(r *Rule) { r.Add(0, r.Grad().Diagonal(int(r.n.a))) }

// Triu returns the matrices in the last two axes with zeros below the k-th
// diagonal.
//
//	gx = Triu(gy)
//
// It panics with a [*ShapeError] if there are fewer than two axes.
func (x Value) Triu(k int) Value { return x.triangle(&opTriu, triuRule, k) }

func triuRule(r *Rule) { r.Add(0, r.Grad().Triu(int(r.n.a))) }

// Tril returns the matrices in the last two axes with zeros above the k-th
// diagonal.
//
//	gx = Tril(gy)
//
// It panics with a [*ShapeError] if there are fewer than two axes.
func (x Value) Tril(k int) Value { return x.triangle(&opTril, trilRule, k) }

func trilRule(r *Rule) { r.Add(0, r.Grad().Tril(int(r.n.a))) }

func (x Value) triangle(op *operation, rule func(*Rule), k int) Value {
	g, from := x.g, x.matrix(op.method)
	rank := from.shape.rank()
	rows, columns := from.shape.dims[rank-2], from.shape.dims[rank-1]
	k = min(max(k, -rows), columns) // a diagonal further out changes nothing
	n := g.record(op, rule, from.shape, x)
	n.a = float64(k)
	pick(g, triangles[float64], triangles[float32])(n, from, rows, columns, k)
	return g.done()
}

// triangles copies the triangle of each matrix.
func triangles[T kernel.Float](n, from *node, rows, columns, k int) {
	dst, x := numbers[T](n), numbers[T](from)
	for size := rows * columns; len(dst) > 0; dst, x = dst[size:], x[size:] {
		kernel.Triangle(dst[:size], x[:size], rows, columns, k, n.op == &opTriu)
	}
}
