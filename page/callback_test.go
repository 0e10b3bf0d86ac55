package page_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"nabla/autograd"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
	"nabla/page"
	"nabla/train"
)

// The film of a training is the film of the same loop.
func TestFilmCallback(t *testing.T) {
	x, y := autograd.NewTensor([]float64{-1, 0, 1, 2}, 4, 1), autograd.NewTensor([]float64{-1, 1, 3, 5}, 4, 1)
	model := func() *layers.Sequential {
		return layers.NewSequential(layers.NewDense(rand.New(rand.NewPCG(1, 0)), 1, 1))
	}
	newFilm := func() *page.Film {
		film := page.NewFilm(page.Options{Title: "A line"})
		film.Keep = page.Every(2)
		return film
	}
	folder := t.TempDir()
	config := train.Config{Model: model(), Loss: losses.MSE, Optimizer: optim.NewSGD(0.1), Epochs: 6}
	film := newFilm()
	config.Callbacks = append(config.Callbacks, film.Callback(filepath.Join(folder, "film.html")))
	if _, err := train.Run(t.Context(), config, train.Data{Inputs: x, Targets: y}); err != nil {
		t.Fatal(err)
	}

	film = newFilm()
	m, optimizer := model(), optim.NewSGD(0.1)
	g := autograd.NewGraph(autograd.Options{Trace: true})
	for epoch := range 6 {
		g.Reset()
		loss := losses.MSE(m.Forward(g.Constant(x)), g.Constant(y))
		gradients := loss.Backward()
		if err := film.Record(epoch, loss, gradients); err != nil {
			t.Fatal(err)
		}
		optimizer.Step(gradients)
		film.Adjusted(optimizer.LearningRate)
	}
	if err := film.WriteFile(filepath.Join(folder, "loop.html")); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(folder, "film.html"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(folder, "loop.html"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the film of %d bytes is not that of the loop, of %d", len(got), len(want))
	}

	config.Workers = 2
	var argument *autograd.ArgumentError
	if _, err := train.Run(t.Context(), config, train.Data{Inputs: x, Targets: y}); !errors.As(err, &argument) {
		t.Errorf("with workers: %v", err)
	}
}

// In epochs of several steps the first is filmed, and the last epoch is shown
// though Keep leaves it out: its recording is still there.
func TestFilmCallbackOfBatches(t *testing.T) {
	x := autograd.NewTensor([]float64{-1, 0, 1, 2}, 4, 1)
	film := page.NewFilm(page.Options{})
	film.Keep = page.Every(3)
	path := filepath.Join(t.TempDir(), "film.html")
	config := train.Config{
		Model: layers.NewDense(rand.New(rand.NewPCG(1, 0)), 1, 1), Loss: losses.MSE, Optimizer: optim.NewSGD(0.1),
		Epochs: 6, BatchSize: 1, Callbacks: []train.Callback{film.Callback(path)},
	}
	if _, err := train.Run(t.Context(), config, train.Data{Inputs: x, Targets: x}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	for _, m := range regexp.MustCompile(`"epoch":(\d+)`).FindAllSubmatch(text, -1) {
		shown = append(shown, string(m[1]))
	}
	if got := strings.Join(shown, " "); got != "0 3 5" {
		t.Errorf("shows the epochs %s", got)
	}
}
