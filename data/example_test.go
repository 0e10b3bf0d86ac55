package data_test

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"nabla/data"
)

func Example() {
	if err := program(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 4 rows, the first is row 0
	// 2 rows, the first is row 4
}

// program is the text of the package comment.
func program() error {
	table, err := data.ReadFile("testdata/flats.csv")
	if err != nil {
		return err
	}
	parts := table.Split(rand.New(rand.NewPCG(1, 0)), 0.75, 0.25) // training rows, test rows
	x, err := parts[0].Matrix("area_m2", "rooms")
	if err != nil {
		return err
	}
	scaler := data.FitStandard(x) // the training rows' statistics, for all parts
	features := scaler.Transform(x)
	for rows := range data.Batches(nil, features.Rows, 4) {
		fmt.Println(len(rows), "rows, the first is row", rows[0])
	}
	return nil
}

func ExampleReadCSV_error() {
	file := strings.NewReader("distance_mi,rating\n0.2,3.5\n0.5,good\n")
	table, err := data.ReadCSV(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = table.Numbers("rating")
	fmt.Println(err)
	// Output: csv:3: column "rating": "good" is not a number
}

func ExampleTable_Where() {
	table, err := data.ReadFile("testdata/flats.csv")
	if err != nil {
		fmt.Println(err)
		return
	}
	houses, err := table.Where("kind", "house")
	if err != nil {
		fmt.Println(err)
		return
	}
	rents, err := houses.Numbers("rent_eur")
	fmt.Println(rents, err)
	// Output: [1240 1390] <nil>
}

func ExampleTable_Split() {
	table, err := data.ReadFile("testdata/flats.csv")
	if err != nil {
		fmt.Println(err)
		return
	}
	rng := rand.New(rand.NewPCG(1, 0))
	parts := table.Split(rng, 0.7, 0.15, 0.15) // training, validation, test
	for _, part := range parts {
		fmt.Println(part.Rows(), "rows")
	}
	// Output:
	// 6 rows
	// 1 rows
	// 1 rows
}

func ExampleSplit() {
	rng := rand.New(rand.NewPCG(1, 0))
	n := 20
	parts := data.Split(rng, n, 0.7, 0.15, 0.15) // training, validation, test
	fmt.Println(len(parts[0]), len(parts[1]), len(parts[2]))
	// Output: 14 3 3
}

func ExampleKFold() {
	x := data.NewMatrix(7, 2)
	rng := rand.New(rand.NewPCG(1, 0))
	for _, fold := range data.KFold(rng, x.Rows, 5) {
		train, validation := x.Take(fold.Train), x.Take(fold.Validation)
		fmt.Println(train.Rows, validation.Rows)
	}
	// Output:
	// 5 2
	// 5 2
	// 6 1
	// 6 1
	// 6 1
}

// Each fold has the share of both classes that all rows have.
func ExampleStratifiedKFold() {
	classes := []int{0, 0, 0, 0, 0, 0, 1, 1, 1} // two of three rows are of class 0
	for _, fold := range data.StratifiedKFold(nil, classes, 3) {
		fmt.Println(fold.Validation)
	}
	// Output:
	// [0 1 6]
	// [2 3 7]
	// [4 5 8]
}

func ExampleBatches() {
	x := data.FromColumns([]float64{10, 11, 12, 13, 14})
	var batch data.Matrix
	const epochs = 2
	rng := rand.New(rand.NewPCG(1, 0))
	batches := data.Batches(rng, x.Rows, 2)
	for range epochs {
		for rows := range batches {
			batch = x.TakeInto(batch, rows)
			fmt.Print(batch.Rows, " ")
		}
	}
	// Output: 2 2 1 2 2 1
}

func ExampleStandard() {
	scaler := data.FitStandard(data.FromColumns([]float64{1, 3}))
	test := data.FromColumns([]float64{2, 5})
	scaled := scaler.Transform(test)
	fmt.Println(scaled.Values, scaler.Inverse(scaled).Values)
	// Output: [0 3] [2 5]
}

func ExampleFitLabels() {
	encoder := data.FitLabels([]string{"yes", "no", "yes"})
	numbers, err := encoder.Encode([]string{"no", "yes"})
	fmt.Println(encoder.Classes(), numbers, err)
	_, err = encoder.Encode([]string{"yes", "maybe"})
	fmt.Println(err)
	// Output:
	// [no yes] [0 1] <nil>
	// data: row 1: unknown label "maybe", the classes are "no", "yes"
}

func ExampleBeside() {
	numbers := data.FromColumns([]float64{34, 52})
	categories, err := data.NewLabels("studio", "flat").OneHot([]string{"flat", "studio"})
	if err != nil {
		fmt.Println(err)
		return
	}
	features := data.Beside(numbers, categories)
	fmt.Println(features.Row(0), features.Row(1))
	// Output: [34 0 1] [52 1 0]
}
