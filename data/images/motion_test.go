package images

import (
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testdata/rotate.py has made the numbers with PyTorch.
func TestRotationAgainstTorch(t *testing.T) {
	text, err := os.ReadFile("testdata/rotate.txt")
	if err != nil {
		t.Fatal(err)
	}
	var image []float64
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 6 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, line := range lines {
		fields := strings.Fields(line)
		want := make([]float64, len(fields)-1)
		for i, field := range fields[1:] {
			if want[i], err = strconv.ParseFloat(field, 64); err != nil {
				t.Fatal(err)
			}
		}
		if fields[0] == "image" {
			image = want
			continue
		}
		degrees, err := strconv.ParseFloat(fields[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		m := rotation(degrees, 5, 7)
		got := make([]float64, 70)
		move(got, image, 2, size{5, 7}, m)
		single, image32 := make([]float32, 70), make([]float32, 70)
		for i, v := range image {
			image32[i] = float32(v)
		}
		move(single, image32, 2, size{5, 7}, m)
		for i, v := range want {
			if math.Abs(got[i]-v) > 1e-12 || math.Abs(float64(single[i])-v) > 1e-6 {
				t.Errorf("%v degrees: element %d is %v and %v, want %v", degrees, i, got[i], single[i], v)
			}
		}
	}
}

// A quarter turn against the clock takes the right column to the top.
func TestQuarterTurn(t *testing.T) {
	got := make([]int, 9)
	moveNearest(got, []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, size{3, 3}, rotation(90, 3, 3))
	if diff := cmp.Diff([]int{3, 6, 9, 2, 5, 8, 1, 4, 7}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A NaN spreads to the pixels that it has a part in, and no further: none when
// the motion is by whole pixels along one axis and by halves along the other.
func TestNaNSpreadsNoFurther(t *testing.T) {
	image := make([]float64, 25)
	image[12] = math.NaN() // the middle
	m := still(5, 5)
	m.x.offset = 0.5
	got := make([]float64, 25)
	move(got, image, 1, size{5, 5}, m)
	for i, v := range got {
		if math.IsNaN(v) != (i == 11 || i == 12) {
			t.Errorf("pixel %d is %v", i, v)
		}
	}
}
