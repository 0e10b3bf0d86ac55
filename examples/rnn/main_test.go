package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"nabla/autograd"
	"nabla/examples/internal/command"
)

// ran runs the command and returns what it prints.
func ran(t *testing.T, epochs int, out string, results bool) string {
	t.Helper()
	var text strings.Builder
	c := command.New("rnn", epochs).To(&text)
	c.Out, c.Results = out, results
	if err := run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestLearnsToKeepTheFirstNumber(t *testing.T) {
	if text := ran(t, 100, "", true); !regexp.MustCompile(`^result steps=4 sequences=16 right=16 seed=1 seconds=\d+\n$`).MatchString(text) {
		t.Errorf("printed %q", text)
	}
}

// The sums that are printed are those of backpropagation through time, written
// out here.
func TestSumsOverTime(t *testing.T) {
	n := newNetwork(rand.New(rand.NewPCG(1, 0)))
	x, h := sequenceOf(shown), []float64{0}
	for t := range x {
		h = append(h, math.Tanh(n.wx.Item()*x[t]+n.wh.Item()*h[t]+n.b.Item()))
	}
	want := map[*autograd.Param]string{}
	dh := (n.wy.Item()*h[steps] + n.c.Item() - x[0]) * n.wy.Item()
	for t := steps; t >= 1; t-- {
		dz := dh * (1 - h[t]*h[t])
		for p, part := range map[*autograd.Param]float64{n.wx: dz * x[t-1], n.wh: dz * h[t-1], n.b: dz} {
			want[p] += fmt.Sprintf("  step %d: %7.4f\n", t, part)
		}
		dh = dz * n.wh.Item()
	}
	text := ran(t, 1, "", false)
	for p, sum := range want {
		if !strings.Contains(strings.ReplaceAll(text, "-0.0000", " 0.0000"), strings.ReplaceAll(sum, "-0.0000", " 0.0000")) {
			t.Errorf("d%s is not the sum of\n%sin\n%s", p.Name(), sum, text)
		}
	}
}

func TestDraws(t *testing.T) {
	t.Setenv("PATH", "") // the library's own layout, as without Graphviz
	dir := t.TempDir()
	text := ran(t, 20, dir, false)
	for file, words := range map[string][]string{
		"course.svg":  {"step 1", "step 4", "shared ×4", "from dz4", "from dz1"},
		"neurons.svg": {"step 1", "step 4", "w_x −0.80", "w_h 1"},
		"page.html":   {"<!DOCTYPE html>", "Four steps of one block", `"n":"w_h"`},
	} {
		content, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Error(err)
		}
		for _, word := range words {
			if !strings.Contains(string(content), word) {
				t.Errorf("%s has no %q", file, word)
			}
		}
		if !strings.Contains(text, "wrote "+filepath.Join(dir, file)) {
			t.Errorf("%s is not announced", file)
		}
	}
}
