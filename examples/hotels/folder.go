package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A folder is where a run writes its files. It knows which files an earlier run
// wrote; it never overwrites any others.
type folder struct {
	path    string
	written map[string]string // the SHA-256 of each file's content, in hexadecimal, by name
}

// manifest is the file that lists what was written, in the format of
// sha256sum.
const manifest = ".written"

// openFolder makes the folder if it does not exist. It returns an error that
// names the files that would be overwritten although no earlier run wrote them,
// or although they were changed since.
func openFolder(path string, names []string) (*folder, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, err
	}
	f := &folder{path: path, written: map[string]string{}}
	if err := f.readManifest(); err != nil {
		return nil, err
	}
	var foreign []string
	for _, name := range names {
		sum, err := f.sum(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		case sum != f.written[name]:
			foreign = append(foreign, name)
		}
	}
	if foreign != nil {
		return nil, fmt.Errorf("the folder %s has files that this command did not write, or that were changed since: %s; "+
			"move them away, or choose another folder with -out", path, strings.Join(foreign, ", "))
	}
	return f, nil
}

func (f *folder) readManifest() error {
	text, err := os.ReadFile(f.name(manifest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		if sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  "); ok {
			f.written[name] = sum
		}
	}
	return nil
}

// name returns the path of a file in the folder.
func (f *folder) name(name string) string { return filepath.Join(f.path, name) }

// sum returns the SHA-256 of a file in the folder.
func (f *folder) sum(name string) (string, error) {
	content, err := os.ReadFile(f.name(name))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]), nil
}

// note remembers that a file was written. The manifest is updated each time, so
// that an interrupted run does not forget its files.
func (f *folder) note(name string) error {
	sum, err := f.sum(name)
	if err != nil {
		return err
	}
	f.written[name] = sum
	var text bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(f.written)) {
		fmt.Fprintf(&text, "%s  %s\n", f.written[name], name)
	}
	return f.replace(manifest, text.Bytes())
}

// write writes a file.
func (f *folder) write(name string, content []byte) error {
	if err := f.replace(name, content); err != nil {
		return err
	}
	return f.note(name)
}

// replace writes a temporary file and renames it: the file is replaced as a
// whole or left as it was.
func (f *folder) replace(name string, content []byte) (err error) {
	file, err := os.CreateTemp(f.path, ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
		}
	}()
	if _, err := file.Write(content); err != nil {
		return err
	}
	if err := file.Chmod(0o644); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), f.name(name))
}
