package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
)

// If this variable is in its environment, the test program plays a peer.
const roleVariable = "NABLA_BENCH_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		playPeer(role)
		return
	}
	if name := os.Getenv(peakVariable); name != "" {
		if err := printPeak(name); err != nil {
			panic(err)
		}
		return
	}
	os.Exit(m.Run())
}

// playPeer answers as a peer's program does.
func playPeer(role string) {
	if role == "absent" {
		fmt.Fprintln(os.Stderr, "some trace\nno such module")
		return
	}
	fmt.Println(`{"version": "Peer 1.0"}`)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var r request
		switch err := json.Unmarshal(lines.Bytes(), &r); {
		case err != nil || role == "broken":
			fmt.Println(`{"error": "out of order"}`)
		case role == "mortal":
			return
		default:
			fmt.Printf("{\"seconds\": %d}\n", r.Steps*r.Threads*r.Precision)
		}
	}
}

func testProgram(t *testing.T, role string) *program {
	t.Helper()
	p, err := startRole(role)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func startRole(role string) (*program, error) {
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), roleVariable+"="+role)
	return start(command, encodeJSON)
}

func TestProgram(t *testing.T) {
	p := testProgram(t, "peer")
	if p.version != "Peer 1.0" {
		t.Errorf("version %q", p.version)
	}
	for _, steps := range []int{1, 7} {
		got, err := p.ask(request{Workload: "W2", Precision: 32, Threads: 2, Steps: steps})
		if want := time.Duration(64*steps) * time.Second; err != nil || got != want {
			t.Errorf("%d steps took %v, %v; want %v", steps, got, err, want)
		}
	}
	if err := p.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestProgramEnds(t *testing.T) {
	if _, err := startRole("absent"); err == nil || err.Error() != "no such module" {
		t.Errorf("start gave %v, want the last line of stderr", err)
	}
	p := testProgram(t, "mortal")
	if _, err := p.ask(request{}); err == nil || err.Error() != "it ended" {
		t.Errorf("ask gave %v, want that it ended", err)
	}
	if _, err := start(exec.Command("/no/such/program"), nil); err == nil {
		t.Error("a program that is not there was started")
	}
}

func TestProgramsStartOnce(t *testing.T) {
	starts := 0
	var said strings.Builder
	ps := newPrograms(debianPython, &said)
	defer ps.stop()
	ps.starters["peer"] = func() (*program, error) {
		starts++
		return startRole("peer")
	}
	ps.starters["absent"] = func() (*program, error) {
		starts++
		return startRole("absent")
	}
	s := setting{autograd.Float32, 1}
	for range 2 {
		run := ps.body(workload{name: "W2"}, peer{name: "peer"}, s)
		if got, err := run(2); err != nil || got != 64*time.Second {
			t.Errorf("2 steps took %v, %v", got, err)
		}
		if ps.body(workload{}, peer{name: "absent"}, s) != nil {
			t.Error("a missing program has a body")
		}
	}
	if starts != 2 {
		t.Errorf("%d starts of two programs", starts)
	}
	if diff := cmp.Diff("bench: no absent: no such module\n", said.String()); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Peer 1.0"}, ps.versions()); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
}

func TestEncode(t *testing.T) {
	r := request{"W4-784x64x128", 32, 2, 5, form{m: 784, k: 64, n: 128, transA: true}}
	for want, encode := range map[string]func(request) (string, error){
		`{"workload":"W4-784x64x128","precision":32,"threads":2,"steps":5}`: encodeJSON,
		"32 2 5 784 64 128 1 0": encodeProduct,
	} {
		if got, err := encode(r); got != want || err != nil {
			t.Errorf("got %s, %v; want %s", got, err, want)
		}
	}
}

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run([]string{"-workload", "W2", "-peer", "loops", "-threads", "1", "-precision", "64", "-json"}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	var o object
	if err := json.Unmarshal([]byte(out.String()), &o); err != nil {
		t.Fatal(err)
	}
	if o.Workload != "W2" || o.Peer != "loops" || !(o.Nabla > 0) || o.Ratio == nil || o.GFLOPS != nil || o.Allocs != 0 {
		t.Errorf("got %s", out.String())
	}
}

func TestRunErrors(t *testing.T) {
	for _, args := range [][]string{{"-threads", "x"}, {"-update", "/no/such/file"}} {
		if err := run(args, io.Discard, io.Discard); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}
