package autograd_test

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
)

// vector returns a tensor of rank 1.
func vector(values ...float64) autograd.Tensor { return autograd.NewTensor(values) }

// wantNumbers compares numbers within a relative tolerance; NaN equals NaN.
func wantNumbers(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	options := cmp.Options{cmpopts.EquateApprox(tolerance, 0), cmpopts.EquateNaNs(), cmpopts.EquateEmpty()}
	if diff := cmp.Diff(want, got, options); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// wantBits compares numbers bit by bit.
func wantBits(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if diff := cmp.Diff(bitsOf(want), bitsOf(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func bitsOf(values []float64) []uint64 {
	bits := make([]uint64, len(values))
	for i, v := range values {
		bits[i] = math.Float64bits(v)
	}
	return bits
}

// wantShape compares dimensions.
func wantShape(t *testing.T, what string, got []int, want ...int) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// wantError runs f, which must panic with an error of type E. In the text that
// is wanted, %v stands for the place of the line that calls wantError.
func wantError[E error](t *testing.T, text string, f func()) (fault E) {
	t.Helper()
	_, file, line, _ := runtime.Caller(1)
	err := autograd.Try(f)
	if !errors.As(err, &fault) {
		t.Fatalf("got the error %T %v, want %T", err, err, fault)
	}
	want := fmt.Sprintf(text, fmt.Sprintf("%s:%d", filepath.Base(file), line))
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
	return fault
}
