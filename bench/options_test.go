package main

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
)

func TestParse(t *testing.T) {
	both := []autograd.Precision{autograd.Float32, autograd.Float64}
	type choice struct {
		Workloads string
		Peers     []string
		Threads   []int
		Precision []autograd.Precision
	}
	tests := []struct {
		args string
		want choice
	}{
		{"-workload W2", choice{"W2", nil, []int{1, 2}, both}},
		{"-workload W4-64", choice{"W4-64", nil, []int{1, 2}, both}},
		{"-workload W1 -threads 2", choice{"W1-scalar W1-chain", nil, []int{2}, both}},
		{"-workload W2,W1-chain -peer torch,none", choice{"W1-chain W2", []string{"torch", "none"}, []int{1, 2}, both}},
		{"-workload W3-784-128-10 -precision 32 -threads 1", choice{"W3-784-128-10-b64 W3-784-128-10-b128", nil, []int{1}, both[:1]}},
		{"-workload W-ratio -precision 64", choice{"W-ratio", nil, []int{1, 2}, both[1:]}},
	}
	for _, test := range tests {
		o, err := parse(strings.Fields(test.args), io.Discard)
		if err != nil {
			t.Errorf("%s: %v", test.args, err)
			continue
		}
		var names []string
		for _, w := range o.workloads {
			names = append(names, w.name)
		}
		got := choice{strings.Join(names, " "), o.peers, o.threads, o.precision}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.args, diff)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for args, want := range map[string]string{
		"-workload W99":  `there is no workload "W99"`,
		"-workload W":    "", // selects W-ratio, which continues with a hyphen
		"-peer numpy":    `there is no peer "numpy"`,
		"-precision 16":  "-precision 16 is neither 32 nor 64",
		"-threads -1":    "-threads -1 is not positive",
		"-workload W2 x": `unexpected argument "x"`,
	} {
		got := ""
		if _, err := parse(strings.Fields(args), io.Discard); err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", args, diff)
		}
	}
}

func TestPeersOf(t *testing.T) {
	w := workload{peers: []peer{{name: "a"}, {name: "b"}}}
	for _, test := range []struct{ chosen, want []string }{
		{nil, []string{"a", "b"}},
		{[]string{"b"}, []string{"b"}},
		{[]string{"c"}, nil},
		{[]string{"none"}, []string{""}},
	} {
		var got []string
		for _, p := range (&options{peers: test.chosen}).peersOf(w) {
			got = append(got, p.name)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("of %v (-want +got):\n%s", test.chosen, diff)
		}
	}
}
