package export_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/internal/onnxtest"
	"nabla/layers"
	"nabla/onnx"
	"nabla/onnx/internal/export"
	"nabla/onnx/internal/message"
)

func model(t *testing.T, seed uint64) (onnx.Export, *message.Model) {
	t.Helper()
	dense := layers.NewDense(rand.New(rand.NewPCG(seed, 0)), 40, 20)
	e, err := onnx.Layer(layers.NewSequential(dense, layers.ReLU(), layers.NewDense(rand.New(rand.NewPCG(seed, 1)), 20, 40)), -1, 40)
	if err != nil {
		t.Fatal(err)
	}
	m, err := export.Network{Inputs: []export.Input{export.Input(e.Inputs[0])}, Outputs: e.Outputs, Batch: e.Batch}.Model()
	if err != nil {
		t.Fatal(err)
	}
	return e, m
}

// The numbers of a model that is too large are in a second file, where the
// first says. Saved again, that of the numbers before is gone; saved small,
// both.
func TestNumbersInASecondFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "model.onnx")
	other := filepath.Join(folder, "model.onnx.data") // is not ours
	if err := os.WriteFile(other, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(2) {
		_, m := model(t, seed)
		if err := export.Save(path, m, 1000); err != nil {
			t.Fatal(err)
		}
		names := glob(t, folder, "model.onnx.????????????????.data")
		if len(names) != 1 {
			t.Fatalf("the files are %v", names)
		}
		compareNumbers(t, path, m)
	}
	_, m := model(t, 3)
	if err := export.Save(path, m, export.MaxSize); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{path, other}, glob(t, folder, "*")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func glob(t *testing.T, folder, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// compareNumbers reads the numbers where the file says, and compares them.
func compareNumbers(t *testing.T, path string, m *message.Model) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	read, err := message.Unmarshal(b)
	if err != nil {
		t.Fatal(err)
	}
	outside := 0
	for i, tensor := range read.Graph.Initializers {
		if !tensor.Outside {
			continue
		}
		outside++
		entries := map[string]string{}
		for _, e := range tensor.External {
			entries[e.Key] = e.Value
		}
		data, err := os.ReadFile(filepath.Join(filepath.Dir(path), entries["location"]))
		if err != nil {
			t.Fatal(err)
		}
		offset, _ := strconv.Atoi(entries["offset"])
		length, _ := strconv.Atoi(entries["length"])
		if diff := cmp.Diff(m.Graph.Initializers[i].Raw, data[offset:offset+length]); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tensor.Name, diff)
		}
		if offset%4096 != 0 {
			t.Errorf("%s begins at %d", tensor.Name, offset)
		}
	}
	if outside != 2 {
		t.Errorf("%d tensors are outside", outside)
	}
}

// A model that could not be written leaves the one before, with its numbers.
func TestUnwritableFolder(t *testing.T) {
	_, m := model(t, 1)
	for _, most := range []int{0, export.MaxSize} {
		if err := export.Save(filepath.Join(t.TempDir(), "missing", "model.onnx"), m, most); err == nil {
			t.Error("no error")
		}
	}
}

// onnxruntime reads both files.
func TestPythonReadsTheSecondFile(t *testing.T) {
	runner := onnxtest.Start(t)
	e, m := model(t, 1)
	if err := export.Save(runner.Path(), m, 0); err != nil {
		t.Fatal(err)
	}
	if err := runner.Run(e, 1e-12); err != nil {
		t.Error(err)
	}
}
