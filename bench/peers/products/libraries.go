package main

// #cgo LDFLAGS: -ldl
// #include <dlfcn.h>
// #include <stdlib.h>
// #include "blas.h"
import "C"

import (
	"fmt"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A library has sgemm_ and dgemm_.
type library struct {
	name         string
	sgemm, dgemm unsafe.Pointer
}

func load(name string) (*library, error) {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	handle := C.dlopen(text, C.RTLD_NOW|C.RTLD_LOCAL)
	if handle == nil {
		return nil, fmt.Errorf("%s", C.GoString(C.dlerror()))
	}
	l := &library{name: name}
	for symbol, to := range map[string]*unsafe.Pointer{"sgemm_": &l.sgemm, "dgemm_": &l.dgemm} {
		text := C.CString(symbol)
		*to = C.dlsym(handle, text)
		C.free(unsafe.Pointer(text))
		if *to == nil {
			return nil, fmt.Errorf("%s has no %s", name, symbol)
		}
	}
	return l, nil
}

// multiply is c = a·b with the library.
func multiply[T float32 | float64](l *library, c, a, b []T, n int) {
	switch c := any(c).(type) {
	case []float32:
		a, b := any(a).([]float32), any(b).([]float32)
		C.gemm32(l.sgemm, C.int(n), (*C.float)(&a[0]), (*C.float)(&b[0]), (*C.float)(&c[0]))
	case []float64:
		a, b := any(a).([]float64), any(b).([]float64)
		C.gemm64(l.dgemm, C.int(n), (*C.double)(&a[0]), (*C.double)(&b[0]), (*C.double)(&c[0]))
	}
}

// separate moves this thread to a core of its own, and the process's others,
// which start new ones, to the rest.
func separate(core int) error {
	var all, own unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return err
	}
	if !all.IsSet(core) || all.Count() < 2 {
		return fmt.Errorf("the process must be allowed to run on core %d and on another one", core)
	}
	own.Set(core)
	all.Clear(core)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			return err
		}
		set := &all
		if id == unix.Gettid() {
			set = &own
		}
		if err := unix.SchedSetaffinity(id, set); err != nil {
			return fmt.Errorf("thread %d: %w", id, err)
		}
	}
	return nil
}

// threadTime is the processor time of this thread, in seconds.
func threadTime() float64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return float64(t.Sec) + 1e-9*float64(t.Nsec)
}
