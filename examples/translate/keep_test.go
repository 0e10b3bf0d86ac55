package main

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"nabla/data/verses"
	"nabla/examples/internal/command"
	"nabla/examples/internal/resumetest"
)

// A network that is stopped twice, within an epoch, ends with the same bits as
// one that is not: of few verses, for both networks.
func TestStoppedAndResumedIsTheSame(t *testing.T) {
	for _, network := range []string{"gru", "transformer"} {
		folder := t.TempDir()
		teach := func(ctx context.Context, keep string) error {
			s := settings{Command: command.New("translate", 2).To(&strings.Builder{}), network: network, sentence: "And God said"}
			s.Out, s.Rows, s.Keep = "", 200, filepath.Join(folder, keep) // 4 batches
			return s.run(ctx, verses.Load().Test()[:6])
		}
		if err := teach(t.Context(), "through"); err != nil {
			t.Fatal(err)
		}
		for _, asked := range []int{2, 3} {
			if err := teach(resumetest.After(asked), "stopped"); !errors.Is(err, context.Canceled) {
				t.Fatalf("got %v", err)
			}
		}
		if err := teach(t.Context(), "stopped"); err != nil {
			t.Fatal(err)
		}
		through, stopped := resumetest.Newest(t, filepath.Join(folder, "through")), resumetest.Newest(t, filepath.Join(folder, "stopped"))
		if len(through) != 1 || !maps.Equal(through, stopped) {
			t.Errorf("%s: %d and %d trainings, which differ", network, len(through), len(stopped))
		}
	}
}
