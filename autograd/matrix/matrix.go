// Package matrix converts between tensors and gonum's matrices. It is a package
// of its own so that only programs that use gonum/mat compile it.
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
