package plot_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"nabla/autograd"
	"nabla/data"
	"nabla/data/hotels"
	"nabla/layers"
	"nabla/losses"
	"nabla/metrics"
	"nabla/optim"
	"nabla/plot"
	"nabla/train"
)

func Example() {
	folder, err := os.MkdirTemp("", "plot")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	if err := plotHotels(folder); err != nil {
		fmt.Println(err)
		return
	}
	files, _ := filepath.Glob(filepath.Join(folder, "*"))
	for _, file := range files {
		fmt.Println(filepath.Base(file))
	}
	// Output:
	// boundary.svg
	// loss.png
}

// plotHotels trains a network that finds hot deals, and plots it.
func plotHotels(folder string) error {
	rows := hotels.Load().Train()
	scaler := data.FitStandard(rows.Features())
	rng := rand.New(rand.NewPCG(4, 0))
	model := layers.NewSequential(layers.NewDense(rng, 2, 3), layers.ReLU(), layers.NewDense(rng, 3, 1), layers.Sigmoid())
	history, err := train.Run(context.Background(), train.Config{
		Model: model, Loss: losses.BinaryCrossEntropy, Optimizer: optim.NewSGD(0.08), Epochs: 200,
	}, train.Data{Inputs: scaler.Transform(rows.Features()).Tensor(), Targets: rows.Hot().Tensor()})
	if err != nil {
		return err
	}

	p := plot.Loss(history)
	p.Title.Text = "Prices of hotels"
	if err := plot.Save(p, filepath.Join(folder, "loss.png")); err != nil {
		return err
	}

	features, classes := rows.Features().Tensor(), metrics.Classes(rows.Hot().Tensor())
	predict := func(x autograd.Tensor) autograd.Tensor {
		g := autograd.NewGraph(autograd.Options{NoGrad: true})
		return model.Forward(g.Constant(scaler.Transform(data.FromTensor(x)).Tensor())).Tensor()
	}
	p = plot.Boundary(features, classes, predict, "not hot", "hot")
	p.X.Label.Text, p.Y.Label.Text = "distance in miles", "rating"
	return plot.Save(p, filepath.Join(folder, "boundary.svg"))
}

// saveLoss is as short as it gets.
func saveLoss(history train.History) error {
	p := plot.Loss(history)
	if err := plot.Save(p, "loss.png"); err != nil {
		return err
	}
	return nil
}

var _ = saveLoss
