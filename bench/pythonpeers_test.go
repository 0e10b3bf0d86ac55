package main

import (
	"flag"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
)

var pythonForPeers = flag.String("python", "", "compare what the peers in Python compute, with this `interpreter`")

// From the same numbers, the peers in Python compute what Nabla computes: the
// loss of the network, step after step, and the gradients of the operations.
// Their interpreter must be named:
//
//	go test ./bench -run Python -args -python venv/bin/python
func TestPythonPeersComputeTheSame(t *testing.T) {
	if *pythonForPeers == "" {
		t.Skip("needs PyTorch and JAX: run it with -args -python and an interpreter that has them")
	}
	for name, list := range map[string][]workload{"images": images(), "recurrent": recurrent(), "transformers": transformers(), "embeddings": embeddings()} {
		t.Run(name, func(t *testing.T) { comparePeers(t, list) })
	}
}

func comparePeers(t *testing.T, list []workload) {
	t.Helper()
	ps := newPrograms(*pythonForPeers, t.Output())
	defer ps.stop()
	for _, w := range list {
		for _, peer := range w.peers {
			program := ps.find(peer.name)
			if program == nil {
				t.Fatalf("%s was not started", peer.name)
			}
			comparePython(t, program, w.name, autograd.Float32, cmpopts.EquateApprox(2e-3, 0))
			comparePython(t, program, w.name, autograd.Float64, cmpopts.EquateApprox(1e-9, 0))
		}
	}
}

func comparePython(t *testing.T, program *program, name string, p autograd.Precision, near cmp.Option) {
	t.Helper()
	s := setting{p, 1}
	nabla := newChecked(name, p)
	if nabla == nil {
		return // the forward pass alone, which is a part of the steps
	}
	for _, steps := range []int{1, 1, 3} {
		for range steps {
			nabla.step()
		}
		reply, err := program.send(request{Workload: name, Precision: s.bits(), Threads: 1, Steps: steps})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(nabla.check(), reply.Loss, near); diff != "" {
			t.Errorf("%s in %v, by %s (-Nabla +peer):\n%s", name, s, program.version, diff)
		}
	}
}

func TestStepsAllocateNothing(t *testing.T) {
	for _, w := range slices.Concat(images(), recurrent(), transformers(), embeddings()[:2]) {
		step := w.nabla(autograd.Float32)
		step()
		if got := testing.AllocsPerRun(1, step); got != 0 {
			t.Errorf("%s allocates %v times a step", w.name, got)
		}
	}
}
