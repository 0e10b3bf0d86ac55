package main

import (
	"context"
	"errors"
	"io"
	"maps"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/examples/internal/resumetest"
)

// Networks that are stopped and go on end with the same bits as those that are
// not, and tell the same costs.
func TestStoppedAndResumedIsTheSame(t *testing.T) {
	root := t.TempDir()
	n := networks[2]
	teach := func(ctx context.Context, keep string) (outcome, error) {
		return n.run(ctx, io.Discard, settings{seed: defaultSeed, keep: filepath.Join(root, keep)}, nil)
	}
	want, err := teach(t.Context(), "through")
	if err != nil {
		t.Fatal(err)
	}
	for _, asked := range []int{50, 333} {
		if _, err := teach(resumetest.After(asked), "stopped"); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	}
	got, err := teach(t.Context(), "stopped")
	if err != nil {
		t.Fatal(err)
	}
	through, stopped := resumetest.Newest(t, filepath.Join(root, "through")), resumetest.Newest(t, filepath.Join(root, "stopped"))
	if len(through) != 1 || !maps.Equal(through, stopped) {
		t.Errorf("%d and %d trainings, which differ", len(through), len(stopped))
	}
	if diff := cmp.Diff(want.costs, got.costs); diff != "" {
		t.Errorf("the costs: (-through +resumed)\n%s", diff)
	}
}
