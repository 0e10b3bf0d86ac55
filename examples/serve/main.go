// Command serve puts a network behind HTTP: the course's 2-3-1 network, which
// predicts a hotel's price from its distance and rating.
//
//	go run ./examples/serve [-addr localhost:8080] [-file hotels.safetensors]
//	curl -d '{"inputs": [[1.5, 4.2], [20, 2.1]]}' http://localhost:8080/predict
//
// The answer is {"predictions":[[…],[…]]}, in dollars. An interrupt, Ctrl-C or
// SIGTERM ends it after the requests under way. With -load it sends requests to
// a server instead, and prints how many were answered and how fast:
//
//	go run ./examples/serve -load http://localhost:8080/predict
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

func main() {
	addr := flag.String("addr", "localhost:8080", "the `address` to listen at")
	file := flag.String("file", "", "the `file` of the network; trained and written if it does not exist, only trained if empty")
	target := flag.String("load", "", "send requests to this `URL` instead of serving")
	var l load
	flag.DurationVar(&l.time, "time", 10*time.Second, "how long to send requests")
	flag.IntVar(&l.connections, "connections", 32, "how many connections to send requests over")
	flag.IntVar(&l.rate, "rate", 0, "how many requests to send a second; 0: as many as are answered")
	flag.IntVar(&l.rows, "rows", 1, "rows of a request")
	flag.Parse()
	if flag.NArg() > 0 || l.connections < 1 || l.rate < 0 || l.rows < 1 || l.time <= 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if *target != "" {
		err = l.run(ctx, *target, os.Stdout)
	} else {
		err = serve(ctx, *addr, *file, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "serve:", err)
		os.Exit(1)
	}
}

// serve answers requests until the context is done, and says then what it took.
func serve(ctx context.Context, addr, file string, w io.Writer) error {
	n, err := open(ctx, file)
	if err != nil {
		return err
	}
	h, err := newHandler(n)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "listening at http://%s/predict\n", listener.Addr())
	before := runtime.NumGoroutine()
	if err := answer(ctx, listener, h); err != nil {
		return err
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Fprintf(w, "%d requests, %d refused, %.2f s of CPU, goroutines %d → %d, heap %.1f MB\n",
		h.requests.Load(), h.refused.Load(), cpuSeconds(), before, runtime.NumGoroutine(), float64(m.HeapAlloc)/1e6)
	return nil
}

// answer serves a listener until the context is done, and for at most ten
// seconds longer the requests that are under way.
func answer(ctx context.Context, listener net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 2 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      5 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    8 << 10,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := server.Shutdown(last)
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
