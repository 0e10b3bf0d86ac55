package main

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"nabla/examples/internal/resumetest"
)

// Networks that are stopped twice, within an epoch, end with the same bits as
// those that are not: Params, Adam's means, history, and all that is kept.
func TestStoppedAndResumedIsTheSame(t *testing.T) {
	folder := t.TempDir()
	teach := func(ctx context.Context, keep string) (string, error) {
		var out strings.Builder
		c := prepared(t, &out, 2)
		c.Out, c.Results, c.Keep = "", true, filepath.Join(folder, keep)
		err := run(ctx, c, "all", false)
		return out.String(), err
	}
	if _, err := teach(t.Context(), "through"); err != nil {
		t.Fatal(err)
	}
	for _, asked := range []int{7, 20} {
		if _, err := teach(resumetest.After(asked), "stopped"); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "the same command goes on") {
			t.Fatalf("got %v", err)
		}
	}
	if _, err := teach(t.Context(), "stopped"); err != nil {
		t.Fatal(err)
	}
	through, stopped := resumetest.Newest(t, filepath.Join(folder, "through")), resumetest.Newest(t, filepath.Join(folder, "stopped"))
	if len(through) != 2 || !maps.Equal(through, stopped) {
		t.Errorf("%d and %d trainings, which differ", len(through), len(stopped))
	}
}
