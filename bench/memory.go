package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"nabla/autograd"
)

// peakVariable names a workload, in the environment of a process that takes
// steps of it and says by how much its memory grew.
const peakVariable = "NABLA_BENCH_PEAK"

// The workloads whose memory is measured.
var memoryWorkloads = []string{"W5-lenet-b32", "W5-unet-b16"}

const peakSteps = 5

// printMemory prints the peak of resident memory of some steps in float32 on
// one thread, above what the process had before the first, for Nabla and for
// PyTorch. Each is a process of its own.
func (o *options) printMemory(stdout, stderr io.Writer) error {
	fmt.Fprintf(stdout, "%-22s %12s %12s\n", "peak memory, MiB", "Nabla", "torch")
	for _, name := range memoryWorkloads {
		nabla, err := peakOfNabla(name)
		if err != nil {
			return err
		}
		torch := "missing"
		if peak, err := o.peakOfTorch(name); err != nil {
			fmt.Fprintf(stderr, "bench: no torch: %v\n", err)
		} else {
			torch = fmt.Sprintf("%.1f", peak/(1<<20))
		}
		fmt.Fprintf(stdout, "%-22s %12.1f %12s\n", name, nabla/(1<<20), torch)
	}
	return nil
}

func peakOfNabla(name string) (float64, error) {
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), peakVariable+"="+name, "GOMAXPROCS=1")
	text, err := command.Output()
	if err != nil {
		return 0, fmt.Errorf("memory of %s: %w", name, err)
	}
	return strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
}

func (o *options) peakOfTorch(name string) (float64, error) {
	p, err := startPython(o.python, torchScript)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	answer, err := p.send(request{Workload: name, Precision: 32, Threads: 1, Steps: peakSteps})
	return answer.Peak, err
}

// printPeak is what the process that peakVariable describes does.
func printPeak(name string) error {
	before, err := mostResident()
	if err != nil {
		return err
	}
	step := newLeNet(autograd.Float32).step
	if name == "W5-unet-b16" {
		step = newUNet(autograd.Float32).step
	}
	for range peakSteps {
		step()
	}
	after, err := mostResident()
	if err != nil {
		return err
	}
	_, err = fmt.Println(after - before)
	return err
}

// mostResident returns the most bytes that the process has had in memory, as
// Linux tells.
func mostResident() (int, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	kilobytes, err := strconv.Atoi(strings.TrimSuffix(field(string(text), "VmHWM"), " kB"))
	return kilobytes << 10, err
}
