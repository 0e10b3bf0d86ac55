package main

import (
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"
	"regexp"
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
	c := command.New("gan", 1).To(w)
	c.Data, c.Out, c.Rows, c.Results = t.TempDir(), filepath.Join(t.TempDir(), "pictures"), 96, true
	if err := mnisttest.Write(c.Data, 1, 100, 20); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRun(t *testing.T) {
	var out strings.Builder
	c := prepared(t, &out)
	if err := run(t.Context(), c, "all"); err != nil {
		t.Fatal(err)
	}
	want := `^result network=ring modes=\d near=0\.\d{4} seed=1 seconds=\d+\nresult network=dcgan classes=\d+ most=[01]\.\d{3} seed=1 seconds=\d+\n$`
	if !regexp.MustCompile(want).MatchString(out.String()) {
		t.Errorf("printed %q", out.String())
	}
	for _, name := range []string{"ring.png", "digits.01.png"} {
		if _, err := images.ReadFile(filepath.Join(c.Out, name)); err != nil {
			t.Error(err)
		}
	}
}

// Real points reach every mode, and 1 − exp(−9/2) of them lie within three
// deviations.
func TestJudgeRing(t *testing.T) {
	reached, near := judgeRing(points(rand.New(rand.NewPCG(1, 0)), 20000))
	if want := 1 - math.Exp(-4.5); reached != modes || math.Abs(near-want) > 0.003 {
		t.Errorf("%d modes, %.4f near one, want %d and %.4f", reached, near, modes, want)
	}
	x, y := center(3)
	if reached, near := judgeRing(autograd.NewTensor([]float64{x, y, 0, 0}, 2, 2)); reached != 1 || near != 0.5 {
		t.Errorf("%d modes, %v near one, want 1 and 0.5", reached, near)
	}
}

// In a round only the network whose turn it is learns: the inventor is not part
// of the critic's loss, and the critic is frozen while the inventor learns.
func TestRoundTrainsBoth(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	m := newGame(dense(rng, 2), dense(rng, 1), func() autograd.Tensor { return autograd.Normal(rng, 0, 1, 8, 2) }, ringOptimizer, 0.1)
	m.round(points(rng, 8), 1e-3)
	for _, p := range append(m.inventor.Params(), m.critic.Params()...) {
		if p.Version() != 2 || p.Frozen { // converted, and one step
			t.Errorf("%s was written %d times", p.Name(), p.Version())
		}
	}
}

func TestWhatCannotBe(t *testing.T) {
	c := prepared(t, io.Discard)
	if err := run(t.Context(), c, "none"); err == nil || !strings.Contains(err.Error(), `"none"`) {
		t.Errorf("no such task: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, task := range []string{"ring", "digits"} {
		if err := run(ctx, c, task); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, with a cancelled context: %v", task, err)
		}
	}
}
