package file

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// A symbolic link stays a link, also if it leads to nothing yet, and what it
// leads to gets the content.
func TestLinksStay(t *testing.T) {
	folder := t.TempDir()
	link, middle, target := filepath.Join(folder, "link"), filepath.Join(folder, "middle"), filepath.Join(folder, "below", "file")
	if err := os.Mkdir(filepath.Dir(target), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("middle", link); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink(target, middle); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"first", "second"} {
		err := Write(link, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(target); string(got) != text {
			t.Errorf("the target has %q, want %q", got, text)
		}
		if to, err := os.Readlink(link); to != "middle" {
			t.Errorf("the link leads to %q, %v", to, err)
		}
	}
}
