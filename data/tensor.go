package data

import "nabla/autograd"

// Tensor returns a tensor [Rows, Cols] with a copy of the numbers, in Float64.
func (m Matrix) Tensor() autograd.Tensor {
	m.check("Matrix.Tensor")
	return autograd.NewTensor(m.Values, m.Rows, m.Cols)
}

// FromTensor returns a matrix with a copy of the numbers of a tensor [rows,
// cols], so that a scaler can take a network's predictions back to their unit.
// A tensor that is not of rank 2 panics with an *[autograd.ShapeError].
func FromTensor(t autograd.Tensor) Matrix {
	shape := t.Shape()
	if len(shape) != 2 {
		panic(autograd.NewShapeError("data: FromTensor", "a matrix is made of a tensor of rank 2", shape))
	}
	return Matrix{Rows: shape[0], Cols: shape[1], Values: t.Float64s()}
}
