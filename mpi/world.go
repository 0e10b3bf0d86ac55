package mpi

// #include <stdlib.h>
// #include "world.h"
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
	"unsafe"

	"nabla/train"
)

// Options are the settings of [Init]. The zero Options wait for ever.
type Options struct {
	// Timeout is how long the others may take to come to an exchange, and to
	// end it; then Exchange returns a *[TimeoutError]. It must be longer than
	// what one rank may do while others wait, such as writing a checkpoint. 0:
	// no limit. mpirun ends all ranks if one dies, but nobody does if a machine
	// cannot be reached or a process hangs.
	Timeout time.Duration
}

// A World is the processes that mpirun has started: a [train.Group]. There is
// one in a process. Only one goroutine at a time uses it, as training with it
// does.
type World struct {
	rank, size int
	library    string
	timeout    time.Duration

	lock    sync.Mutex
	failed  error // after which MPI is left alone
	closing chan struct{}
	closed  chan error

	requests []C.MPI_Request
	statuses []C.MPI_Status
	expected []C.int
	pins     runtime.Pinner
	held     [][]byte // what MPI may still write to after a failure
}

var _ train.Group = (*World)(nil)

// An Error is what a function of MPI returned.
type Error struct {
	Op   string // "Init", "Exchange", "Add", "Close"
	Code int    // MPI's
	Text string // what MPI says about it, or what else is wrong
}

func (e *Error) Error() string { return "mpi: " + e.Op + ": " + e.Text }

// A TimeoutError says that an exchange took longer than Options.Timeout.
type TimeoutError struct {
	Op    string
	After time.Duration
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("mpi: %s: not all ranks came within %v", e.Op, e.After)
}

// Timeout makes it a timeout as package net has them.
func (e *TimeoutError) Timeout() bool { return true }

// Init initializes MPI and returns the world. A program that mpirun has not
// started is alone in it.
//
// The error is an *[Error] if MPI cannot be initialized, has been before, or
// cannot be used by one thread after the other, or if mpirun is that of another
// MPI library than the one that the program was built with: then every process
// would be alone.
func Init(options Options) (*World, error) {
	w := &World{timeout: options.Timeout, closing: make(chan struct{}), closed: make(chan error, 1)}
	ready := make(chan error)
	go w.serve(ready)
	if err := <-ready; err != nil {
		return nil, err
	}
	if err := checkLauncher(w.size); err != nil {
		w.Close() // or a goroutine and its thread would stay
		return nil, err
	}
	return w, nil
}

// serve initializes MPI, and finalizes it in the same thread, as MPI demands.
func (w *World) serve(ready chan<- error) {
	runtime.LockOSThread()
	var used, rank, size, serialized C.int
	if C.nabla_used(&used); used != 0 {
		ready <- &Error{"Init", 0, "MPI has been initialized in this process before"}
		return
	}
	if code := C.nabla_init(&rank, &size, &serialized); code != C.MPI_SUCCESS {
		ready <- failure("Init", code)
		return
	}
	var library [1 << 13]C.char
	C.nabla_library(&library[0], C.int(len(library)))
	w.rank, w.size, w.library = int(rank), int(size), C.GoString(&library[0])
	if serialized == 0 {
		C.nabla_finalize()
		ready <- &Error{"Init", 0, w.library + " was built without support for threads (MPI_THREAD_SERIALIZED)"}
		return
	}
	ready <- nil
	<-w.closing
	if code := C.nabla_finalize(); code != C.MPI_SUCCESS {
		w.closed <- failure("Close", code)
		return
	}
	w.closed <- nil
}

// checkLauncher returns an error if mpirun has started more processes than MPI
// knows of.
func checkLauncher(size int) error {
	for _, name := range []string{"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"} {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n != size {
			return &Error{"Init", 0, fmt.Sprintf("mpirun has started %d processes (%s), and there are %d in the world of %s, which the program was built with: take the mpirun of that library, or build with the other", n, name, size, built)}
		}
	}
	return nil
}

func failure(op string, code C.int) error {
	var text [1 << 10]C.char
	C.nabla_text(code, &text[0], C.int(len(text)))
	return &Error{op, int(code), C.GoString(&text[0])}
}

// Rank returns which of the processes this is, from 0.
func (w *World) Rank() int { return w.rank }

// Size returns the number of processes.
func (w *World) Size() int { return w.size }

// Library returns name and version of the MPI library, as it says itself.
func (w *World) Library() string { return w.library }

// Close finalizes MPI, for which it waits for the other processes. After an
// error of an exchange it does not: the program should end, and mpirun then
// ends the others. A second call does nothing.
func (w *World) Close() error {
	w.lock.Lock()
	defer w.lock.Unlock()
	if w.failed != nil {
		return nil
	}
	w.failed = &Error{"Exchange", 0, "the World is closed"}
	close(w.closing)
	return <-w.closed
}

// largest is how many bytes or numbers MPI is given at once, which counts them
// in 32 bits. Tests change it.
var largest = 1 << 30

