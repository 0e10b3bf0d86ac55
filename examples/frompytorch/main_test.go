package main

import (
	"encoding/json"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/checkpoint"
	"nabla/data/hotels"
	"nabla/train"
)

var python = flag.String("python", "", "train and predict with PyTorch, by this `interpreter`")

const committed = "hotels.safetensors"

// predictions are those of a file, of the test hotels.
func predictions(t *testing.T, path string) []float64 {
	t.Helper()
	n := newNetwork()
	if err := checkpoint.LoadWith(path, n, layout); err != nil {
		t.Fatal(err)
	}
	logits, err := train.Predict(t.Context(), n, hotels.Load().Test().Features().Tensor())
	if err != nil {
		t.Fatal(err)
	}
	return probabilities(logits).Float64s()
}

func numbersOf(t *testing.T, text []byte, err error) (all []float64) {
	t.Helper()
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil || len(all) != 8 {
		t.Fatalf("%d predictions, error %v", len(all), err)
	}
	return all
}

func compare(t *testing.T, what string, want, got []float64) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-6)); diff != "" {
		t.Errorf("%s (-want +got)\n%s", what, diff)
	}
}

// The network predicts what PyTorch did.
func TestPredictsAsPyTorch(t *testing.T) {
	text, err := os.ReadFile("predictions.json")
	compare(t, "PyTorch and Nabla", numbersOf(t, text, err), predictions(t, committed))
}

// It is better at its training rows afterwards, and the file has all of it.
func TestTrainsOn(t *testing.T) {
	to := filepath.Join(t.TempDir(), "again.safetensors")
	var text strings.Builder
	if err := run(t.Context(), &text, committed, to); err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^(from PyTorch|trained on) +training +loss (0\.\d{4}) `).FindAllStringSubmatch(text.String(), -1)
	if len(found) != 2 || found[1][2] >= found[0][2] {
		t.Errorf("printed\n%s", text.String())
	}
	if cmp.Equal(predictions(t, committed), predictions(t, to)) {
		t.Error("the network is as it was")
	}
	f, err := checkpoint.Open(to)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const want = "mean F32 [2]\ndeviation F32 [2]\nhidden.weight F32 [8 2]\nhidden.bias F32 [8]\noutput.weight F32 [1 8]\noutput.bias F32 [1]\n"
	if got := f.String(); got != want {
		t.Errorf("the file has\n%s", got)
	}
}

// PyTorch trains a network, Nabla loads it and trains it on, and PyTorch loads
// what Nabla wrote. Its interpreter must be named:
//
//	go test ./examples/frompytorch -run Python -args -python venv/bin/python
func TestPythonAndBack(t *testing.T) {
	if *python == "" {
		t.Skip("needs PyTorch: run it with -args -python and an interpreter that has it")
	}
	folder := t.TempDir()
	from, to := filepath.Join(folder, committed), filepath.Join(folder, "again.safetensors")
	torch := func(args ...string) []byte {
		command := exec.Command(*python, append([]string{"train.py"}, args...)...)
		command.Stderr = t.Output()
		text, err := command.Output()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	torch("train", folder)
	text, err := os.ReadFile(filepath.Join(folder, "predictions.json"))
	compare(t, "PyTorch and Nabla", numbersOf(t, text, err), predictions(t, from))
	if diff := cmp.Diff(predictions(t, committed), predictions(t, from), cmpopts.EquateApprox(0, 1e-4)); diff != "" {
		t.Errorf("the committed file is another one (-committed +trained)\n%s", diff)
	}
	if err := run(t.Context(), io.Discard, from, to); err != nil {
		t.Fatal(err)
	}
	compare(t, "Nabla and PyTorch", predictions(t, to), numbersOf(t, torch("predict", to), nil))
}
