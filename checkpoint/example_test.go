package checkpoint_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"nabla/autograd"
	"nabla/checkpoint"
	"nabla/layers"
)

func Example() {
	if err := inFolder(keep); err != nil {
		fmt.Println(err)
	}
	// Output: the same weights: true
}

// inFolder calls f in a folder that is removed afterwards.
func inFolder(f func() error) (err error) {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	was, err := os.Getwd()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Chdir(was)) }()
	if err := os.Chdir(folder); err != nil {
		return err
	}
	return f()
}

func keep() error {
	rng := seeded(1)
	model := layers.NewSequential(layers.NewDense(rng, 2, 3), layers.ReLU(), layers.NewDense(rng, 3, 1))
	if err := checkpoint.Save("prices.safetensors", model); err != nil {
		return err
	}
	restored := layers.NewSequential(layers.NewDense(rng, 2, 3), layers.ReLU(), layers.NewDense(rng, 3, 1))
	if err := checkpoint.Load("prices.safetensors", restored); err != nil {
		return err
	}
	fmt.Println("the same weights:", model.Params()[0].Tensor().At(1, 2) == restored.Params()[0].Tensor().At(1, 2))
	return nil
}

// A file of another framework has other names, and matrices the other way
// round.
func ExampleLoadWith() {
	if err := inFolder(loadOther); err != nil {
		fmt.Println(err)
	}
	// Output: [0 3 1 4 2 5]
}

type bert struct {
	Embedding    *layers.Embedding
	Hidden, Head *layers.Dense
}

func (b *bert) Params() []*autograd.Param { return layers.ParamsOf(b) }

func loadOther() error {
	other := checkpoint.Params{
		autograd.NewParam("embedding.weight", autograd.Zeros(5, 3)),
		autograd.NewParam("encoder.layer.weight", autograd.NewTensor([]float64{0, 1, 2, 3, 4, 5}, 2, 3)),
		autograd.NewParam("encoder.norm.num_batches_tracked", autograd.Scalar(7)),
		autograd.NewParam("classifier.weight", autograd.Zeros(4, 2)),
		autograd.NewParam("classifier.bias", autograd.Zeros(4)),
	}
	if err := checkpoint.Save("bert.safetensors", other); err != nil {
		return err
	}
	rng := seeded(1)
	model := &bert{
		Embedding: layers.NewEmbedding(rng, 5, 3),
		Hidden:    layers.NewDenseWith(rng, 3, 2, layers.DenseOptions{NoBias: true}),
		Head:      layers.NewDense(rng, 2, 4),
	}
	layers.Name(model)
	err := checkpoint.LoadWith("bert.safetensors", model, checkpoint.Options{
		Names:     map[string]string{"head.weight": "classifier.weight", "head.bias": "classifier.bias"},
		Rename:    strings.NewReplacer("hidden.", "encoder.layer.").Replace,
		Transpose: checkpoint.OutIn("embedding.weight"),
		Ignore:    []string{"*.num_batches_tracked"},
	})
	if err != nil {
		return err
	}
	fmt.Println(model.Hidden.Weight.Tensor().Float64s())
	return nil
}

// The header of a file says what is in it.
func ExampleOpen() {
	f, err := checkpoint.Open(filepath.Join("testdata", "torch.safetensors"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	for _, info := range f.Tensors()[:3] {
		fmt.Println(info.Name, info.Type, info.Shape)
	}
	// Output:
	// norm.num_batches_tracked I64 []
	// fc1.bias F32 [3]
	// fc1.weight F32 [3 3]
}
