package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The numbers are those of ½(relu(0.8·1.5 + 0.1) − 3)² and its derivatives.
const want = `predict and measure
  i       = 1.5      constant
  y       = 3        constant
  w       = 0.8      variable
  b       = 0.1      variable
  w·i     = 1.2      mul of w i
  z       = 1.3      add of w·i b
  a       = 1.3      relu of z
  a−y     = -1.7     sub of a y
  (a−y)²  = 2.89     square of a−y
  loss    = 1.445    mul scalar of (a−y)²

feedback: the chain rule, from the loss back
  dloss     = 1
  d((a−y)²) = dloss × 0.5 = 0.5
  d(a−y)    = d((a−y)²) × -3.4 = -1.7
  da        = d(a−y) × 1 = -1.7
  dz        = da × 1 = -1.7
  d(w·i)    = dz × 1 = -1.7
  db        = dz × 1 = -1.7
  dw        = d(w·i) × 1.5 = -2.55

adjust: value − 0.1 × gradient
  w       = 0.8 − 0.1 × (-2.55) = 1.055
  b       = 0.1 − 0.1 × (-1.7) = 0.27
`

func TestPrints(t *testing.T) {
	var text strings.Builder
	if err := run(&text, ""); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDraws(t *testing.T) {
	dir := t.TempDir()
	if err := run(&strings.Builder{}, dir); err != nil {
		t.Fatal(err)
	}
	for file, texts := range map[string][]string{
		"neuron.dot":  {"digraph", "2.55", "1.445", "dw = input × error"},
		"neuron.html": {"<!DOCTYPE html>", "One neuron", "1.445"},
	} {
		content, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range texts {
			if !strings.Contains(string(content), text) {
				t.Errorf("%s lacks %q", file, text)
			}
		}
	}
}
