package matrix

import (
	"slices"

	"nabla/autograd"
	"nabla/internal/operations"
)

// The operations. Their rules are set below, as they record operations
// themselves.
var (
	cholesky        = operation("cholesky", choleskyInto)
	solve           = operation("solve", solveInto)
	solveTriangular = operation("solve triangular", solveTriangularInto(false))
	solveTransposed = operation("solve transposed", solveTriangularInto(true))
	inverse         = operation("inverse", inverseInto)
	det             = operation("det", detInto)
	cofactor        = operation("cofactor", cofactorInto)
	logDet          = operation("log det", logDetInto)
	detSign         = mask("det sign", detSignInto)
)

func init() {
	cholesky.Rule = choleskyRule
	solve.Rule = solveRule
	solveTriangular.Rule = solveTriangularRule
	solveTransposed.Rule = solveTransposedRule
	inverse.Rule = inverseRule
	det.Rule = detRule
	cofactor.Rule = cofactorRule
	logDet.Rule = logDetRule
}

// A computation is the Into function of an operation.
type computation = func(dst autograd.Tensor, in []autograd.Tensor, work *autograd.Workspace)

func operation(name string, into computation) *autograd.Operation {
	return &autograd.Operation{Name: name, Into: into, Row: operations.Of(name)}
}

// mask is operation for a piecewise constant result.
func mask(name string, into computation) *autograd.Operation {
	return &autograd.Operation{Name: name, Into: into, Row: operations.Of(name), Mask: true}
}

// Cholesky returns the lower triangular L with L·Lᵀ = (a + aᵀ)/2 for each
// matrix of the last two axes. a is meant to be symmetric and positive
// definite; the mean makes its gradient symmetric.
//
//	ga = S + Sᵀ over 2 for S = L⁻ᵀ·Φ(Lᵀ·gL)·L⁻¹
//
// where Φ keeps the lower triangle, with half of the diagonal.
//
// Where the matrix is not positive definite or has a number that is not finite,
// L is NaN up to the diagonal.
//
// It panics with an [*autograd.ShapeError] if the last two axes differ.
func Cholesky(a autograd.Value) autograd.Value {
	square("matrix: Cholesky", a)
	return sameShape(cholesky, a, a)
}

func choleskyRule(r *autograd.Rule) {
	gy, l := r.Grad(), r.Out()
	p := l.T().MatMul(gy)
	p = p.Tril(0).Add(p.Tril(-1)).MulScalar(0.5)
	half := sameShape(solveTransposed, p, l, p) // L⁻ᵀ·P
	s := sameShape(solveTransposed, p, l, half.T())
	r.Add(0, s.Add(s.T()).MulScalar(0.5))
}

// solveTriangularRule is that of x = L⁻¹·b.
func solveTriangularRule(r *autograd.Rule) {
	gx, l, x := r.Grad(), r.In(0), r.Out()
	gb := sameShape(solveTransposed, gx, l, gx)
	r.Add(1, gb)
	if r.Needs(0) {
		r.Add(0, gb.MatMul(x.T()).Tril(0).Neg())
	}
}

// solveTransposedRule is that of x = L⁻ᵀ·b.
func solveTransposedRule(r *autograd.Rule) {
	gx, l, x := r.Grad(), r.In(0), r.Out()
	gb := sameShape(solveTriangular, gx, l, gx)
	r.Add(1, gb)
	if r.Needs(0) {
		r.Add(0, x.MatMul(gb.T()).Tril(0).Neg())
	}
}

// Solve returns x with a·x = b for each matrix of a's last two axes. b holds
// as many rows, or is a vector, as then x is. Axes before the last two are
// batch axes and broadcast.
//
//	gb = a⁻ᵀ·gx, ga = −gb·xᵀ
//
// Where a is singular or has a number that is not finite, x is NaN. So is a
// column of x where that column of b has a number that is not finite.
//
// It panics with an [*autograd.ShapeError] if a's last two axes differ, b has
// another number of rows, or the batch axes do not broadcast.
func Solve(a, b autograd.Value) autograd.Value {
	const op = "matrix: Solve"
	square(op, a)
	if b.Rank() == 1 {
		return Solve(a, b.Unsqueeze(1)).Squeeze(-1)
	}
	if b.Rank() == 0 || a.Dim(-1) != b.Dim(-2) {
		panic(autograd.NewShapeError(op, "the right side has another number of rows", a.Shape(), b.Shape()))
	}
	var room [8]int
	batch := room[:0]
	for i := max(a.Rank(), b.Rank()); i > 2; i-- {
		m, n := dimOf(a, i), dimOf(b, i)
		if m != n && m != 1 && n != 1 {
			panic(autograd.NewShapeError(op, "batch axes do not broadcast", a.Shape(), b.Shape()))
		}
		if m == 1 {
			m = n
		}
		batch = append(batch, m)
	}
	a, b = expanded(a, batch), expanded(b, batch)
	return sameShape(solve, b, a, b)
}

// dimOf returns the length of axis −i, 1 if there is none.
func dimOf(x autograd.Value, i int) int {
	if i > x.Rank() {
		return 1
	}
	return x.Dim(-i)
}

// expanded returns x with the given batch axes.
func expanded(x autograd.Value, batch []int) autograd.Value {
	same := x.Rank() == len(batch)+2
	for i := 0; same && i < len(batch); i++ {
		same = x.Dim(i) == batch[i]
	}
	if same {
		return x
	}
	var room [8]int
	return x.Expand(append(append(room[:0], batch...), x.Dim(-2), x.Dim(-1))...)
}

