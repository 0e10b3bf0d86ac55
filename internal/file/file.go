// Package file replaces files atomically.
package file

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// Replace writes content to the file at path, completely or not at all. A
// symbolic link stays a link.
func Replace(path string, content []byte) error {
	return replace(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// Write is Replace for content that fill writes bit by bit. When it returns
// nil, the file would be there after a power cut too, under its name.
func Write(path string, fill func(w io.Writer) error) error {
	path = followed(path)
	if err := replace(path, fill); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func replace(path string, fill func(w io.Writer) error) (err error) {
	path = followed(path)
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := fill(f); err != nil {
		return err
	}
	if err := finish(f, modeOf(path)); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// followed returns the path that a symbolic link leads to, also if nothing is
// there yet.
func followed(path string) string {
	for range 40 { // as many as Linux follows
		target, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	return path
}

// finish closes a file that is complete.
func finish(f *os.File, mode os.FileMode) error {
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// syncFolder makes new names in a folder last. Windows keeps them by itself.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// modeOf returns the permissions of a file to be replaced.
func modeOf(path string) os.FileMode {
	if info, err := os.Stat(path); err == nil {
		return info.Mode().Perm()
	}
	return 0o644
}
