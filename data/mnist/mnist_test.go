package mnist_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/data/mnist"
)

// idx returns a file of unsigned bytes, written by hand.
func idx(axes []uint32, elements ...byte) []byte {
	content := []byte{0, 0, 8, byte(len(axes))}
	for _, n := range axes {
		content = binary.BigEndian.AppendUint32(content, n)
	}
	return append(content, elements...)
}

func packed(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func write(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

var (
	twoImages = idx([]uint32{2, 2, 3}, 0, 51, 102, 153, 204, 255, 1, 2, 3, 4, 5, 6)
	twoLabels = idx([]uint32{2}, 7, 0)
)

// Both names and both packings, seen from the content: the labels to train on
// are packed although their name does not say so.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "train-images-idx3-ubyte.gz", packed(t, twoImages))
	write(t, dir, "train-labels-idx1-ubyte", packed(t, twoLabels))
	write(t, dir, "t10k-images.idx3-ubyte", idx([]uint32{1, 2, 3}, 255, 0, 0, 0, 0, 0))
	write(t, dir, "t10k-labels.idx1-ubyte.gz", idx([]uint32{1}, 9))
	set, err := mnist.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []float32{0, 0.2, 0.4, 0.6, 0.8, 1, 1. / 255, 2. / 255, 3. / 255, 4. / 255, 5. / 255, 6. / 255}
	if diff := cmp.Diff(want, set.Train.Images.Raw32()); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{2, 1, 2, 3}, set.Train.Images.Shape()); diff != "" {
		t.Errorf("shape (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{7, 0}, set.Train.Labels.Values()); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if set.Test.Len() != 1 || set.Test.Images.At(0, 0, 0, 0) != 1 || set.Test.Labels.Values()[0] != 9 {
		t.Errorf("test part: %v %v", set.Test.Images, set.Test.Labels)
	}
	taken := set.Train.Take([]int{1, 1, 0})
	if diff := cmp.Diff(append(append(append([]float32{}, want[6:]...), want[6:]...), want[:6]...), taken.Images.Raw32()); diff != "" {
		t.Errorf("images taken (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{0, 0, 7}, taken.Labels.Values()); diff != "" {
		t.Errorf("labels taken (-want +got):\n%s", diff)
	}
	var out *autograd.IndexError
	if err := autograd.Try(func() { set.Train.Take([]int{0, 2}) }); !errors.As(err, &out) || out.Index != 2 || out.Limit != 2 {
		t.Errorf("image 2 of 2: %v", err)
	}
}

// An empty file of images is one of 0 images.
func TestNoImages(t *testing.T) {
	images, err := mnist.ReadImages(write(t, t.TempDir(), "none", idx([]uint32{0, 28, 28})))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{0, 1, 28, 28}, images.Shape()); diff != "" {
		t.Error(diff)
	}
}

func TestBadFiles(t *testing.T) {
	whole := packed(t, twoImages)
	random := make([]byte, 20*28*28) // which gzip cannot shrink
	for i, rng := 0, rand.New(rand.NewPCG(1, 0)); i < len(random); i++ {
		random[i] = byte(rng.Uint32())
	}
	large := packed(t, idx([]uint32{20, 28, 28}, random...))
	invalid := bytes.Clone(whole)
	invalid[10] |= 6 // a kind of block that there is not
	broken := bytes.Clone(whole)
	broken[len(broken)-6] ^= 1 // the checksum
	tests := []struct {
		name    string
		content []byte
		offset  int64
		reason  string
		cause   error
	}{
		{"nothing", nil, 0, "the file has 0 bytes", io.ErrUnexpectedEOF},
		{"half a header", twoImages[:9], 9, "the header has 16 bytes", io.ErrUnexpectedEOF},
		{"truncated", twoImages[:20], 20, "8 more bytes are announced", io.ErrUnexpectedEOF},
		{"a byte too many", append(bytes.Clone(twoImages), 0), 28, "more bytes than the 12", nil},
		{"text", []byte("<html>not found</html>"), 0, "magic number", nil},
		{"labels", twoLabels, 3, "1 axes, want 3", nil},
		{"float32", []byte{0, 0, 13, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0}, 2, "float32", nil},
		{"no pixels", idx([]uint32{1, 0, 3}), 8, "without pixels", nil},
		{"2³¹ images", idx([]uint32{1 << 31, 28, 28}), 4, "too large", nil},
		{"2³¹−1 images", idx([]uint32{math.MaxInt32, 28, 28}), 16, "announced", io.ErrUnexpectedEOF},
		{"2⁹³ bytes", idx([]uint32{math.MaxInt32, math.MaxInt32, math.MaxInt32}), 8, "too large", nil},
		{"packed, 2³¹−1 images", packed(t, idx([]uint32{math.MaxInt32, 28, 28})), 16, "can hold", nil},
		{"packed, 60 images", packed(t, idx([]uint32{60, 28, 28}, 1, 2, 3)), 16, "can hold", nil},
		{"packed, truncated content", packed(t, twoImages[:20]), 20, "8 more bytes are announced", io.ErrUnexpectedEOF},
		{"packed, a byte too many", packed(t, append(bytes.Clone(twoImages), 0)), 28, "more bytes", nil},
		{"packed, truncated", whole[:20], -2, "the content ends", io.ErrUnexpectedEOF},
		{"packed, half of it", large[:len(large)/2], -2, "more bytes are announced", io.ErrUnexpectedEOF},
		{"packed, invalid", invalid, 0, "flate: corrupt input", nil},
		{"packed, no checksum", whole[:len(whole)-8], 28, "after the last element", io.ErrUnexpectedEOF},
		{"packed, corrupt checksum", broken, 28, "checksum", gzip.ErrChecksum},
		{"packed, bytes after the end", append(bytes.Clone(whole), "and more"...), 28, "after the last element", nil},
		{"packed, corrupt header", []byte{0x1F, 0x8B, 99, 0, 0, 0, 0, 0, 0, 0, 0}, 0, "gzip", gzip.ErrHeader},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, t.TempDir(), "images", test.content)
			_, err := mnist.ReadImages(path)
			var e *mnist.FileError
			if !errors.As(err, &e) {
				t.Fatalf("%v", err)
			}
			if e.File != path || !strings.Contains(e.Reason, test.reason) || e.Offset != test.offset && test.offset != -2 {
				t.Errorf("%v, want byte %d and %q", err, test.offset, test.reason)
			}
			if test.cause != nil && !errors.Is(err, test.cause) {
				t.Errorf("%v does not wrap %v", err, test.cause)
			}
		})
	}
}

