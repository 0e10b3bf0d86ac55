package matrix_test

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/mat"

	"nabla/autograd"
	"nabla/autograd/matrix"
)

func TestTensor(t *testing.T) {
	m := mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 6})
	for _, c := range []struct {
		m      mat.Matrix
		shape  []int
		values []float64
	}{
		{m, []int{2, 3}, []float64{1, 2, 3, 4, 5, 6}},
		{m.T(), []int{3, 2}, []float64{1, 4, 2, 5, 3, 6}},
	} {
		got := matrix.Tensor(c.m)
		if diff := cmp.Diff(c.shape, got.Shape()); diff != "" {
			t.Errorf("shape (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(c.values, got.Float64s()); diff != "" {
			t.Errorf("numbers (-want +got):\n%s", diff)
		}
	}
}

func TestDense(t *testing.T) {
	a := autograd.NewTensor([]float64{1, 2, 3, 4, 5, 6}, 2, 3)
	m := matrix.Dense(a)
	if m.At(1, 0) != 4 {
		t.Errorf("row 1, column 0 is %v, want 4", m.At(1, 0))
	}
	m.Set(0, 0, 9)
	if a.At(0, 0) != 1 {
		t.Error("the matrix shares the tensor's numbers")
	}
}

func TestMisuse(t *testing.T) {
	var shape *autograd.ShapeError
	var argument *autograd.ArgumentError
	for _, a := range []autograd.Tensor{autograd.Zeros(3), autograd.Zeros(0, 3)} {
		if err := autograd.Try(func() { matrix.Dense(a) }); !errors.As(err, &shape) || !strings.Contains(err.Error(), "matrix: Dense: not a matrix with elements: [") {
			t.Errorf("%v: got the error %v", a.Shape(), err)
		}
	}
	if err := autograd.Try(func() { matrix.Tensor(nil) }); !errors.As(err, &argument) || !strings.Contains(err.Error(), "matrix: Tensor: the matrix is nil, at matrix_test.go") {
		t.Errorf("nil: got the error %v", err)
	}
}

// The core needs neither gonum's matrices nor its LAPACK: they take seconds of
// a first build.
func TestCoreWithoutMatrices(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "nabla/autograd").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, heavy := range []string{"gonum.org/v1/gonum/mat\n", "gonum.org/v1/gonum/lapack", "gonum.org/v1/gonum/blas"} {
		if strings.Contains(string(out), heavy) {
			t.Errorf("autograd depends on %s", heavy)
		}
	}
}
