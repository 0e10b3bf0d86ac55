package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

var (
	//go:embed peers/torch.py
	torchScript string
	//go:embed peers/jax.py
	jaxScript string
	//go:embed peers/openblas.c
	openBLASSource []byte
)

// debianPython is Debian's interpreter, which has Debian's packages, whatever
// comes first in PATH.
const debianPython = "/usr/bin/python3"

// startPython starts a script with an interpreter that has what it imports.
func startPython(interpreter, script string, args ...string) (*program, error) {
	return start(exec.Command(interpreter, append([]string{"-c", script}, args...)...), encodeJSON)
}

func encodeJSON(r request) (string, error) {
	line, err := json.Marshal(r)
	return string(line), err
}

// startOpenBLAS compiles the driver of OpenBLAS and starts it.
func startOpenBLAS() (*program, error) {
	folder, err := os.MkdirTemp("", "nabla-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder) // a program that runs needs its file no more
	source, driver := filepath.Join(folder, "openblas.c"), filepath.Join(folder, "openblas")
	if err := os.WriteFile(source, openBLASSource, 0o600); err != nil {
		return nil, err
	}
	if message, err := exec.Command("gcc", "-O2", "-o", driver, source, "-ldl").CombinedOutput(); err != nil {
		first, _, _ := strings.Cut(string(message), "\n")
		return nil, fmt.Errorf("gcc: %w %s", err, first)
	}
	return start(exec.Command(driver), encodeProduct)
}

// startGo builds a peer written in Go and starts it. The peer is a module of
// its own, so that no user of Nabla downloads its dependencies; it exists only
// in a checkout.
func startGo(name string, environment ...string) (*program, error) {
	source, err := exec.Command("go", "list", "-f", "{{.Dir}}", "nabla/bench").Output()
	if err != nil {
		return nil, fmt.Errorf("not in a checkout of Nabla: %w", err)
	}
	return buildAndStart(filepath.Join(strings.TrimSpace(string(source)), "peers", name), environment...)
}

// buildAndStart builds the module in a folder, with additions to the
// environment, and starts it.
func buildAndStart(module string, environment ...string) (*program, error) {
	folder, err := os.MkdirTemp("", "nabla-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder) // a program that runs needs its file no more
	executable := filepath.Join(folder, "peer")
	build := exec.Command("go", "-C", module, "build", "-buildvcs=false", "-o", executable, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	build.Env = append(build.Env, environment...)
	if message, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w: %s", err, lastLine(string(message)))
	}
	return start(exec.Command(executable), encodeJSON)
}

// encodeProduct writes a request as the driver of OpenBLAS reads it.
func encodeProduct(r request) (string, error) {
	f := r.form
	return fmt.Sprint(r.Precision, r.Threads, r.Steps, f.m, f.k, f.n, bit(f.transA), bit(f.transB)), nil
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
