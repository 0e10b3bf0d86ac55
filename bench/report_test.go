package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
)

var (
	full32  = result{"W3-784-128-10-b64", setting{autograd.Float32, 1}, 634.56789, "torch", 888.4, 1.4, 61.4449, 0}
	alone64 = result{"W2", setting{autograd.Float64, 2}, 2.7, "torch", math.NaN(), math.NaN(), math.NaN(), 3}
)

func TestJSON(t *testing.T) {
	var out strings.Builder
	report := (&options{json: true}).reporter(&out)
	for _, r := range []result{full32, alone64} {
		if err := report(r); err != nil {
			t.Fatal(err)
		}
	}
	want := `{"workload":"W3-784-128-10-b64","precision":32,"threads":1,"nabla_us":634.6,"peer":"torch","peer_us":888.4,"ratio":1.4,"gflops":61.44,"allocs":0}
{"workload":"W2","precision":64,"threads":2,"nabla_us":2.7,"peer":"torch","peer_us":null,"ratio":null,"gflops":null,"allocs":3}
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if !json.Valid([]byte(strings.Split(out.String(), "\n")[0])) {
		t.Error("the line is no JSON")
	}
}

func TestColumns(t *testing.T) {
	var out strings.Builder
	report := (&options{}).reporter(&out)
	for _, r := range []result{full32, alone64} {
		if err := report(r); err != nil {
			t.Fatal(err)
		}
	}
	var got [][]string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.Fields(line))
	}
	want := [][]string{
		{"workload", "bits", "threads", "Nabla", "µs", "peer", "peer", "µs", "ratio", "GFLOP/s", "allocs"},
		{"W3-784-128-10-b64", "32", "1", "635", "torch", "888", "1.40", "61.4", "0"},
		{"W2", "64", "2", "2.70", "torch", "3"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}

func TestMarkdown(t *testing.T) {
	m := machine{processor: "Abacus", cores: 2, before: "0.07", after: "1.50", date: "2026-11-24", waiting: "PASSIVE"}
	got := markdown(m, []string{"Peer 1.0"}, []result{full32, full32, alone64})
	want := `## Results

Measured on 2026-11-24: Abacus, 2 cores, ` + runtime.GOOS + "/" + runtime.Version() + `.
Peer 1.0.
OMP_WAIT_POLICY=PASSIVE.
Load average 0.07 at the start, 1.50 at the end, of which 1 or 2 are the measurements' own: above that the machine was busy with other programs, and the times mean little beside the ratios.

### float32, 1 thread

| workload | Nabla µs | GFLOP/s | allocations | peer | peer µs | ratio |
| --- | ---: | ---: | ---: | --- | ---: | ---: |
| W3-784-128-10-b64 | 635 | 61.4 | 0 | torch | 888 | 1.40 |
| W3-784-128-10-b64 | 635 | 61.4 | 0 | torch | 888 | 1.40 |

### float64, 2 threads

| workload | Nabla µs | GFLOP/s | allocations | peer | peer µs | ratio |
| --- | ---: | ---: | ---: | --- | ---: | ---: |
| W2 | 2.70 |  | 3 | torch |  |  |
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("markdown (-want +got):\n%s", diff)
	}
}

func TestUpdateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "README.md")
	if err := updateFile(path, "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without the file: %v", err)
	}
	for _, text := range []string{"Prose.\n\n## Results\n\nOld.\n", "Prose.\n\n## Results\n"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := updateFile(path, "## Results\n\nNew.\n"); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff("Prose.\n\n## Results\n\nNew.\n", string(got)); diff != "" {
			t.Errorf("file (-want +got):\n%s", diff)
		}
	}
	if err := os.WriteFile(path, []byte("Prose."), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := updateFile(path, "x"); err == nil {
		t.Error("a file without the heading was updated")
	}
}

func TestDigits(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0.000", 0.0404: "0.040", 1.234: "1.23", 12.34: "12.3", 123.4: "123", 12345.6: "12346",
	} {
		if got := digits(v); got != want {
			t.Errorf("%v is %s, want %s", v, got, want)
		}
	}
}

func TestField(t *testing.T) {
	if got := field("vendor\t: V\nmodel name\t: Abacus 3: S\n", "model name"); got != "Abacus 3: S" {
		t.Errorf("got %q", got)
	}
	if got := field("", "model name"); got != "unknown processor" {
		t.Errorf("got %q", got)
	}
}

// The README has a row for every workload and names every peer.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	prose, results, found := strings.Cut(string(text), resultsHeading)
	if !found {
		t.Fatalf("no heading %q", resultsHeading)
	}
	for _, w := range workloads() {
		if !strings.Contains(results, "| "+w.name+" |") {
			t.Errorf("no results of %s", w.name)
		}
		for _, p := range w.peers {
			if !strings.Contains(prose, "| `"+p.name+"` |") {
				t.Errorf("peer %s is not described", p.name)
			}
		}
	}
}
