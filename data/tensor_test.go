package data_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/data"
)

func TestTensor(t *testing.T) {
	m := data.FromRows([]float64{1, 2, 3}, []float64{4, 5, 6})
	tensor := m.Tensor()
	if diff := cmp.Diff([]int{2, 3}, tensor.Shape()); diff != "" {
		t.Errorf("shape (-want +got):\n%s", diff)
	}
	if got := tensor.At(1, 0); got != 4 {
		t.Errorf("element (1, 0) is %v, want 4", got)
	}
	m.Values[0] = 10
	if got := tensor.At(0, 0); got != 1 {
		t.Error("the tensor shares memory with the matrix")
	}
	want := data.FromRows([]float64{1, 2, 3}, []float64{4, 5, 6})
	if diff := cmp.Diff(want, data.FromTensor(tensor)); diff != "" {
		t.Errorf("and back (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, data.FromTensor(tensor.In(autograd.Float32))); diff != "" {
		t.Errorf("from Float32 (-want +got):\n%s", diff)
	}
	empty := data.FromTensor(data.NewMatrix(0, 3).Tensor())
	if empty.Rows != 0 || empty.Cols != 3 {
		t.Errorf("of no rows: %+v, want [0 3]", empty)
	}
}

func TestFromTensorOfAnotherRank(t *testing.T) {
	for _, tensor := range []autograd.Tensor{autograd.Scalar(1), autograd.Zeros(3), autograd.Zeros(2, 1, 2)} {
		err := autograd.Try(func() { data.FromTensor(tensor) })
		var fault *autograd.ShapeError
		if !errors.As(err, &fault) {
			t.Errorf("of shape %v: error %v of type %T, want a *autograd.ShapeError", tensor.Shape(), err, err)
			continue
		}
		if diff := cmp.Diff([][]int{tensor.Shape()}, fault.Shapes); diff != "" {
			t.Errorf("shapes (-want +got):\n%s", diff)
		}
	}
}

func TestBrokenMatrixIsNoTensor(t *testing.T) {
	wantMisuse(t, "data: Matrix.Tensor: a matrix [2 2] of 3 values", func() {
		data.Matrix{Rows: 2, Cols: 2, Values: make([]float64, 3)}.Tensor()
	})
}
