package serve

import (
	"encoding/json"
	"errors"
	"math"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A fake network counts its steps, which are its loss, until it fails.
type fake struct {
	steps    int
	fail     error
	panicky  bool
	diverges bool
}

func (f *fake) Step() error {
	f.steps++
	if f.panicky {
		panic("a bad shape")
	}
	return f.fail
}

func (f *fake) Loss() float64 {
	if f.diverges {
		return math.NaN()
	}
	return float64(f.steps)
}

// serve returns the replies to the requests without the times, which must be
// positive.
func serve(t *testing.T, requests string, prepare func(p *Problem, bits int) (Network, error)) []map[string]any {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var out strings.Builder
	if err := Serve(strings.NewReader(requests), &out, "Peer 1.0", prepare); err != nil {
		t.Fatal(err)
	}
	var replies []map[string]any
	for line := range strings.Lines(out.String()) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if seconds, ok := r["seconds"]; ok && !(seconds.(float64) > 0) {
			t.Errorf("took %v s", seconds)
		}
		delete(r, "seconds")
		replies = append(replies, r)
	}
	return replies
}

// A network continues where it was, and is remade only for a different
// request.
func TestServe(t *testing.T) {
	type preparation struct{ Rows, Bits, Threads int }
	var prepared []preparation
	got := serve(t, `
		{"workload": "W2", "precision": 32, "threads": 1, "steps": 3}
		{"workload": "W2", "precision": 32, "threads": 1, "steps": 4}
		{"workload": "W2", "precision": 64, "threads": 1, "steps": 1}
		{"workload": "W2", "precision": 64, "threads": 2, "steps": 2}
		{"workload": "W3-4-3-2-b5", "precision": 64, "threads": 2, "steps": 5}`,
		func(p *Problem, bits int) (Network, error) {
			prepared = append(prepared, preparation{p.Rows, bits, runtime.GOMAXPROCS(0)})
			return &fake{}, nil
		})
	want := []map[string]any{{"version": "Peer 1.0"}, {"loss": 3.0}, {"loss": 7.0}, {"loss": 1.0}, {"loss": 2.0}, {"loss": 5.0}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("replies (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]preparation{{24, 32, 1}, {24, 64, 1}, {24, 64, 2}, {5, 64, 2}}, prepared); diff != "" {
		t.Errorf("prepared (-want +got):\n%s", diff)
	}
}

func TestServeErrors(t *testing.T) {
	const request = `{"workload": "W2", "precision": 64, "threads": 1, "steps": 1}`
	for _, test := range []struct {
		request string
		network Network
		err     error
		want    string
	}{
		{request, &fake{fail: errors.New("no memory")}, nil, "no memory"},
		{request, &fake{panicky: true}, nil, "panic: a bad shape"},
		{request, &fake{diverges: true}, nil, "the loss is NaN"},
		{request, nil, errors.New("no backend"), "no backend"},
		{strings.Replace(request, "W2", "W7-exp", 1), &fake{}, nil, `no workload "W7-exp"`},
		{strings.Replace(request, "64", "16", 1), &fake{}, nil, "no numbers of 16 bits"},
	} {
		got := serve(t, test.request, func(*Problem, int) (Network, error) { return test.network, test.err })
		if diff := cmp.Diff([]map[string]any{{"version": "Peer 1.0"}, {"error": test.want}}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.request, diff)
		}
	}
	if err := Serve(strings.NewReader("W2"), new(strings.Builder), "", nil); err == nil {
		t.Error("a request that is no JSON gave no error")
	}
}

func TestNewProblem(t *testing.T) {
	type sizes struct {
		Widths                    []int
		Rows                      int
		Rate                      float64
		Features, Targets, Labels int
		Weights                   []int
	}
	for name, want := range map[string]sizes{
		"W2":            {[]int{2, 3, 1}, 24, 0.01, 48, 24, 0, []int{6, 3}},
		"W3-5-4-3-2-b7": {[]int{5, 4, 3, 2}, 7, 0.001, 35, 14, 7, []int{20, 12, 6}},
	} {
		p, err := NewProblem(name)
		if err != nil {
			t.Fatal(err)
		}
		got := sizes{p.Widths, p.Rows, p.Rate, len(p.Features), len(p.Targets), len(p.Classes), nil}
		for _, w := range p.Weights {
			got.Weights = append(got.Weights, len(w))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		again, err := NewProblem(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, again); diff != "" {
			t.Errorf("%s has other numbers the second time:\n%s", name, diff)
		}
	}
	for _, name := range []string{"", "W1-scalar", "W3", "W3-b64", "W3-784-b64", "W3-784-128-10", "W3-784-x-10-b64", "W3-784-128-0-b64"} {
		if _, err := NewProblem(name); err == nil {
			t.Errorf("%q is a problem", name)
		}
	}
}

// The targets of classes are ones in their columns.
func TestClasses(t *testing.T) {
	p, err := NewProblem("W3-4-3-b50")
	if err != nil {
		t.Fatal(err)
	}
	want := make([]float64, 150)
	seen := map[int]bool{}
	for row, class := range p.Classes {
		want[3*row+class] = 1
		seen[class] = true
	}
	if diff := cmp.Diff(want, p.Targets); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	if len(seen) != 3 {
		t.Errorf("the classes are %v, want all three", seen)
	}
}

func TestIn(t *testing.T) {
	if diff := cmp.Diff([]float32{0.1, -2}, In[float32]([]float64{0.1, -2})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDescribe(t *testing.T) {
	info := &debug.BuildInfo{
		Deps:     []*debug.Module{{Path: "a.org/a", Version: "v1.2.3"}, {Path: "a.org/b", Version: "v0.1.0"}},
		Settings: []debug.BuildSetting{{Key: "CGO_ENABLED", Value: "0"}, {Key: "GOEXPERIMENT", Value: "simd"}},
	}
	if got, want := describe(info, "Peer", []string{"a.org/a", "no/such/module"}), "Peer, a.org/a v1.2.3, GOEXPERIMENT=simd"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
