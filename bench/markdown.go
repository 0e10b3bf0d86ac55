package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// resultsHeading begins the results, which extend to the end of the file.
const resultsHeading = "## Results"

// A machine describes where the figures were measured.
type machine struct {
	processor string
	cores     int
	before    string // the load average when the measurements began
	after     string // and when they ended
	date      string
	waiting   string // how the peers' OpenMP threads wait; "" for the default
}

// lookAtMachine describes this machine; it finds less on systems other than
// Linux.
func lookAtMachine() machine {
	m := machine{
		processor: runtime.GOARCH,
		cores:     runtime.NumCPU(),
		before:    loadAverage(),
		date:      time.Now().Format(time.DateOnly),
		waiting:   os.Getenv("OMP_WAIT_POLICY"),
	}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		m.processor = field(string(text), "model name") + ", " + runtime.GOARCH
	}
	return m
}

// loadAverage returns the load average of the last minute.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	minute, _, _ := strings.Cut(string(text), " ")
	return minute
}

// field returns the first value with that name in a text with lines "name :
// value".
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// markdown returns the results as a section with a table for each setting.
func markdown(m machine, versions []string, results []result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nMeasured on %s: %s, %d cores, %s/%s.\n", resultsHeading, m.date, m.processor, m.cores, runtime.GOOS, runtime.Version())
	for _, v := range versions {
		fmt.Fprintf(&b, "%s.\n", v)
	}
	if m.waiting != "" {
		fmt.Fprintf(&b, "OMP_WAIT_POLICY=%s.\n", m.waiting)
	}
	fmt.Fprintf(&b, "Load average %s at the start, %s at the end, of which 1 or 2 are the measurements' own: "+
		"above that the machine was busy with other programs, and the times mean little beside the ratios.\n", m.before, m.after)
	var last setting
	for i, r := range results {
		if i == 0 || r.setting != last {
			last = r.setting
			fmt.Fprintf(&b, "\n### %v\n\n%s", last, tableHead)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %d | %s | %s | %s |\n", r.workload, digits(r.nabla), digits(r.gflops), r.allocs, r.peer, digits(r.other), digits(r.ratio))
	}
	return b.String()
}

const tableHead = "| workload | Nabla µs | GFLOP/s | allocations | peer | peer µs | ratio |\n" +
	"| --- | ---: | ---: | ---: | --- | ---: | ---: |\n"

// proseOf returns the part of a Markdown file before the results.
func proseOf(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	prose, _, found := strings.Cut(string(text), resultsHeading)
	if !found {
		return "", fmt.Errorf("%s has no heading %q", path, resultsHeading)
	}
	return prose, nil
}

// updateFile replaces the results in a Markdown file.
func updateFile(path, results string) error {
	prose, err := proseOf(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(prose+results), 0o644)
}
