package verses

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"testing"
)

// The file inside is the one that was packed.
func TestFile(t *testing.T) {
	r, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%x", sha256.Sum256(text)); got != "75ec94550934d7fe90cd3adf42ca6dee76e2634f7a3e2e9ad18e1469bc486015" {
		t.Errorf("the checksum is %s", got)
	}
}

func TestReadRefuses(t *testing.T) {
	pack := func(text string) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		io.WriteString(w, text)
		w.Close()
		return b.Bytes()
	}
	for text, want := range map[string]string{
		"book\tenglish\tspanish\n1\ta\n": "line 2: 2 columns, want 3",
		"\n1\ta\tb\n67\ta\tb\n":          `line 3: there is no book "67"`,
		"\nx\ta\tb\n":                    `line 2: there is no book "x"`,
	} {
		if _, err := read(pack(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if _, err := read([]byte("no gzip")); err == nil {
		t.Error("no error for a file that is not packed")
	}
	if _, err := read(file[:1000]); err == nil {
		t.Error("no error for half a file")
	}
}
