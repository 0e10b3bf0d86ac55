package page_test

import (
	"fmt"
	"os"
	"path/filepath"

	"nabla/autograd"
	"nabla/optim"
	"nabla/page"
)

func ExampleFilm() {
	folder, _ := os.MkdirTemp("", "film")
	defer os.RemoveAll(folder)
	w := autograd.NewParam("w", autograd.Scalar(0.5))
	g := autograd.NewGraph(autograd.Options{Trace: true})
	optimizer := optim.NewSGD(0.01)

	film := page.NewFilm(page.Options{Title: "One weight learns"})
	film.Keep = page.Every(40)
	for epoch := range 800 {
		g.Reset()
		loss := g.Param(w).Mul(g.Scalar(3)).Sub(g.Scalar(2)).Square()
		gradients := loss.Backward()
		film.Record(epoch, loss, gradients)
		optimizer.Step(gradients)
		film.Adjusted(optimizer.LearningRate)
	}
	err := film.WriteFile(filepath.Join(folder, "weight.html"))
	fmt.Printf("w = %.4f, error: %v\n", w.Tensor().Item(), err)
	// Output:
	// w = 0.6667, error: <nil>
}
