package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"nabla/autograd"
	"nabla/data/images"
	"nabla/examples/internal/canvas"
	"nabla/examples/internal/command"
	"nabla/internal/mnisttest"
	"nabla/metrics"
)

// prepared returns a command on drawn digits that prints to w.
func prepared(t *testing.T, w io.Writer) *command.Command {
	t.Helper()
	c := command.New("detection", 1).To(w)
	c.Data, c.Out, c.Rows, c.Results = t.TempDir(), filepath.Join(t.TempDir(), "pictures"), 96, true
	if err := mnisttest.Write(c.Data, 1, 100, 20); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRun(t *testing.T) {
	var out strings.Builder
	c := prepared(t, &out)
	if err := run(t.Context(), c, 12); err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^result network=detector canvases=12 map50=[01]\.\d{4} seed=1 seconds=\d+\n$`).MatchString(out.String()) {
		t.Errorf("printed %q", out.String())
	}
	if _, err := images.ReadFile(filepath.Join(c.Out, "boxes.png")); err != nil {
		t.Error(err)
	}
}

// An output that says exactly what is there finds all of it: targets and decode
// are each other's inverse.
func TestDecodeReadsTargets(t *testing.T) {
	digits := mnisttest.Set(1, 50, 10)
	set := canvas.Draw(rand.New(rand.NewPCG(2, 0)), digits.Train.Images, digits.Train.Labels, 40)
	output := targets(set).Clone()
	plane := cells * cells
	for i, v := range output.Raw32() {
		if channel := i / plane % channels; channel == 0 || channel >= classAt {
			output.Raw32()[i] = 20 * (2*v - 1) // logits as sure as can be
		}
	}
	if got := metrics.MeanAveragePrecision(decode(output), set.Detections(), 0.95); got != 1 {
		t.Errorf("the mean average precision is %v, want 1", got)
	}
	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32})
	if l := loss(g.Constant(output), g.Constant(targets(set))).Item(); l > 1e-5 {
		t.Errorf("its loss is %v", l)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, prepared(t, io.Discard), 12); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: %v", err)
	}
}
