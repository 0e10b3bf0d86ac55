package data_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/data"
)

// testdata/stratified.py has made the folds with scikit-learn, unshuffled.
func TestStratifiedKFoldAgainstScikitLearn(t *testing.T) {
	text, err := os.ReadFile("testdata/stratified.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			K       int
			Classes []int
			Folds   [][]int
		}
	}
	if err := json.Unmarshal(text, &file); err != nil || len(file.Cases) != 4 {
		t.Fatalf("%d cases, %v", len(file.Cases), err)
	}
	for _, c := range file.Cases {
		var got [][]int
		for _, fold := range data.StratifiedKFold(nil, c.Classes, c.K) {
			got = append(got, fold.Validation)
		}
		if diff := cmp.Diff(c.Folds, got); diff != "" {
			t.Errorf("%d folds of %d rows (-want +got):\n%s", c.K, len(c.Classes), diff)
		}
	}
}

// Shuffled folds keep to the shares as well: of each class, and of all rows,
// two folds have as many, but for one. Each row is validated once, and is
// otherwise trained on.
func TestStratifiedKFold(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 0))
	for range 30 {
		k := 2 + rng.IntN(6)
		classes := make([]int, k*5+rng.IntN(100))
		for row := range classes {
			classes[row] = 10 * rng.IntN(5)
		}
		folds := data.StratifiedKFold(rng, classes, k)
		var all []int
		var sizes []int
		shares := map[int][]int{}
		for i, fold := range folds {
			all = append(all, fold.Validation...)
			sizes = append(sizes, len(fold.Validation))
			wantAll(t, len(classes), slices.Concat(fold.Train, fold.Validation))
			for _, row := range fold.Validation {
				if shares[classes[row]] == nil {
					shares[classes[row]] = make([]int, k)
				}
				shares[classes[row]][i]++
			}
		}
		wantAll(t, len(classes), all)
		shares[-1] = sizes
		for class, counts := range shares {
			if slices.Max(counts)-slices.Min(counts) > 1 {
				t.Errorf("class %d: %v rows in the folds", class, counts)
			}
		}
	}
}

// The seed decides which rows of a class are in which fold, and in which order.
func TestStratifiedKFoldSeed(t *testing.T) {
	classes := make([]int, 60)
	for row := range classes {
		classes[row] = row / 20
	}
	folds := func(seed uint64) []data.Fold {
		return data.StratifiedKFold(rand.New(rand.NewPCG(seed, 0)), classes, 3)
	}
	if diff := cmp.Diff(folds(1), folds(1)); diff != "" {
		t.Errorf("one seed twice:\n%s", diff)
	}
	if cmp.Equal(folds(1), folds(2)) || slices.IsSorted(folds(1)[0].Train) || slices.IsSorted(folds(1)[0].Validation) {
		t.Error("two seeds are the same, or rows are not shuffled")
	}
}

func TestBatchesDropLast(t *testing.T) {
	for _, test := range []struct {
		n, size int
		want    [][]int
	}{
		{5, 2, [][]int{{0, 1}, {2, 3}}},
		{4, 2, [][]int{{0, 1}, {2, 3}}},
		{3, 3, [][]int{{0, 1, 2}}},
		{3, 4, nil},
		{0, 4, nil},
	} {
		if diff := cmp.Diff(test.want, epoch(data.BatchesWith(nil, test.n, test.size, data.BatchOptions{DropLast: true}))); diff != "" {
			t.Errorf("%d rows by %d (-want +got):\n%s", test.n, test.size, diff)
		}
		whole := epoch(data.BatchesWith(newRand(), test.n, test.size, data.BatchOptions{}))
		if diff := cmp.Diff(epoch(data.Batches(newRand(), test.n, test.size)), whole); diff != "" {
			t.Errorf("%d rows by %d, the zero options (-want +got):\n%s", test.n, test.size, diff)
		}
	}
	// Which rows are left out changes with the epoch.
	seen := map[int]bool{}
	batches := data.BatchesWith(newRand(), 5, 4, data.BatchOptions{DropLast: true})
	for range 50 {
		for _, rows := range epoch(batches) {
			for row := range 5 {
				if !slices.Contains(rows, row) {
					seen[row] = true
				}
			}
		}
	}
	if len(seen) != 5 {
		t.Errorf("only rows %v are ever left out", seen)
	}
}
