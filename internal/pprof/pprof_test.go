package pprof_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"

	"nabla/internal/pprof"
)

// What is written is what pprof's own package reads.
func TestWrite(t *testing.T) {
	written := pprof.Profile{
		Kinds:   []pprof.Kind{{Name: "calls", Unit: "count"}, {Name: "time", Unit: "nanoseconds"}},
		Default: "time",
		Samples: []pprof.Sample{
			{Stack: []string{"backward", "matmul", "dense1"}, Values: []int64{0, 1 << 40}},
			{Stack: []string{"forward", "matmul", "dense1"}, Values: []int64{3, 77}},
			{Stack: []string{"forward", "time"}, Values: []int64{1, 0}},
			{Stack: nil, Values: []int64{1, -1}},
		},
	}
	var file bytes.Buffer
	if err := written.Write(&file); err != nil {
		t.Fatal(err)
	}
	read, err := profile.Parse(&file)
	if err != nil {
		t.Fatal(err)
	}
	if err := read.CheckValid(); err != nil {
		t.Error(err)
	}
	got := pprof.Profile{Default: read.DefaultSampleType}
	for _, k := range read.SampleType {
		got.Kinds = append(got.Kinds, pprof.Kind{Name: k.Type, Unit: k.Unit})
	}
	for _, s := range read.Sample {
		sample := pprof.Sample{Values: s.Value}
		for _, location := range s.Location {
			if len(location.Line) != 1 || !location.Mapping.HasFunctions {
				t.Errorf("a location has %d lines", len(location.Line))
			}
			sample.Stack = append(sample.Stack, location.Line[0].Function.Name)
		}
		got.Samples = append(got.Samples, sample)
	}
	if diff := cmp.Diff(written, got); diff != "" {
		t.Error(diff)
	}
	if len(read.Function) != 5 || len(read.Location) != 5 {
		t.Errorf("%d functions and %d locations for 5 names", len(read.Function), len(read.Location))
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken") }

func TestWriteFails(t *testing.T) {
	if err := (pprof.Profile{}).Write(broken{}); err == nil {
		t.Error("no error")
	}
}
