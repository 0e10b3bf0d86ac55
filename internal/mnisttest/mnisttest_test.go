package mnisttest_test

import (
	"math"
	"testing"

	"nabla/data/mnist"
	"nabla/internal/mnisttest"
)

// What is written is what was drawn.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	if err := mnisttest.Write(dir, 1, 30, 20); err != nil {
		t.Fatal(err)
	}
	got, err := mnist.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := mnisttest.Set(1, 30, 20)
	if !got.Train.Images.Equal(want.Train.Images) || !got.Test.Images.Equal(want.Test.Images) {
		t.Error("the images read differ from those drawn")
	}
	if n := got.Train.Labels.Size(); n != 30 || got.Train.Labels.Values()[29] != 9 {
		t.Errorf("%d labels, %v", n, got.Train.Labels)
	}
	if want.Train.Images.Equal(mnisttest.Set(2, 30, 20).Train.Images) {
		t.Error("two seeds draw the same")
	}
}

// The digits can be told apart: four of five are nearest to the mean of their
// own class.
func TestDigitsDiffer(t *testing.T) {
	const pixels = mnisttest.Size * mnisttest.Size
	set := mnisttest.Set(3, 1000, 500)
	var means [10][pixels]float64
	for i, v := range set.Train.Images.Float64s() {
		means[set.Train.Labels.Values()[i/pixels]][i%pixels] += v / 100
	}
	right := 0
	test := set.Test.Images.Float64s()
	for row, label := range set.Test.Labels.Values() {
		best, least := -1, math.Inf(1)
		for class, mean := range means {
			sum := 0.0
			for i, v := range test[row*pixels : (row+1)*pixels] {
				sum += (v - mean[i]) * (v - mean[i])
			}
			if sum < least {
				best, least = class, sum
			}
		}
		if best == label {
			right++
		}
	}
	if right < 400 {
		t.Errorf("%d of 500 digits are nearest to their class, want 400", right)
	} else {
		t.Logf("%d of 500", right)
	}
}
