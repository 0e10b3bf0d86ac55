package command

import (
	"math/rand/v2"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
	"nabla/layers"
	"nabla/losses"
	"nabla/train"

	"errors"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestResultIsALineForProgramsOrPeople(t *testing.T) {
	for _, results := range []bool{false, true} {
		var out strings.Builder
		c := New("digits", 3).To(&out)
		c.Results = results
		c.Print("for people: %d", 7)
		c.Result("network=%s accuracy=%.3f", "lenet", 0.5)
		want := "for people: 7\nnetwork=lenet accuracy=0.500 seed=1 seconds=0\n"
		if results {
			want = "result network=lenet accuracy=0.500 seed=1 seconds=0\n"
		}
		if out.String() != want {
			t.Errorf("printed %q, want %q", out.String(), want)
		}
	}
}

// A file is no terminal: a log must not fill with progress.
func TestProgressIsQuietInAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c := New("digits", 3)
	c.stderr = file
	p := c.Progress("epoch 1", 10)
	p.Add(5, 1)
	p.End()
	if text, _ := os.ReadFile(path); len(text) > 0 {
		t.Errorf("progress wrote %q", text)
	}
}

func TestProgressSaysRateLossAndTimeLeft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "terminal")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c := New("digits", 3)
	p := c.Progress("epoch 1", 10)
	p.terminal = file
	p.Add(5, 0.25)
	p.Add(1, 0.5) // too soon to be drawn
	p.End()
	text, _ := os.ReadFile(path)
	if !regexp.MustCompile(`^\r\x1b\[Kepoch 1   50 %  \d+/s  loss 0.2500  0s left\r\x1b\[K$`).Match(text) {
		t.Errorf("progress wrote %q", text)
	}
}

func TestWriteMakesTheFolder(t *testing.T) {
	var out strings.Builder
	c := New("digits", 3).To(&out)
	c.Out = filepath.Join(t.TempDir(), "a", "b")
	save := func(path string) error { return os.WriteFile(path, []byte("x"), 0o644) }
	if err := c.Write("x.txt", save); err != nil {
		t.Fatal(err)
	}
	if want := "wrote " + filepath.Join(c.Out, "x.txt") + "\n"; out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
	fail := errors.New("full")
	if err := c.Write("y.txt", func(string) error { return fail }); err != fail {
		t.Errorf("Write returned %v", err)
	}
	c.Out = ""
	if err := c.Write("z.txt", func(string) error { return fail }); err != nil {
		t.Errorf("without a folder Write returned %v", err)
	}
}

func TestFirst(t *testing.T) {
	c := New("digits", 1)
	if c.First(10) != 10 {
		t.Error("all rows are not the default")
	}
	if c.Rows = 4; c.First(10) != 4 || c.First(3) != 3 {
		t.Error("Rows is not a limit")
	}
}

// The rate falls in a straight line to 0, and each epoch has its line.
func TestTrain(t *testing.T) {
	var out strings.Builder
	c := New("line", 2).To(&out)
	rng := rand.New(rand.NewPCG(1, 0))
	optimizer := &rates{LearningRate: 0.1}
	err := c.Train(t.Context(), train.Config{
		Model: layers.NewDense(rng, 1, 1), Loss: losses.MSE, Optimizer: optimizer, BatchSize: 2,
	}, train.Data{
		Inputs: autograd.NewTensor([]float64{1, 2, 3}, 3, 1), Targets: autograd.NewTensor([]float64{1, 2, 3}, 3, 1),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []float64{0.1, 0.075, 0.05, 0.025}
	if diff := cmp.Diff(want, optimizer.seen, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Errorf("the rates (-want +got)\n%s", diff)
	}
	if !regexp.MustCompile(`^epoch  1  loss [\d.]+\nepoch  2  loss [\d.]+\n$`).MatchString(out.String()) {
		t.Errorf("printed %q", out.String())
	}
}

func TestWarmup(t *testing.T) {
	c := New("warm", 1)
	c.Warmup = 0.25
	s := c.schedule(0.8, 8)
	for n, want := range []float64{0.4, 0.8, 0.8, 0.8 * 5 / 6, 0.8 * 4 / 6} {
		if got := s.At(n); math.Abs(got-want) > 1e-15 {
			t.Errorf("step %d has the rate %v, want %v", n, got, want)
		}
	}
	if s.At(8) != 0 {
		t.Error("the rate does not fall to 0")
	}
}

// rates is an optimizer that notes its rates.
type rates struct {
	LearningRate float64
	seen         []float64
}

func (r *rates) Step(autograd.Gradients) { r.seen = append(r.seen, r.LearningRate) }
