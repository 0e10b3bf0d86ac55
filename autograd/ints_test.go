package autograd_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
)

// NewInts copies, ViewInts does not.
func TestViewInts(t *testing.T) {
	values := []int{1, 2, 3, 4, 5, 6}
	copied, view := autograd.NewInts(values, 2, 3), autograd.ViewInts(values, 2, 3)
	values[4] = 9
	if diff := cmp.Diff([]int{1, 2, 3, 4, 5, 6}, copied.Values()) + cmp.Diff(values, view.Values()) + cmp.Diff([]int{2, 3}, view.Shape()); diff != "" {
		t.Error(diff)
	}
	if got := autograd.ViewInts(values[:2]).Shape(); !cmp.Equal(got, []int{2}) {
		t.Errorf("without a shape: %v", got)
	}
	var shape *autograd.ShapeError
	if err := autograd.Try(func() { autograd.ViewInts(values, 4) }); !errors.As(err, &shape) {
		t.Errorf("of another size: %v", err)
	}
}

func TestIntsDim(t *testing.T) {
	x := autograd.NewInts(make([]int, 6), 2, 3)
	if got := []int{x.Rank(), x.Dim(0), x.Dim(1), x.Dim(-1), x.Dim(-2)}; !cmp.Equal(got, []int{2, 2, 3, 3, 2}) {
		t.Errorf("rank and dimensions: %v", got)
	}
	for _, axis := range []int{2, -3} {
		var index *autograd.IndexError
		if err := autograd.Try(func() { x.Dim(axis) }); !errors.As(err, &index) {
			t.Errorf("axis %d: %v", axis, err)
		}
	}
	if got := (autograd.Ints{}).Rank(); got != 0 {
		t.Errorf("the zero Ints have rank %d", got)
	}
}
