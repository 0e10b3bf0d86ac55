package autograd_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
)

// Calls, bytes and scopes are those of the recording; times only have to be
// there.
func TestProfile(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	x, w := autograd.Normal(rng, 0, 1, 20, 30), autograd.NewParam("w", autograd.Normal(rng, 0, 1, 30, 40))
	g := autograd.NewGraph(autograd.Options{Profile: true})
	var plain, profiled autograd.Tensor
	for range 3 {
		g.Reset()
		profiled = step(g, x, w)
	}
	p := g.Profile()
	if p.Recordings != 3 {
		t.Errorf("%d recordings", p.Recordings)
	}
	want := []autograd.ProfileRow{
		{Op: "constant", Calls: 3, Bytes: 3 * 8 * 600},
		{Op: "param", Calls: 3},
		{Scope: "outer/inner", Op: "matmul", Calls: 3, Bytes: 3 * 8 * 800},
		{Scope: "outer", Op: "tanh", Calls: 6, Bytes: 6 * 8 * 800},
		{Scope: "outer", Op: "reshape", Calls: 3}, // a view
		{Op: "mean", Calls: 3, Bytes: 3 * 8},
	}
	if diff := cmp.Diff(want, p.Rows, cmpopts.IgnoreFields(autograd.ProfileRow{}, "Forward", "Backward")); diff != "" {
		t.Error(diff)
	}
	for _, r := range p.Rows {
		if r.Forward <= 0 || (r.Backward > 0) != (r.Op != "constant" && r.Op != "param" || r.Op == "param") {
			t.Errorf("%+v", r)
		}
	}

	// The numbers are those without a profile.
	plain = step(autograd.NewGraph(autograd.Options{}), x, w)
	if !plain.Equal(profiled) {
		t.Error("the gradient is another one")
	}
}

// step records a network in scopes and returns the gradient of w.
func step(g *autograd.Graph, x autograd.Tensor, w *autograd.Param) autograd.Tensor {
	in, weights := g.Constant(x), g.Param(w)
	g.Enter("outer")
	g.Enter("inner")
	y := in.MatMul(weights)
	g.Leave()
	y = y.Tanh().Tanh().Reshape(40, 20)
	g.Leave()
	return y.Mean().Backward().OfParam(w).Clone()
}

// Time goes to the operation that takes it: a slow one's own function and rule,
// not to its neighbours, nor what the user does between. The clock goes by a
// nanosecond each time it is asked, and else only where something is slow.
func TestProfileTimes(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Profile: true})
	now := time.Duration(0)
	g.SetClock(func() time.Duration {
		now++
		return now
	})
	slow := autograd.Operation{
		Name: "slow",
		Forward: func(in []autograd.Tensor) autograd.Tensor {
			now += 2 * time.Second
			return in[0].Clone()
		},
		Rule: func(r *autograd.Rule) {
			now += 3 * time.Second
			r.Add(0, r.Grad())
		},
	}
	x := g.Variable(autograd.Ones(2))
	now += time.Second // the user's
	single := g.Variable(autograd.Scalar(2)).Square()
	now += time.Second
	single = single.Square()
	y := autograd.Custom(slow, x.Square()).Square().Sum()
	now += time.Second
	y.Add(single).Backward()
	now += time.Second
	g.Scalar(1).Square()
	for _, r := range g.Profile().Rows {
		forward, backward := r.Forward.Round(time.Second), r.Backward.Round(time.Second)
		wantForward, wantBackward := 0*time.Second, 0*time.Second
		if r.Op == "slow" {
			wantForward, wantBackward = 2*time.Second, 3*time.Second
		}
		if forward != wantForward || backward != wantBackward || r.Forward <= 0 || r.Forward > 4*time.Microsecond && r.Op != "slow" {
			t.Errorf("%+v", r)
		}
	}
}

