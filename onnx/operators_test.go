package onnx

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"nabla/autograd"
)

// fewer are operators that are known from a later opset on than ONNX has them:
// before, their meaning was another.
var fewer = map[string]bool{"Scan": true, "Upsample": true}

// The table has the operators' versions, and their numbers of inputs and
// outputs, as onnx's own package lists them: none was overlooked, and a version
// that a later package adds fails here.
func TestVersions(t *testing.T) {
	text, err := os.ReadFile("testdata/opsets.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	newest := int64(0)
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		fields := strings.Fields(line)
		numbers := make([]int64, len(fields)-1)
		for i, f := range fields[1:] {
			fmt.Sscan(f, &numbers[i])
		}
		name, least, most, outputs, versions := fields[0], numbers[0], numbers[1], numbers[2], numbers[3:]
		newest = max(newest, slices.Max(versions))
		op, ok := operatorOf("", name)
		if !ok {
			continue
		}
		known[name] = true
		if fewer[name] {
			versions = versions[slices.Index(versions, op.versions[0]):]
		}
		if !slices.Equal(op.versions, versions) {
			t.Errorf("%s has versions %v, want %v", name, op.versions, versions)
		}
		if int64(op.least) != least || int64(op.most) != most || int64(op.outputs) != outputs {
			t.Errorf("%s has %d to %d inputs and %d outputs, want %d to %d and %d", name, op.least, op.most, op.outputs, least, most, outputs)
		}
	}
	for _, name := range supported() {
		if !known[name] {
			t.Errorf("ONNX has no %s", name)
		}
	}
	if newest != newestOpset {
		t.Errorf("the newest opset is %d, want %d", newestOpset, newest)
	}
	t.Logf("%d operators", len(known))
}

// Loops, conditions and functions of a file compute, and have gradients.
func TestControl(t *testing.T) {
	for _, c := range []struct {
		name    string
		m       *Model
		x, y, g float64
	}{
		{"loop", imported(t, loopModel(3).Marshal()), 1.5, 12, 8},
		{"no turn", imported(t, loopModel(0).Marshal()), 1.5, 1.5, 1},
		{"then", imported(t, ifModel().Marshal()), -2, 2, -1},
		{"else", imported(t, ifModel().Marshal()), 3, 3, 1},
		{"function", imported(t, functionModel().Marshal()), -2, -0.25, 0.125},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := autograd.NewGraph(autograd.Options{})
			x := g.Variable(autograd.NewTensor([]float64{c.x}, 1))
			y := c.m.Run(g, map[string]Data{"x": {Value: x}})["y"].Value
			if got := y.Item(); got != c.y {
				t.Errorf("got %v, want %v", got, c.y)
			}
			if got := y.BackwardFrom(autograd.Full(1, y.Shape()...)).Of(x).Item(); got != c.g {
				t.Errorf("the gradient is %v, want %v", got, c.g)
			}
		})
	}
}

func imported(t *testing.T, b []byte) *Model {
	t.Helper()
	m, err := Import(bytesReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return m
}
