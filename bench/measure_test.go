package main

import (
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
)

// A clock makes bodies that take exactly a given time.
type clock struct{ turns strings.Builder }

// body returns a body that takes the given times per step in turn, and then
// always the last one.
func (c *clock) body(name string, times ...time.Duration) body {
	turn := 0
	return func(steps int) (time.Duration, error) {
		c.turns.WriteString(name)
		took := times[min(turn, len(times)-1)]
		turn++
		return took * time.Duration(steps), nil
	}
}

func TestRunsTakeTurns(t *testing.T) {
	var c clock
	e := effort{pairs: 3, least: 10 * time.Microsecond}
	// Each runs twice to calibrate; Nabla once more to count allocations.
	us := time.Microsecond
	nabla := c.body("A", 10*us, 10*us, 10*us, 1*us, 2*us, 4*us)
	other := c.body("b", 30*us, 30*us, 3*us, 2*us, 40*us)
	got, err := e.runs(nabla, other)
	if err != nil {
		t.Fatal(err)
	}
	if want := "AAbb" + "A" + "AbAbAb"; c.turns.String() != want {
		t.Errorf("turns are %s, want %s", c.turns.String(), want)
	}
	if diff := cmp.Diff([]float64{3, 1, 10}, got.ratios(), cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Errorf("ratios (-want +got):\n%s", diff)
	}
	if m := median(got.ratios()); m != 3 {
		t.Errorf("median %v, want 3", m)
	}
}

func TestCalibrate(t *testing.T) {
	for _, test := range []struct {
		step time.Duration
		want int
	}{
		{time.Second, 1},
		{time.Millisecond, 20},
		{time.Microsecond, 20_000},
		{0, math.MaxInt}, // any large number of steps
	} {
		var c clock
		got, err := effort{least: 20 * time.Millisecond}.calibrate(c.body("", test.step))
		if err != nil || got != test.want && (test.step > 0 || got < mostSteps) {
			t.Errorf("steps of %v: %d in a run, %v; want %d", test.step, got, err, test.want)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{nil, math.NaN()},
		{[]float64{3}, 3},
		{[]float64{9, 1, 2}, 2},
		{[]float64{9, 1, 2, 4}, 3},
	} {
		if diff := cmp.Diff(test.want, median(test.values), cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("of %v (-want +got):\n%s", test.values, diff)
		}
	}
}

func TestAllocations(t *testing.T) {
	if got := allocations(local(func() { kept = new(int) }), 1000); got != 1 {
		t.Errorf("%d allocations, want 1", got)
	}
	if got := allocations(local(func() {}), 1000); got != 0 {
		t.Errorf("%d allocations, want 0", got)
	}
}

var kept *int

var quick = effort{pairs: 1, least: time.Microsecond}

// If a peer fails half-way, it is missing, but Nabla is still measured.
func TestMeasureWithoutPeer(t *testing.T) {
	var said strings.Builder
	ps := newPrograms(debianPython, &said)
	ps.starters["broken"] = func() (*program, error) { return startRole("broken") }
	w := workload{name: "W", flops: 1, nabla: func(autograd.Precision) func() { return func() {} }}
	for range 2 { // the second time nothing is reported
		r := quick.measure(w, peer{name: "broken"}, setting{threads: 1}, ps)
		if !(r.nabla >= 0) || !math.IsNaN(r.other) || !math.IsNaN(r.ratio) || r.peer != "broken" {
			t.Errorf("got %+v, want Nabla's time alone", r)
		}
	}
	if diff := cmp.Diff("bench: no broken: out of order\n", said.String()); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

var errWriter = errors.New("full")

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errWriter }

func TestMeasureAllStopsWhereItCannotReport(t *testing.T) {
	o, err := parse([]string{"-workload", "W2", "-peer", "loops"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o.effort = quick
	results, err := o.measureAll(newPrograms(debianPython, io.Discard), o.reporter(failingWriter{}))
	if !errors.Is(err, errWriter) || len(results) != 1 {
		t.Errorf("%d results and %v, want 1 and %v", len(results), err, errWriter)
	}
}
