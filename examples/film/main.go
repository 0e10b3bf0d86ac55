// Command film trains a 2-3-1 network on the course's hotels and writes a page
// that shows it learning: film.html, or the given path.
//
//	go run ./examples/film [PATH]
package main

import (
	"fmt"
	"log"
	"math/rand/v2"
	"os"

	"nabla/autograd"
	"nabla/data"
	"nabla/data/hotels"
	"nabla/graphviz"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
	"nabla/page"
)

func main() {
	path := "film.html"
	if len(os.Args) > 1 {
		path = os.Args[1]
	}
	if err := film(path); err != nil {
		log.Fatal(err)
	}
	fmt.Println("open", path, "in a browser")
}

func newModel(rng *rand.Rand) *layers.Sequential {
	return layers.NewSequential(layers.NewDense(rng, 2, 3), layers.ReLU(), layers.NewDense(rng, 3, 1))
}

// film trains the network and writes the page.
func film(path string) error {
	rows := hotels.Load().Train()
	inputs, targets := data.FitStandard(rows.Features()), data.FitStandard(rows.Prices())
	x, y := inputs.Transform(rows.Features()).Tensor(), targets.Transform(rows.Prices()).Tensor()

	rng := rand.New(rand.NewPCG(4, 0))
	model := newModel(rng)
	optimizer := optim.NewSGD(0.08)

	film := page.NewFilm(page.Options{
		Title:   "A hotel's price, by distance and rating",
		Select:  []graphviz.Selection{graphviz.Sample(0), graphviz.WeightedSums()},
		Inputs:  page.Columns{Names: []string{"distance", "rating"}, Units: []string{"miles", ""}, Scaler: inputs},
		Targets: page.Columns{Names: []string{"price"}, Units: []string{"$"}, Scaler: targets},
	})
	film.Keep = page.Every(100)
	g := autograd.NewGraph(autograd.Options{Trace: true}) // the page needs every gradient
	for epoch := range 801 {
		g.Reset()
		loss := losses.MSE(model.Forward(g.Constant(x)), g.Constant(y))
		grads := loss.Backward()
		if err := film.Record(epoch, loss, grads); err != nil {
			return err
		}
		optimizer.Step(grads)
		film.Adjusted(optimizer.LearningRate)
	}
	return film.WriteFile(path)
}
