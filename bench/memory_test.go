package main

import (
	"os"
	"strings"
	"testing"
)

// The memory is that of a process of its own, and a missing peer is said to be
// missing. LeNet's images, activations and their gradients take more than 1 MB.
func TestPrintMemory(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("the system does not tell")
	}
	peak, err := peakOfNabla("W5-lenet-b32")
	if err != nil {
		t.Fatal(err)
	}
	if peak < 1e6 || peak > 200e6 {
		t.Errorf("a peak of %v bytes", peak)
	}
	var out, said strings.Builder
	o := &options{python: "/no/such/interpreter"}
	if err := o.printMemory(&out, &said); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "missing") != len(memoryWorkloads) || !strings.Contains(said.String(), "no torch") {
		t.Errorf("printed %q, said %q", out.String(), said.String())
	}
}