// A header that announces much takes no memory, whether the file is packed or
// not. The last one really has 64 MiB of zeros in 64 KiB, and announces more.
func TestHeaderTakesNoMemory(t *testing.T) {
	zeros := make([]byte, 64<<20)
	for name, content := range map[string][]byte{
		"plain":  idx([]uint32{1 << 30, 28, 28}, 0),
		"packed": packed(t, append(idx([]uint32{65, 1 << 10, 1 << 10}), zeros...)),
	} {
		path := write(t, t.TempDir(), "images", content)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := mnist.ReadImages(path)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 1<<20 {
			t.Errorf("%s: %d bytes were allocated for %v", name, taken, err)
		}
	}
}

func TestBadSets(t *testing.T) {
	good := map[string][]byte{
		"train-images-idx3-ubyte": twoImages, "train-labels-idx1-ubyte": twoLabels,
		"t10k-images-idx3-ubyte": twoImages, "t10k-labels-idx1-ubyte": twoLabels,
	}
	tests := []struct {
		name    string
		content []byte // nil: the file is missing
		text    []string
	}{
		{"t10k-labels-idx1-ubyte", nil, []string{"t10k-labels-idx1-ubyte, t10k-labels-idx1-ubyte.gz, t10k-labels.idx1-ubyte"}},
		{"t10k-labels-idx1-ubyte", idx([]uint32{3}, 1, 2, 3), []string{"byte 4: 3 labels", "t10k-images-idx3-ubyte has 2 images"}},
		{"t10k-images-idx3-ubyte", idx([]uint32{2, 1, 2}, 1, 2, 3, 4), []string{"byte 8: images of 1×2", "train-images-idx3-ubyte has 2×3"}},
		{"train-labels-idx1-ubyte", twoImages, []string{"byte 3: 3 axes, want 1"}},
	}
	for _, test := range tests {
		dir := t.TempDir()
		for name, content := range good {
			if name == test.name {
				content = test.content
			}
			if content != nil {
				write(t, dir, name, content)
			}
		}
		_, err := mnist.Read(dir)
		var e *mnist.FileError
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		for _, text := range test.text {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v, want %q", test.name, err, text)
			}
		}
		if errors.Is(err, fs.ErrNotExist) != (test.content == nil) {
			t.Errorf("%s: %v: whether it is fs.ErrNotExist", test.name, err)
		}
	}
	if _, err := mnist.ReadLabels(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that does not exist: %v", err)
	}
}

func TestWriteRefuses(t *testing.T) {
	one := mnist.Part{Images: autograd.Zeros(1, 1, 2, 2), Labels: autograd.NewInts([]int{3})}
	with := func(v float64) mnist.Part {
		return mnist.Part{Images: autograd.Full(v, 1, 1, 2, 2), Labels: one.Labels}
	}
	for name, part := range map[string]mnist.Part{
		"NaN": with(math.NaN()), "1.5": with(1.5), "-0.1": with(-0.1),
		"colours":   {Images: autograd.Zeros(1, 3, 2, 2), Labels: one.Labels},
		"no label":  {Images: one.Images, Labels: autograd.NewInts(nil, 0)},
		"label 256": {Images: one.Images, Labels: autograd.NewInts([]int{256})},
		"label −1":  {Images: one.Images, Labels: autograd.NewInts([]int{-1})},
	} {
		dir := t.TempDir()
		err := autograd.Try(func() {
			if err := mnist.Write(dir, mnist.Set{Train: part, Test: one}); err != nil {
				t.Error(err)
			}
		})
		if err == nil || !strings.Contains(err.Error(), "mnist: Write: ") || !strings.Contains(err.Error(), "mnist_test.go:") {
			t.Errorf("%s: %v", name, err)
		}
		if files, err := os.ReadDir(dir); len(files) > 0 || err != nil {
			t.Errorf("%s: %v was written, %v", name, files, err)
		}
	}
}
