package checkpoint_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"nabla/autograd"
	"nabla/checkpoint"
)

// big is a model of 100 MB.
func big() checkpoint.Params {
	rng := seeded(1)
	var all checkpoint.Params
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		all = append(all, autograd.NewParam(name, autograd.Uniform(rng, -1, 1, 2500, 1000)))
	}
	return all
}

// BenchmarkSaveAndLoad is to be within 1.5 × BenchmarkCopy.
func BenchmarkSaveAndLoad(b *testing.B) {
	path, model := filepath.Join(b.TempDir(), "model"), big()
	b.SetBytes(100e6)
	for b.Loop() {
		if err := checkpoint.Save(path, model); err != nil {
			b.Fatal(err)
		}
		if err := checkpoint.Load(path, model); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCopy copies the file as a program would that wants the copy to be
// there after a power cut too.
func BenchmarkCopy(b *testing.B) {
	folder := b.TempDir()
	from, to := filepath.Join(folder, "model"), filepath.Join(folder, "copy")
	if err := checkpoint.Save(from, big()); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(100e6)
	for b.Loop() {
		if err := copyFile(to, from); err != nil {
			b.Fatal(err)
		}
	}
}

func copyFile(to, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	f, err := os.Create(to + ".new")
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.Copy(f, source); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(to+".new", to)
}
