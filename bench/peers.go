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
	//go:embed peers/openblas.c
	openBLASSource []byte
)

// python is Debian's, which has its packages, whatever stands first in PATH.
const python = "/usr/bin/python3"

// startTorch starts PyTorch.
func startTorch() (*program, error) {
	return start(exec.Command(python, "-c", torchScript), encodeJSON)
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
