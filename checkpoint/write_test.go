package checkpoint

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"nabla/autograd"
)

// On processors that store numbers the other way round, files are the same.
func TestBigEndian(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	tensors := map[string]autograd.Tensor{"a": autograd.Normal(rng, 0, 1, 3, 20000), "b": autograd.Normal(rng, 0, 1, 7).In(autograd.Float32)}
	files := map[bool][]byte{}
	defer func(own bool) { littleEndian = own }(littleEndian)
	for _, littleEndian = range []bool{true, false} {
		var b bytes.Buffer
		if err := write(&b, []named{namedTensor("a", tensors["a"]), namedTensor("b", tensors["b"])}, nil); err != nil {
			t.Fatal(err)
		}
		files[littleEndian] = b.Bytes()
	}
	if !bytes.Equal(files[true], files[false]) {
		t.Fatal("the files differ")
	}
	f, err := newFile("x", bytes.NewReader(files[false]), int64(len(files[false])))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range tensors {
		got, err := f.Tensor(name)
		if err != nil || got.Precision() != want.Precision() {
			t.Fatal(err)
		}
		if !slices.Equal(got.Float64s(), want.Float64s()) {
			t.Errorf("%s has other numbers", name)
		}
	}
}

// A device that is full says so, at the first byte and at the last.
func TestFullDevice(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no /dev/full")
	}
	defer full.Close()
	for _, size := range []int{1, 1 << 17} {
		if err := write(full, []named{{"a", []int{size}, make([]float64, size)}}, nil); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%d numbers: %v", size, err)
		}
	}
}

// A header that the format would not allow is not written.
func TestHeaderTooLong(t *testing.T) {
	_, err := headerOf(nil, map[string]string{"a": strings.Repeat("x", maxHeader)})
	if err == nil {
		t.Error("no error")
	}
}

// Neither saving nor loading takes memory for a second copy of the model: of
// 32 MB, what both allocate is less than 1.
func TestMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	params := Params{autograd.NewParam("a", autograd.Ones(1<<21)), autograd.NewParam("b", autograd.Ones(1<<21))}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := errors.Join(Save(path, params), Load(path, params)); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("%d bytes", used)
	}
}