func TestProfileTables(t *testing.T) {
	p := autograd.Profile{Recordings: 2, Rows: []autograd.ProfileRow{
		{Op: "constant", Calls: 2, Forward: 100, Bytes: 1600},
		{Scope: "dense1", Op: "matmul", Calls: 2, Forward: 1500 * time.Microsecond, Backward: 3 * time.Millisecond, Bytes: 2_500_000},
		{Scope: "dense2", Op: "matmul", Calls: 2, Forward: 500 * time.Microsecond, Backward: time.Millisecond, Bytes: 1e9},
		{Scope: "dense2", Op: "add", Calls: 2, Forward: 20 * time.Microsecond, Backward: 12345 * time.Nanosecond, Bytes: 999},
	}}
	want := strings.Join([]string{
		"operation  calls  forward  backward  share    bytes",
		"matmul         4  2.00 ms   4.00 ms   99 %  1.00 GB",
		"add            2  20.0 µs   12.3 µs    1 %    999 B",
		"constant       2   100 ns      0 ns    0 %  1.60 kB",
		"total          8  2.02 ms   4.01 ms  100 %  1.00 GB",
		"",
		"scope      calls  forward  backward  share    bytes",
		"dense1         2  1.50 ms   3.00 ms   75 %  2.50 MB",
		"dense2         4   520 µs   1.01 ms   25 %  1.00 GB",
		"(outside)      2   100 ns      0 ns    0 %  1.60 kB",
		"total          8  2.02 ms   4.01 ms  100 %  1.00 GB",
	}, "\n")
	if diff := cmp.Diff(want, p.String()); diff != "" {
		t.Error(diff)
	}
	if got := (autograd.Profile{}).String(); !strings.Contains(got, "total") {
		t.Error(got)
	}
}

// internal/pprof is compared with pprof's own package; here it is about the
// names.
func TestWritePprof(t *testing.T) {
	p := autograd.Profile{Rows: []autograd.ProfileRow{{Scope: "block/dense1", Op: "matmul", Calls: 2, Forward: 5, Backward: 7, Bytes: 9}}}
	var file bytes.Buffer
	if err := p.WritePprof(&file); err != nil {
		t.Fatal(err)
	}
	in, err := gzip.NewReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"forward", "backward", "matmul", "block", "block/dense1", "time", "nanoseconds", "memory", "bytes", "calls", "count"} {
		if !bytes.Contains(content, append([]byte{byte(len(name))}, name...)) {
			t.Errorf("no %q", name)
		}
	}
}

func TestProfileWithoutOption(t *testing.T) {
	var fault *autograd.GraphError
	err := autograd.Try(func() { autograd.NewGraph(autograd.Options{}).Profile() })
	if !errors.As(err, &fault) || !strings.Contains(err.Error(), "Options.Profile") {
		t.Error(err)
	}
}

// A graph with a profile allocates nothing either, once it is warm.
func TestProfileAllocatesNothing(t *testing.T) {
	x, w := autograd.Ones(20, 30), autograd.NewParam("w", autograd.Ones(30, 40))
	g := autograd.NewGraph(autograd.Options{Profile: true})
	run := func() {
		g.Reset()
		g.Constant(x).MatMul(g.Param(w)).Tanh().Mean().Square().Backward()
	}
	run()
	run() // what backward has borrowed is there now
	if allocated := testing.AllocsPerRun(10, run); allocated != 0 && !raceDetector {
		t.Errorf("%v allocations", allocated)
	}
}

func ExampleGraph_Profile() {
	g := autograd.NewGraph(autograd.Options{Profile: true})
	w := autograd.NewParam("w", autograd.Ones(30, 40))
	for range 10 {
		g.Reset()
		g.Constant(autograd.Ones(20, 30)).MatMul(g.Param(w)).Tanh().Mean().Backward()
	}
	for _, r := range g.Profile().Rows {
		fmt.Printf("%s: %d calls, %d bytes\n", r.Op, r.Calls, r.Bytes)
	}
	// Output:
	// constant: 10 calls, 48000 bytes
	// param: 10 calls, 0 bytes
	// matmul: 10 calls, 64000 bytes
	// tanh: 10 calls, 64000 bytes
	// mean: 10 calls, 80 bytes
}
