package mnist

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"
)

// FuzzIDX reads any bytes as images and as labels. What can be read is written
// back as it was, and an error says at which byte of the content the fault is.
func FuzzIDX(f *testing.F) {
	f.Add(append(header(1, 2, 2), 1, 2, 3, 4))
	f.Add(append(header(3), 7, 0, 255))
	f.Add(header(0, 28, 28))
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, axes := range []int{3, 1} {
			s, err := newSource("fuzz", bytes.NewReader(content), int64(len(content)), axes)
			if err != nil {
				if e, ok := err.(*FileError); !ok || e.Offset < 0 || e.File != "fuzz" {
					t.Errorf("%v", err)
				}
				continue
			}
			var part Part
			if axes == 3 {
				part.Images, err = s.images()
			} else {
				part.Labels, err = s.labels()
			}
			if err != nil {
				t.Errorf("a file that was checked: %v", err)
				continue
			}
			want := content
			if s.packed {
				want = unpacked(t, content)
			}
			if got := written(part); !bytes.Equal(got, want) {
				t.Errorf("read %x, written %x", want, got)
			}
		}
	})
}

// written returns the file of a part that has either images or labels.
func written(p Part) []byte {
	if p.Labels.Size() == 0 && p.Images.IsZero() {
		return header(0)
	}
	if p.Images.IsZero() {
		content := header(p.Labels.Size())
		for _, v := range p.Labels.Values() {
			content = append(content, byte(v))
		}
		return content
	}
	shape := p.Images.Shape()
	content := header(shape[0], shape[2], shape[3])
	for _, v := range p.Images.Raw32() {
		content = append(content, byte(v*255+0.5))
	}
	return content
}

func unpacked(t *testing.T, content []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