func solveRule(r *autograd.Rule) {
	gx, a, x := r.Grad(), r.In(0), r.Out()
	gb := sameShape(solve, gx, a.T(), gx)
	r.Add(1, gb)
	if r.Needs(0) {
		r.Add(0, gb.MatMul(x.T()).Neg())
	}
}

// Inverse returns the inverse of each matrix of the last two axes. To multiply
// by it, [Solve] is faster and loses fewer digits.
//
//	ga = −yᵀ·gy·yᵀ
//
// Where the matrix is singular or has a number that is not finite, the inverse
// is NaN.
//
// It panics with an [*autograd.ShapeError] if the last two axes differ.
func Inverse(a autograd.Value) autograd.Value {
	square("matrix: Inverse", a)
	return sameShape(inverse, a, a)
}

func inverseRule(r *autograd.Rule) {
	t := r.Out().T()
	r.Add(0, t.MatMul(r.Grad()).MatMul(t).Neg())
}

// Det returns the determinant of each matrix of the last two axes; that of a
// matrix without elements is 1. A matrix with a number that is not finite has
// the determinant NaN.
//
//	ga = gy · the cofactors of a, also where a is singular
//
// Second derivatives of an n×n matrix that is nearly singular take n²
// determinants, and room for n⁴ numbers.
//
// It panics with an [*autograd.ShapeError] if the last two axes differ.
func Det(a autograd.Value) autograd.Value {
	square("matrix: Det", a)
	return perMatrix(det, a)
}

func detRule(r *autograd.Rule) {
	r.Add(0, r.Grad().Unsqueeze(-2, -1).Mul(cofactors(r.In(0))))
}

// cofactors returns the matrix of cofactors: the determinants of what is left
// without a row and a column, with the signs of a chessboard. For a regular
// matrix it is det a·a⁻ᵀ.
func cofactors(a autograd.Value) autograd.Value { return sameShape(cofactor, a, a) }

// cofactorRule differentiates det a·a⁻ᵀ if no matrix is nearly singular.
// Otherwise it takes the cofactors as what they are, determinants of smaller
// matrices, which is right for every matrix but much dearer.
func cofactorRule(r *autograd.Rule) {
	v, a, y := r.Grad(), r.In(0), r.Out()
	if !isRegular(a.View()) {
		r.Add(0, fromMinors(v, a))
		return
	}
	g := Inverse(a).T()
	along := v.Mul(g).Sum(-2, -1).Unsqueeze(-2, -1)
	r.Add(0, along.Mul(y).Sub(y.MatMul(v.T()).MatMul(g)))
}

// fromMinors returns the gradient, for the incoming one v, of the cofactors of
// a by way of the minors.
func fromMinors(v, a autograd.Value) autograd.Value {
	g, n := a.Graph(), a.Dim(-1)
	shape := a.Shape()
	if a.Size() == 0 {
		return a
	}
	batch := a.Size() / (n * n)
	places, signs := minors(n)
	taken := a.Reshape(batch, n*n).IndexSelect(1, places)
	weights := v.Reshape(batch, n, n).Mul(g.Constant(signs)).Unsqueeze(-2, -1)
	parts := weights.Mul(cofactors(taken.Reshape(batch, n, n, n-1, n-1)))
	all := autograd.NewInts(slices.Repeat(places.Values(), batch), batch, places.Size())
	return g.Full(0, batch, n*n).ScatterAdd(1, all, parts.Reshape(batch, places.Size())).Reshape(shape...)
}

// minors returns the places in an n×n matrix of the elements of its n·n minors,
// and the signs of a chessboard.
func minors(n int) (places autograd.Ints, signs autograd.Tensor) {
	var all []int
	signs = autograd.Ones(n, n)
	for i := range n {
		for j := range n {
			if (i+j)%2 == 1 {
				signs.Raw64()[i*n+j] = -1
			}
			for row := range n {
				for column := range n {
					if row != i && column != j {
						all = append(all, row*n+column)
					}
				}
			}
		}
	}
	return autograd.NewInts(all), signs
}

// LogDet returns, for each matrix of the last two axes, the sign of its
// determinant, −1, 0 or 1, and the logarithm of the determinant's magnitude,
// which is not lost where the determinant itself would leave the range. For a
// singular matrix they are 0 and −Inf; for one with a number that is not finite
// both are NaN.
//
//	∂log/∂a = a⁻ᵀ, NaN where a is singular
//
// The sign is piecewise constant: no gradient passes.
//
// It panics with an [*autograd.ShapeError] if the last two axes differ.
func LogDet(a autograd.Value) (sign, log autograd.Value) {
	square("matrix: LogDet", a)
	return perMatrix(detSign, a), perMatrix(logDet, a)
}

func logDetRule(r *autograd.Rule) {
	r.Add(0, r.Grad().Unsqueeze(-2, -1).Mul(Inverse(r.In(0)).T()))
}

// square panics if the last two axes differ.
func square(op string, a autograd.Value) {
	if a.Rank() < 2 || a.Dim(-1) != a.Dim(-2) {
		panic(autograd.NewShapeError(op, "not a square matrix, or a batch of them", a.Shape()))
	}
}

// sameShape records an operation whose result has the shape of like.
func sameShape(op *autograd.Operation, like autograd.Value, in ...autograd.Value) autograd.Value {
	var room [8]int
	return autograd.CustomInto(op, dims(room[:0], like, like.Rank()), in...)
}

// perMatrix records an operation with one result for each matrix.
func perMatrix(op *autograd.Operation, a autograd.Value) autograd.Value {
	var room [8]int
	return autograd.CustomInto(op, dims(room[:0], a, a.Rank()-2), a)
}

// dims appends the lengths of the first axes.
func dims(to []int, x autograd.Value, axes int) []int {
	for i := range axes {
		to = append(to, x.Dim(i))
	}
	return to
}
