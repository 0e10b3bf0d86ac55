// Package matrix has linear algebra on gonum's LAPACK: [Cholesky], [Solve],
// [Inverse], [Det] and [LogDet], differentiable to any order. It also converts
// between tensors and gonum's matrices. It is a package of its own so that only
// programs that use gonum compile it.
//
// The last two axes of a Value are a matrix, those before them are batch axes.
// All computes in float64; in a graph of float32 the numbers are widened first
// and each result is rounded once.
//
// Whether a matrix is singular depends on its numbers, not on the program's
// text. So a result that does not exist is NaN, as the logarithm of a negative
// number is, for that matrix alone and not for the others of its batch. In a
// graph with the option CheckFinite it panics with an
// [*autograd.NonFiniteError] that names the operation and the line. A matrix is
// singular if a pivot of its factors is exactly 0; one that is nearly so gives
// large numbers.
//
// Matrices of more than 64 rows are computed in blocks by several goroutines,
// which takes new memory at each call; the bits are the same for any number of
// cores.
package matrix

import (
	"gonum.org/v1/gonum/mat"

	"nabla/autograd"
)

// Tensor returns a tensor with a copy of a matrix. It panics with an
// [*autograd.ArgumentError] for nil.
func Tensor(m mat.Matrix) autograd.Tensor {
	if m == nil {
		panic(autograd.NewArgumentError("matrix: Tensor", "the matrix is nil"))
	}
	rows, columns := m.Dims()
	t := autograd.Zeros(rows, columns)
	for i := range rows {
		for j := range columns {
			t.Raw64()[i*columns+j] = m.At(i, j)
		}
	}
	return t
}

// Dense returns a copy of a tensor of rank 2 as a matrix. It panics with an
// [*autograd.ShapeError] for another rank and, as gonum has no empty matrices,
// without elements.
func Dense(t autograd.Tensor) *mat.Dense {
	if t.Rank() != 2 || t.Size() == 0 {
		panic(autograd.NewShapeError("matrix: Dense", "not a matrix with elements", t.Shape()))
	}
	return mat.NewDense(t.Dim(0), t.Dim(1), t.Float64s())
}
