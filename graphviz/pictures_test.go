package graphviz_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"nabla/graphviz"
)

// pictures maps each picture of the documentation to the golden drawing that it
// shows.
var pictures = map[string]string{"course.svg": "neuron.course", "neuron.svg": "neuron.combined", "hotels.svg": "hotels.combined", "layers.svg": "hotels.layers"}

// The pictures under docs are drawn without Graphviz and are the same
// everywhere.
func TestPictures(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for name, drawing := range pictures {
		for _, c := range goldens {
			if c.name != drawing {
				continue
			}
			root := c.root()
			var got bytes.Buffer
			if err := graphviz.SVG(t.Context(), &got, root, root.Backward(), c.options); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("..", "docs", name)
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want, err := os.ReadFile(path); err != nil || !bytes.Equal(want, got.Bytes()) {
				t.Errorf("%s is not what %s gives, error %v; -update makes it anew", path, drawing, err)
			}
		}
	}
}

// The README's picture is legible at a width of 880 pixels: its smallest
// letters are 9 pixels high.
func TestReadmePictureIsLegible(t *testing.T) {
	picture, err := os.ReadFile("../docs/hotels.svg")
	if err != nil {
		t.Fatal(err)
	}
	number := func(s [][]byte) float64 {
		v, err := strconv.ParseFloat(string(s[1]), 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	width := number(regexp.MustCompile(`viewBox="0 0 (\S+)`).FindSubmatch(picture))
	for _, size := range regexp.MustCompile(`font-size="([^"]*)"`).FindAllSubmatch(picture, -1) {
		if high := min(1, 880/width) * number(size); high < 9 {
			t.Fatalf("letters of size %s are %.1f pixels high", size[1], high)
		}
	}
}
