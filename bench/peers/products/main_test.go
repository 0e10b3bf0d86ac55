package main

import (
	"math"
	"strings"
	"testing"
)

func TestSameClock(t *testing.T) {
	for _, test := range []struct {
		name string
		runs []timed
		want bool
	}{
		{"steady", []timed{{1, 10, 10.1}, {2, 10.1, 9.95}}, true},
		{"slower after one", []timed{{1, 10, 10}, {2, 10, 14}}, false},
		{"slower before both", []timed{{1, 15, 10}, {2, 10, 10}}, false},
		{"slower from one to the other", []timed{{1, 10, 10}, {2, 12, 12}}, false},
	} {
		if got := sameClock(test.runs...); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func TestMedian(t *testing.T) {
	if got := median([]float64{3, 1, 2}); got != 2 {
		t.Errorf("of three: %g", got)
	}
	if got := median([]float64{4, 1, 2, 3}); got != 2.5 {
		t.Errorf("of four: %g", got)
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("of none: %g", got)
	}
}

// What is no library, and a library without products.
func TestLoadFails(t *testing.T) {
	if _, err := load("absent.so"); err == nil || !strings.Contains(err.Error(), "absent.so") {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := load("libm.so.6"); err == nil || !strings.HasPrefix(err.Error(), "libm.so.6 has no ") {
		t.Errorf("the C library's functions: %v", err)
	}
}

// A library's product is the one of rows, not of columns.
func TestMultiply(t *testing.T) {
	l, err := load("libopenblas.so.0")
	if err != nil {
		t.Skip(err)
	}
	a, b, c := []float64{1, 2, 3, 4}, []float64{5, 6, 7, 8}, make([]float64, 4)
	multiply(l, c, a, b, 2)
	if want := []float64{19, 22, 43, 50}; farthest(c, want) > 1e-15 {
		t.Errorf("got %v, want %v", c, want)
	}
}
