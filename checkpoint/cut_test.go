package checkpoint_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/checkpoint"
)

// A file that is cut short anywhere is refused, and the model stays as it is.
func TestCutAnywhere(t *testing.T) {
	folder := t.TempDir()
	whole := filepath.Join(folder, "whole")
	if err := checkpoint.Save(whole, network(1)); err != nil {
		t.Fatal(err)
	}
	text := content(t, whole)
	model := network(2)
	before := bitsOf(model)
	for n := range text {
		cut := filepath.Join(folder, "cut")
		if err := os.WriteFile(cut, text[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		var format *checkpoint.FormatError
		if err := checkpoint.Load(cut, model); !errors.As(err, &format) {
			t.Fatalf("cut to %d of %d bytes: %v", n, len(text), err)
		}
	}
	if diff := cmp.Diff(before, bitsOf(model)); diff != "" {
		t.Errorf("the model was changed: %s", diff)
	}
}
