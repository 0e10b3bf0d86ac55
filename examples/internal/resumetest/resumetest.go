// Package resumetest stops example programs after some steps, and compares what
// they keep.
package resumetest

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// After returns a context that is cancelled when it has been asked so often
// whether it is: a training asks before each step.
func After(asked int) context.Context {
	c := &countdown{Context: context.Background()}
	c.left.Store(int64(asked))
	return c
}

type countdown struct {
	context.Context
	left atomic.Int64
}

func (c *countdown) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// Newest returns the newest file of each folder below root in which trainings
// are kept, by the folder's path below root.
func Newest(t *testing.T, root string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "*.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	below, err := filepath.Glob(filepath.Join(root, "*", "*.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, path := range append(paths, below...) { // in the order of their names
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			t.Fatal(err)
		}
		all[folder] = filepath.Base(path) + "\n" + string(text)
	}
	return all
}
