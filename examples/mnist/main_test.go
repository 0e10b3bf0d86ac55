package main

import (
	"context"
	"errors"
	"image/color"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/data/images"
	"nabla/data/mnist"
	"nabla/examples/internal/command"
)

// drawn returns digits in the letters of a picture's captions, four times as
// large, each somewhere on 28 × 28 pixels.
func drawn(rng *rand.Rand, n int) mnist.Part {
	all, labels := make([]autograd.Tensor, n), make([]int, n)
	for i := range all {
		labels[i] = i % 10
		p := images.NewPicture(autograd.Zeros(1, 7, 7))
		p.Text(float64(1+rng.IntN(2)), float64(1+rng.IntN(2)), classes[labels[i]], color.White)
		all[i] = images.FromImage(images.SheetWith(images.FromImage(p, 1).Reshape(1, 1, 7, 7), images.SheetOptions{Zoom: 4, Gap: -1}), 1)
	}
	return mnist.Part{Images: images.Batch(all), Labels: autograd.NewInts(labels, n)}
}

// folder writes drawn digits as a data set.
func folder(t *testing.T) string {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 0))
	dir := t.TempDir()
	if err := mnist.Write(dir, mnist.Set{Train: drawn(rng, 600), Test: drawn(rng, 100)}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// prepared returns a command that trains for some epochs and prints to w.
func prepared(t *testing.T, w io.Writer, epochs int) *command.Command {
	t.Helper()
	c := command.New("mnist", epochs).To(w)
	c.Data, c.Out = folder(t), filepath.Join(t.TempDir(), "pictures")
	return c
}

// Both networks learn drawn digits, print a line each, and write pictures.
func TestLearnsDrawnDigits(t *testing.T) {
	var out strings.Builder
	c := prepared(t, &out, 8)
	c.Results = true
	if err := run(t.Context(), c, "all", false); err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`^result network=(dense|lenet) rows=600 epochs=(16|8) train_seconds=\d+ test_accuracy=(1\.0000|0\.9\d+) seed=1 seconds=\d+$`)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != len(networks) {
		t.Fatalf("%d lines: %q", len(lines), lines)
	}
	for i, text := range lines {
		if m := line.FindStringSubmatch(text); m == nil || m[1] != networks[i].name {
			t.Errorf("line %d is %q", i+1, text)
		}
	}
	for _, name := range []string{"dense.filters", "dense.confusion", "lenet.filters", "lenet.maps", "lenet.confusion"} {
		if _, err := images.ReadFile(filepath.Join(c.Out, name+".png")); err != nil {
			t.Error(err)
		}
	}
}

// The same seed gives the same lines, another one does not, and rows are as
// many as asked for.
func TestSeedDecides(t *testing.T) {
	line := func(seed uint64) string {
		var out strings.Builder
		c := prepared(t, &out, 1)
		c.Seed, c.Rows, c.Results, c.Out = seed, 150, true, ""
		if err := run(t.Context(), c, "dense", false); err != nil {
			t.Fatal(err)
		}
		text, _, _ := strings.Cut(out.String(), " seed=")
		return regexp.MustCompile(`train_seconds=\d+ `).ReplaceAllString(text, "")
	}
	first := line(1)
	if diff := cmp.Diff(first, line(1)); diff != "" {
		t.Error(diff)
	}
	if first == line(2) {
		t.Errorf("seeds 1 and 2 both give %q", first)
	}
	if !strings.HasPrefix(first, "result network=dense rows=150 epochs=2 test_accuracy=") {
		t.Errorf("the line is %q", first)
	}
}

// Mistakes are drawn with the worst first.
func TestMistakes(t *testing.T) {
	test := drawn(rand.New(rand.NewPCG(1, 0)), 3)
	logits := autograd.NewTensor([]float64{0, 2, 0, 1, 2, 0, 9, 0, 0}, 3, 3) // the first and the last are wrong
	picture := mistakes(test, logits, classes)
	if picture == nil || picture.Bounds().Dx() < 2*4*28 || picture.Bounds().Dx() > 3*4*28 {
		t.Fatalf("two mistakes are drawn as %v", picture)
	}
	right := autograd.NewTensor([]float64{1, 0, 0, 0, 1, 0, 0, 0, 1}, 3, 3)
	if mistakes(test, right, classes) != nil {
		t.Error("a picture without mistakes")
	}
}

func TestWhatCannotBe(t *testing.T) {
	c := prepared(t, io.Discard, 1)
	if err := run(t.Context(), c, "none", false); err == nil || !strings.Contains(err.Error(), `"none"`) {
		t.Errorf("no such network: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, c, "dense", false); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: %v", err)
	}
	c.Data = t.TempDir()
	var missing *mnist.FileError
	if err := run(t.Context(), c, "dense", true); !errors.As(err, &missing) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
}
