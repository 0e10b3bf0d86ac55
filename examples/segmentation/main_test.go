package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"nabla/autograd"
	"nabla/data/images"
	"nabla/examples/internal/command"
	"nabla/internal/mnisttest"
)

// prepared returns a command on drawn digits that prints to w.
func prepared(t *testing.T, w io.Writer) *command.Command {
	t.Helper()
	c := command.New("segmentation", 1).To(w)
	c.Data, c.Out, c.Rows, c.Results = t.TempDir(), filepath.Join(t.TempDir(), "pictures"), 96, true
	if err := mnisttest.Write(c.Data, 1, 100, 20); err != nil {
		t.Fatal(err)
	}
	return c
}

// A short training already tells digits from the background, so that the loss
// falls; a line and a picture say what was reached.
func TestLearnsToTellDigitsFromTheBackground(t *testing.T) {
	var out strings.Builder
	c := prepared(t, &out)
	if err := run(t.Context(), c, 12); err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^result network=unet canvases=12 mean_iou=0\.\d{4} seed=1 seconds=\d+\n$`).MatchString(out.String()) {
		t.Errorf("printed %q", out.String())
	}
	picture, err := images.ReadFile(filepath.Join(c.Out, "masks.png"))
	if err != nil {
		t.Fatal(err)
	}
	if s := picture.Shape(); s[1] < 2*64 || s[2] < 10*64 {
		t.Errorf("the picture's shape is %v", s)
	}
}

func TestUNetKeepsTheSize(t *testing.T) {
	model := newUNet(rand.New(rand.NewPCG(1, 0)), classes)
	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32})
	y := model.Forward(g.Constant(autograd.Zeros(2, 1, 16, 24)))
	if want := []int{2, classes, 16, 24}; !slices.Equal(y.Shape(), want) {
		t.Errorf("the shape is %v, want %v", y.Shape(), want)
	}
	grads := y.Square().Sum().Backward()
	for _, p := range model.Params() {
		if !p.IsStatistic() && !grads.ReachedParam(p) {
			t.Errorf("%s has no gradient", p.Name())
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, prepared(t, io.Discard), 12); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: %v", err)
	}
}
