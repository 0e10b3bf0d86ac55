package data_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/data"
)

// wantAll fails unless each row number 0 … n−1 occurs exactly once.
func wantAll(t *testing.T, n int, rows []int) {
	t.Helper()
	sorted := slices.Clone(rows)
	slices.Sort(sorted)
	if diff := cmp.Diff(identity(n), sorted, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("rows, sorted (-want +got):\n%s", diff)
	}
}

func TestSplit(t *testing.T) {
	tests := []struct {
		n         int
		fractions []float64
		sizes     []int
	}{
		{10, []float64{0.8, 0.2}, []int{8, 2}},
		{20, []float64{0.7, 0.15, 0.15}, []int{14, 3, 3}},
		{32, []float64{0.75, 0.25}, []int{24, 8}},
		{10, []float64{1. / 3, 1. / 3, 1. / 3}, []int{3, 4, 3}},
		{7, []float64{1}, []int{7}},
		{10, []float64{0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}, []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
	}
	for _, test := range tests {
		for _, rng := range []*rand.Rand{nil, newRand()} {
			var sizes, rows []int
			for _, part := range data.Split(rng, test.n, test.fractions...) {
				sizes = append(sizes, len(part))
				rows = append(rows, part...)
			}
			if diff := cmp.Diff(test.sizes, sizes); diff != "" {
				t.Errorf("sizes of %d rows in %v (-want +got):\n%s", test.n, test.fractions, diff)
			}
			wantAll(t, test.n, rows)
			if rng == nil && !slices.IsSorted(rows) {
				t.Errorf("without rng the order changed: %v", rows)
			}
		}
	}
}

func TestKFold(t *testing.T) {
	for _, size := range []struct{ n, k int }{{7, 5}, {10, 5}, {4, 4}, {5, 2}, {100, 3}} {
		for _, rng := range []*rand.Rand{nil, newRand()} {
			var validated []int
			folds := data.KFold(rng, size.n, size.k)
			for i, fold := range folds {
				wantAll(t, size.n, slices.Concat(fold.Train, fold.Validation))
				validated = append(validated, fold.Validation...)
				want := size.n / size.k
				if i < size.n%size.k {
					want++
				}
				if len(fold.Validation) != want {
					t.Errorf("fold %d of %v has %d rows, want %d", i, size, len(fold.Validation), want)
				}
			}
			if len(folds) != size.k {
				t.Errorf("%d folds of %v", len(folds), size)
			}
			wantAll(t, size.n, validated)
			if rng == nil && !slices.IsSorted(validated) {
				t.Errorf("without rng the order changed: %v", validated)
			}
		}
	}
}

// epoch ranges over the batches once and returns copies of them.
func epoch(batches func(func([]int) bool)) [][]int {
	var all [][]int
	for rows := range batches {
		all = append(all, slices.Clone(rows))
	}
	return all
}

func TestBatches(t *testing.T) {
	tests := []struct {
		n, size int
		want    [][]int
	}{
		{5, 2, [][]int{{0, 1}, {2, 3}, {4}}},
		{4, 2, [][]int{{0, 1}, {2, 3}}},
		{3, 1, [][]int{{0}, {1}, {2}}},
		{3, 3, [][]int{{0, 1, 2}}},
		{3, int(^uint(0) >> 1), [][]int{{0, 1, 2}}},
		{0, 4, nil},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, epoch(data.Batches(nil, test.n, test.size))); diff != "" {
			t.Errorf("%d rows by %d (-want +got):\n%s", test.n, test.size, diff)
		}
		shuffled := epoch(data.Batches(newRand(), test.n, test.size))
		var sizes, want []int
		for i := range shuffled {
			sizes, want = append(sizes, len(shuffled[i])), append(want, len(test.want[i]))
		}
		if diff := cmp.Diff(want, sizes); diff != "" {
			t.Errorf("sizes of %d shuffled rows by %d (-want +got):\n%s", test.n, test.size, diff)
		}
		wantAll(t, test.n, slices.Concat(shuffled...))
	}
}

func TestBatchesEpochs(t *testing.T) {
	batches := data.Batches(newRand(), 20, 6)
	first, second := epoch(batches), epoch(batches)
	wantAll(t, 20, slices.Concat(second...))
	if cmp.Equal(first, second) {
		t.Error("the second epoch has the order of the first")
	}
	again := data.Batches(newRand(), 20, 6)
	if diff := cmp.Diff([][][]int{first, second}, [][][]int{epoch(again), epoch(again)}); diff != "" {
		t.Errorf("the same seed again (-want +got):\n%s", diff)
	}
}

// A loop left early must not keep the next epoch from starting.
func TestBatchesBreak(t *testing.T) {
	batches := data.Batches(newRand(), 5, 2)
	for range batches {
		break
	}
	wantAll(t, 5, slices.Concat(epoch(batches)...))
}

// Appending to a batch must not overwrite the next one.
func TestBatchesAppend(t *testing.T) {
	var all []int
	for rows := range data.Batches(nil, 4, 2) {
		all = append(all, rows...)
		_ = append(rows, -1)
	}
	wantAll(t, 4, all)
}

func TestBatchesAllocate(t *testing.T) {
	x := randomMatrix(1000, 3)
	batches := data.Batches(newRand(), x.Rows, 7)
	var batch data.Matrix
	sum := 0.0
	perEpoch := testing.AllocsPerRun(10, func() {
		for rows := range batches {
			batch = x.TakeInto(batch, rows)
			sum += batch.Values[0]
		}
	})
	if perEpoch > 10 { // for 143 batches
		t.Errorf("%v allocations per epoch, want at most 10", perEpoch)
	}
}

// The 6 orders of 3 rows are equally likely.
func TestBatchesShuffleEvenly(t *testing.T) {
	const epochs = 6000
	count := map[[3]int]int{}
	batches := data.Batches(newRand(), 3, 3)
	for range epochs {
		for rows := range batches {
			count[[3]int(rows)]++
		}
	}
	for order, n := range count {
		if n < 850 || n > 1150 { // 1000 ± 5 standard deviations
			t.Errorf("order %v came %d times in %d epochs", order, n, epochs)
		}
	}
	if len(count) != 6 {
		t.Errorf("%d orders, want 6", len(count))
	}
}
