package checkpoint_test

import (
	"flag"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/checkpoint"
)

var python = flag.String("python", "", "read and write files with safetensors' own package, by this `interpreter`")

// The safetensors package from PyPI reads what Nabla writes, and its copy of
// that is read as the first. Its interpreter must be named:
//
//	go test ./checkpoint -run Python -args -python venv/bin/python
func TestPythonReadsAndWrites(t *testing.T) {
	if *python == "" {
		t.Skip("needs safetensors and PyTorch: run it with -args -python and an interpreter that has them")
	}
	path, again := filepath.Join(t.TempDir(), "nabla.safetensors"), filepath.Join(t.TempDir(), "copy.safetensors")
	from := network(1)
	if err := checkpoint.Save(path, from); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(runPython(t, "read", path), describe(t, path)); diff != "" {
		t.Errorf("(-safetensors +nabla)\n%s", diff)
	}
	runPython(t, "copy", path, again)
	if diff := cmp.Diff(describe(t, path), describe(t, again)); diff != "" {
		t.Errorf("(-written +copied)\n%s", diff)
	}
	to := network(2)
	if err := checkpoint.Load(again, to); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bitsOf(from), bitsOf(to)); diff != "" {
		t.Errorf("(-saved +loaded)\n%s", diff)
	}

	folder := t.TempDir() // the vectors are those of the script, up to their order
	runPython(t, "write", folder)
	for _, name := range []string{"types.safetensors", "torch.safetensors"} {
		if diff := cmp.Diff(describe(t, filepath.Join("testdata", name)), describe(t, filepath.Join(folder, name))); diff != "" {
			t.Errorf("%s: (-committed +written)\n%s", name, diff)
		}
	}
}

func runPython(t *testing.T, args ...string) string {
	t.Helper()
	program := exec.Command(*python, append([]string{"testdata/vectors.py"}, args...)...)
	program.Stderr = t.Output()
	text, err := program.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
