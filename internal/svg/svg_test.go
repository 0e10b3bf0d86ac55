package svg

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// Every golden drawing has a picture in which no text lies over another or
// leaves the canvas, and the same one each time.
func TestGoldens(t *testing.T) {
	paths, err := filepath.Glob("../../graphviz/testdata/*.dot")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d drawings, error %v", len(paths), err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range faults(t, string(text)) {
			t.Errorf("%s: %s", filepath.Base(path), fault)
		}
		if dir := os.Getenv("SVG_OUT"); dir != "" {
			picture, _ := Draw(string(text))
			os.WriteFile(filepath.Join(dir, filepath.Base(path)+".svg"), picture, 0o644)
		}
	}
}

// faults returns what is wrong with the geometry of a drawing.
func faults(t *testing.T, text string) []string {
	t.Helper()
	p, err := drawn(text)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Draw(text)
	if err != nil || !bytes.Equal(p.Bytes(), again) {
		t.Errorf("drawn again it is another picture, error %v", err)
	}
	var all []string
	texts, canvas := p.sorted()
	for i, a := range texts {
		if a.left < 0 || a.top < 0 || a.right > canvas.right || a.bottom > canvas.bottom {
			all = append(all, a.text+" leaves the canvas")
		}
		for _, b := range texts[i+1:] {
			if b.left >= a.right {
				break
			}
			if a.top < b.bottom && b.top < a.bottom {
				all = append(all, a.text+" lies over "+b.text)
			}
		}
	}
	for _, l := range p.links {
		if l.W > 0 && !l.Labeled {
			all = append(all, "no place for "+l.lines[0][0].text)
		}
	}
	return all
}
