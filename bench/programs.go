package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// A request asks a peer's program for a number of steps of a workload.
type request struct {
	Workload  string `json:"workload"`
	Precision int    `json:"precision"`
	Threads   int    `json:"threads"`
	Steps     int    `json:"steps"`
	form      form
}

// A reply is a line from a peer's program: first its version, then one for each
// request.
type reply struct {
	Version string  `json:"version"`
	Seconds float64 `json:"seconds"`
	Loss    float64 `json:"loss"` // in the last step, from peers in Go and Python
	Peak    float64 `json:"peak"` // of PyTorch's memory, in bytes above that before the first request
	Error   string  `json:"error"`
}

// A program is a peer in a process of its own, fed over a pipe, so that its
// start is not measured.
type program struct {
	version string
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
	errors  bytes.Buffer // what it writes to stderr
	encode  func(request) (string, error)
}

// start starts the program and reads its version.
func start(command *exec.Cmd, encode func(request) (string, error)) (*program, error) {
	p := &program{command: command, encode: encode}
	command.Env = append(command.Environ(), shortSpins...)
	command.Stderr = &p.errors
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewScanner(out)
	if err := command.Start(); err != nil {
		return nil, err
	}
	first, err := p.read()
	if err != nil {
		return nil, err
	}
	p.version = first.Version
	return p, nil
}

// shortSpins makes OpenBLAS's own threads sleep soon after a product, so that
// they do not disturb Nabla's turn.
var shortSpins = []string{"OPENBLAS_THREAD_TIMEOUT=20"}

// ask sends a request and returns what the program measured.
func (p *program) ask(r request) (time.Duration, error) {
	answer, err := p.send(r)
	return time.Duration(answer.Seconds * float64(time.Second)), err
}

// send sends a request and returns the reply.
func (p *program) send(r request) (reply, error) {
	line, err := p.encode(r)
	if err != nil {
		return reply{}, err
	}
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		return reply{}, p.ended()
	}
	return p.read()
}

func (p *program) read() (reply, error) {
	var r reply
	if !p.out.Scan() {
		return r, p.ended()
	}
	if err := json.Unmarshal(p.out.Bytes(), &r); err != nil {
		return r, fmt.Errorf("reply %q: %w", p.out.Text(), err)
	}
	if r.Error != "" {
		return r, errors.New(r.Error)
	}
	return r, nil
}

// ended says why a program ended: the last line that it wrote to stderr.
func (p *program) ended() error {
	err := p.stop()
	if last := lastLine(p.errors.String()); last != "" {
		return errors.New(last)
	}
	if err == nil {
		err = errors.New("it ended")
	}
	return err
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// stop ends the program, which leaves its loop when there are no more
// requests.
func (p *program) stop() error {
	p.in.Close()
	return p.command.Wait()
}

// programs are the peers' programs. Each is started when it is first needed.
type programs struct {
	stderr   io.Writer
	starters map[string]func() (*program, error)
	names    []string            // in the order of starting
	byName   map[string]*program // nil: missing
}

// newPrograms takes the interpreter for the peers in Python.
func newPrograms(python string, stderr io.Writer) *programs {
	return &programs{
		stderr: stderr,
		starters: map[string]func() (*program, error){
			"torch":       func() (*program, error) { return startPython(python, torchScript) },
			"jax":         func() (*program, error) { return startPython(python, jaxScript, "step") },
			"jax-loop":    func() (*program, error) { return startPython(python, jaxScript, "loop") },
			"openblas":    startOpenBLAS,
			"gomlx":       func() (*program, error) { return startGo("gomlx", "GOEXPERIMENT=simd") },
			"gomlx-plain": func() (*program, error) { return startGo("gomlx", "GOEXPERIMENT=") },
			"gorgonia":    func() (*program, error) { return startGo("gorgonia") },
		},
		byName: map[string]*program{},
	}
}

// body returns the body of a workload for a peer; nil for no peer, or if the
// peer is missing.
func (ps *programs) body(w workload, p peer, s setting) body {
	switch {
	case p.name == "":
		return nil
	case p.prepare != nil:
		return local(p.prepare(s.precision))
	}
	program := ps.find(p.name)
	if program == nil {
		return nil
	}
	return func(steps int) (time.Duration, error) {
		return program.ask(request{w.name, s.bits(), s.threads, steps, w.form})
	}
}

// find returns a program, nil if it is missing.
func (ps *programs) find(name string) *program {
	p, known := ps.byName[name]
	if known {
		return p
	}
	p, err := ps.starters[name]()
	if err != nil {
		ps.giveUp(name, err)
		return nil
	}
	ps.names = append(ps.names, name)
	ps.byName[name] = p
	return p
}

// giveUp stops a program for good and reports why in one line.
func (ps *programs) giveUp(name string, why error) {
	fmt.Fprintf(ps.stderr, "bench: no %s: %v\n", name, why)
	if p := ps.byName[name]; p != nil {
		p.stop()
	}
	ps.byName[name] = nil
}

// versions returns a line for each program that was started.
func (ps *programs) versions() []string {
	var all []string
	for _, name := range ps.names {
		if p := ps.byName[name]; p != nil {
			all = append(all, p.version)
		}
	}
	return all
}

func (ps *programs) stop() {
	for _, p := range ps.byName {
		if p != nil {
			p.stop()
		}
	}
}