// Exchange implements [train.Group] with messages from each rank to each. The
// error is an *[Error] or a *[TimeoutError]; the World is then of no use any
// more.
func (w *World) Exchange(send, receive [][]byte) error {
	const op = "Exchange"
	return w.do(op, func() error {
		if len(send) != w.size || len(receive) != w.size {
			return &Error{op, 0, fmt.Sprintf("%d slices to send and %d to receive among %d ranks", len(send), len(receive), w.size)}
		}
		if len(send[w.rank]) != copy(receive[w.rank], send[w.rank]) || len(send[w.rank]) != len(receive[w.rank]) {
			return &Error{op, 0, fmt.Sprintf("%d bytes to this rank itself, which wants %d", len(send[w.rank]), len(receive[w.rank]))}
		}
		for i := 1; i < w.size; i++ {
			from := (w.rank + w.size - i) % w.size
			if err := w.pass(op, receive[from], from, true); err != nil {
				return err
			}
		}
		for i := 1; i < w.size; i++ { // each rank begins with another
			to := (w.rank + i) % w.size
			if err := w.pass(op, send[to], to, false); err != nil {
				return err
			}
		}
		return w.wait(op)
	})
}

// do runs an exchange, unless one has failed before.
func (w *World) do(op string, f func() error) error {
	w.lock.Lock()
	defer w.lock.Unlock()
	if w.failed != nil {
		return w.failed
	}
	w.requests, w.expected, w.held = w.requests[:0], w.expected[:0], w.held[:0]
	if w.failed = f(); w.failed == nil {
		w.pins.Unpin()
	}
	return w.failed
}

// pass begins to send bytes, or to receive them, in one or more messages.
func (w *World) pass(op string, bytes []byte, rank int, receives bool) error {
	for first := true; first || len(bytes) > 0; first = false {
		n := min(len(bytes), largest)
		p := w.pin(bytes[:n])
		request := w.request()
		var code C.int
		if receives {
			w.expected[len(w.expected)-1] = C.int(n)
			code = C.nabla_receive(p, C.int(n), C.int(rank), request)
		} else {
			code = C.nabla_send(p, C.int(n), C.int(rank), request)
		}
		if code != C.MPI_SUCCESS {
			return failure(op, code)
		}
		bytes = bytes[n:]
	}
	return nil
}

// pin keeps memory where it is while MPI uses it.
func (w *World) pin(bytes []byte) unsafe.Pointer {
	if len(bytes) == 0 {
		return nil
	}
	w.pins.Pin(&bytes[0])
	w.held = append(w.held, bytes)
	return unsafe.Pointer(&bytes[0])
}

// request returns room for one more request, of which no number of bytes is
// expected.
func (w *World) request() *C.MPI_Request {
	var none C.MPI_Request
	w.requests, w.expected = append(w.requests, none), append(w.expected, -1)
	return &w.requests[len(w.requests)-1]
}

// An exchange is asked for again and again whether it has ended. Whatever else
// can run then has its turn in between, such as the backward pass. If nothing
// has, for spins times in a row, there are pauses: others on this machine may
// need the processor.
const (
	spins = 500
	gap   = 10 * time.Microsecond // between questions, if something else has run
)

// wait waits for the end of all requests.
func (w *World) wait(op string) error {
	count := len(w.requests)
	if count == 0 {
		return nil
	}
	for len(w.statuses) < count {
		var none C.MPI_Status
		w.statuses = append(w.statuses, none)
	}
	begun, last, idle := time.Now(), time.Now(), 0
	for {
		var done, wrong C.int
		code := C.nabla_test(C.int(count), &w.requests[0], &w.statuses[0], &w.expected[0], &done, &wrong)
		switch {
		case code != C.MPI_SUCCESS:
			return failure(op, code)
		case wrong >= 0:
			return &Error{op, 0, fmt.Sprintf("a rank sent another number of bytes than the %d wanted: are all ranks the same program?", w.expected[wrong])}
		case done != 0:
			return nil
		}
		now := time.Now()
		if w.timeout > 0 && now.Sub(begun) > w.timeout {
			return &TimeoutError{op, w.timeout}
		}
		if idle++; now.Sub(last) > gap {
			idle = 0
		}
		if idle > spins {
			C.nabla_pause() // time.Sleep may take a millisecond if nothing else runs
		}
		last = time.Now()
		runtime.Gosched()
	}
}

// A fast world is a World whose sums are MPI's.
type fast struct{ *World }

var _ train.Adder = fast{}

// Fast returns the World as a [train.Adder], which adds up by MPI_Iallreduce:
// faster where the network or MPI is good at that, but in an order of MPI's
// own. What is trained then depends on the number of ranks and on the MPI
// library, and may differ from run to run. If MPI gave two ranks different
// sums, the training would end with an error when their numbers are compared.
func (w *World) Fast() train.Group { return fast{w} }

// Add64 replaces numbers by their sums over all ranks.
func (f fast) Add64(x []float64) error { return sum(f.World, x) }

// Add32 replaces numbers by their sums over all ranks.
func (f fast) Add32(x []float32) error { return sum(f.World, x) }

func sum[T float32 | float64](w *World, x []T) error {
	const op = "Add"
	return w.do(op, func() error {
		width := int(unsafe.Sizeof(*new(T)))
		for rest := x; len(rest) > 0; {
			n := min(len(rest), largest)
			p := w.pin(unsafe.Slice((*byte)(unsafe.Pointer(&rest[0])), n*width))
			if code := C.nabla_sum(p, C.int(n), C.int(width), w.request()); code != C.MPI_SUCCESS {
				return failure(op, code)
			}
			rest = rest[n:]
		}
		return w.wait(op)
	})
}
