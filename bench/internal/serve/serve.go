// Package serve is the common part of the peers written in Go: the protocol
// with the benchmarks, and the workloads' numbers, so that all of them learn
// the same.
package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// A Request asks for a number of steps of a workload.
type Request struct {
	Workload  string `json:"workload"`
	Precision int    `json:"precision"` // 32 or 64 bits
	Threads   int    `json:"threads"`
	Steps     int    `json:"steps"`
}

// A Network is a workload that is ready to run.
type Network interface {
	Step() error   // forward, backward, update
	Loss() float64 // before the last step's update
}

type measured struct {
	Seconds float64 `json:"seconds"`
	Loss    float64 `json:"loss"`
}

type failed struct {
	Error string `json:"error"`
}

// Serve writes the version and then answers each request with the seconds that
// its steps took and the loss in the last one, a line of JSON each. It answers
// a failure or panic with the error. It calls prepare when the workload, the
// precision or the number of threads changes, after setting GOMAXPROCS to the
// latter.
func Serve(in io.Reader, out io.Writer, version string, prepare func(p *Problem, bits int) (Network, error)) error {
	replies := json.NewEncoder(out)
	if err := replies.Encode(map[string]string{"version": version}); err != nil {
		return err
	}
	s := server{prepare: prepare}
	for requests := json.NewDecoder(in); ; {
		var r Request
		switch err := requests.Decode(&r); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		var reply any
		if took, err := s.answer(r); err != nil {
			reply = failed{err.Error()}
		} else {
			reply = took
		}
		if err := replies.Encode(reply); err != nil {
			return err
		}
	}
}

type server struct {
	prepare  func(p *Problem, bits int) (Network, error)
	prepared Request // without steps
	network  Network
}

func (s *server) answer(r Request) (m measured, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	if err := s.find(r); err != nil {
		return m, err
	}
	start := time.Now()
	for range r.Steps {
		if err := s.network.Step(); err != nil {
			return m, err
		}
	}
	m.Seconds = time.Since(start).Seconds()
	m.Loss = s.network.Loss()
	if math.IsNaN(m.Loss) || math.IsInf(m.Loss, 0) {
		return m, fmt.Errorf("the loss is %v", m.Loss)
	}
	return m, nil
}

// find prepares the network for a request, unless it is the last one used.
func (s *server) find(r Request) error {
	r.Steps = 0
	if s.network != nil && r == s.prepared {
		return nil
	}
	if r.Precision != 32 && r.Precision != 64 {
		return fmt.Errorf("no numbers of %d bits", r.Precision)
	}
	p, err := NewProblem(r.Workload)
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(r.Threads)
	s.network = nil
	if s.network, err = s.prepare(p, r.Precision); err != nil {
		return err
	}
	s.prepared = r
	return nil
}

// Version returns the name, the versions of the modules that the program was
// built with, and the compiler's experiments.
func Version(name string, modules ...string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return name
	}
	return describe(info, name, modules)
}

func describe(info *debug.BuildInfo, name string, modules []string) string {
	parts := []string{name}
	for _, m := range info.Deps {
		if slices.Contains(modules, m.Path) {
			parts = append(parts, m.Path+" "+m.Version)
		}
	}
	for _, s := range info.Settings {
		if s.Key == "GOEXPERIMENT" {
			parts = append(parts, "GOEXPERIMENT="+s.Value)
		}
	}
	return strings.Join(parts, ", ")
}
