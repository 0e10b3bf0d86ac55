package onnx

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// The ONNX project's tests with other attributes and inputs than they should
// have end, or panic with typed errors.
func TestNodeTestsMutated(t *testing.T) {
	if *nodes == "" {
		t.Skip("with -args -nodes FOLDER")
	}
	entries, err := os.ReadDir(*nodes)
	if err != nil {
		t.Fatal(err)
	}
	ran, all := 0, 0
	for i, e := range entries {
		for seed := range uint64(*times) {
			all++
			ran += mutated(t, filepath.Join(*nodes, e.Name()), rand.New(rand.NewPCG(seed, uint64(i))))
		}
	}
	t.Logf("%d of %d ran to their end", ran, all)
}

// mutated runs one test after some changes.
func mutated(t *testing.T, folder string, rng *rand.Rand) (ran int) {
	b, err := os.ReadFile(filepath.Join(folder, "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := message.Unmarshal(b)
	if err != nil {
		t.Fatal(err)
	}
	var changes []string
	note := func(format string, args ...any) { changes = append(changes, fmt.Sprintf(format, args...)) }
	defer func() {
		if fault := recover(); fault != nil {
			t.Errorf("seed of %s: %v: %v\n%s", filepath.Base(folder), changes, fault, debug.Stack())
		}
	}()
	if rng.IntN(2) == 0 {
		for _, n := range file.Graph.Nodes {
			mutateNode(rng, n, note)
		}
	}
	m, err := importBytes(file.Marshal(), small)
	if err != nil {
		return 0
	}
	inputs, _, err := m.readData(filepath.Join(folder, "test_data_set_0"), "input", len(m.inputs), m.program.inputTypes())
	if err != nil {
		return 0
	}
	for i := range inputs {
		if rng.IntN(2) == 0 {
			inputs[i] = mutateInput(rng, inputs[i], func(format string, args ...any) { note(fmt.Sprint("input ", i, ": ")+format, args...) })
		}
	}
	g := autograd.NewGraph(autograd.Options{Eval: rng.IntN(2) == 0})
	bounded(t, func() {
		if autograd.Try(func() { m.run(g, inputs) }) == nil {
			ran = 1
		}
	})
	if t.Failed() {
		t.Fatalf("%s: %v", filepath.Base(folder), changes)
	}
	return ran
}

func mutateNode(rng *rand.Rand, n *message.Node, note func(string, ...any)) {
	for _, a := range n.Attributes {
		if rng.IntN(3) > 0 {
			continue
		}
		switch a.Kind {
		case message.KindInt:
			a.Int = randomInt(rng)
			note("%s=%d", a.Name, a.Int)
		case message.KindInts:
			if len(a.Ints) > 0 {
				a.Ints[rng.IntN(len(a.Ints))] = randomInt(rng)
			}
			if rng.IntN(4) == 0 {
				a.Ints = a.Ints[:rng.IntN(len(a.Ints)+1)]
			}
			note("%s=%v", a.Name, a.Ints)
		case message.KindFloat:
			a.Float = randomAttribute(rng, "alpha").Float
			note("%s=%v", a.Name, a.Float)
		case message.KindGraph:
			if a.Graph != nil {
				for _, inner := range a.Graph.Nodes {
					mutateNode(rng, inner, note)
				}
			}
		}
	}
	if rng.IntN(6) == 0 && len(n.Inputs) > 0 {
		i := rng.IntN(len(n.Inputs))
		n.Inputs[i] = ""
		note("no input %d", i)
	}
	if rng.IntN(6) == 0 && len(n.Inputs) > 1 {
		i, j := rng.IntN(len(n.Inputs)), rng.IntN(len(n.Inputs))
		n.Inputs[i], n.Inputs[j] = n.Inputs[j], n.Inputs[i]
		note("inputs %d and %d", i, j)
	}
}

func mutateInput(rng *rand.Rand, d datum, note func(string, ...any)) datum {
	if d.kind != tensor {
		if len(d.list) > 0 {
			d.list[rng.IntN(len(d.list))] = mutateInput(rng, d.list[0], note)
		}
		return d
	}
	if len(d.host.ints) > 0 {
		d.host.ints[rng.IntN(len(d.host.ints))] = wrap(d.elem, randomInt(rng))
		note("%v", d.host.ints)
	}
	shape := slices.Clone(d.host.shape)
	if len(shape) == 0 || rng.IntN(2) == 0 {
		return d
	}
	axis := rng.IntN(len(shape))
	switch rng.IntN(4) {
	case 0:
		shape[axis] = rng.IntN(shape[axis] + 1)
	case 1:
		shape[axis] = 1
	case 2:
		shape = append(slices.Clone(shape[:axis]), shape[axis+1:]...)
	case 3:
		shape[axis]++
	}
	from := make([]int, product(shape))
	for i := range from {
		from[i] = i % max(d.size(), 1)
		if d.size() == 0 {
			from[i] = -1
		}
	}
	note("%v", shape)
	return datum{elem: d.elem, host: d.host.take(from, shape)}
}
