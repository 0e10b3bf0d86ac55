package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// A load is what is sent to a server: the same request again and again, over
// connections that are kept.
type load struct {
	time        time.Duration
	connections int
	rate        int // requests a second; 0: as many as are answered
	rows        int // of a request
}

// A sample is what one connection measured.
type sample struct {
	times  []time.Duration // from request to answer
	failed int
	first  error
}

// run sends requests until the time is over, and prints how they were answered.
// It fails if any was not.
func (l load) run(ctx context.Context, url string, w io.Writer) error {
	body := []byte(`{"inputs":[[1.5,4.2]` + strings.Repeat(`,[1.5,4.2]`, l.rows-1) + `]}`)
	client := &http.Client{
		Timeout:   5 * time.Second,
		Transport: &http.Transport{MaxIdleConns: l.connections, MaxIdleConnsPerHost: l.connections},
	}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, l.time)
	defer cancel()
	samples := make([]sample, l.connections)
	start, before := time.Now(), cpuSeconds()
	var group sync.WaitGroup
	for i := range samples {
		group.Go(func() { l.connection(ctx, client, url, body, i, &samples[i]) })
	}
	group.Wait()
	return l.report(w, samples, time.Since(start), cpuSeconds()-before)
}

// connection sends requests, one after the other.
func (l load) connection(ctx context.Context, client *http.Client, url string, body []byte, number int, s *sample) {
	var every time.Duration
	if l.rate > 0 {
		every = time.Second * time.Duration(l.connections) / time.Duration(l.rate)
	}
	next := time.Now().Add(every * time.Duration(number) / time.Duration(l.connections))
	for ctx.Err() == nil {
		if l.rate > 0 {
			time.Sleep(time.Until(next))
			next = next.Add(every)
		}
		begun := time.Now()
		err := ask(client, url, body)
		if err != nil {
			s.failed++
			if s.first == nil {
				s.first = err
			}
			continue
		}
		s.times = append(s.times, time.Since(begun))
	}
}

// ask sends a request and reads the answer.
func ask(client *http.Client, url string, body []byte) error {
	answer, err := client.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK || !bytes.HasPrefix(text, []byte(`{"predictions":[[`)) {
		return fmt.Errorf("%s: %s", answer.Status, text)
	}
	return nil
}

// report prints what all connections measured.
func (l load) report(w io.Writer, samples []sample, took time.Duration, cpu float64) error {
	var times []time.Duration
	var first error
	failed := 0
	for _, s := range samples {
		times = append(times, s.times...)
		failed += s.failed
		if first == nil {
			first = s.first
		}
	}
	if len(times) > 0 {
		slices.Sort(times)
		at := func(part float64) time.Duration {
			return times[int(part*float64(len(times)-1))].Round(time.Microsecond)
		}
		fmt.Fprintf(w, "%d answers in %.1f s: %.0f a second over %d connections, %d rows each\n",
			len(times), took.Seconds(), float64(len(times))/took.Seconds(), l.connections, l.rows)
		fmt.Fprintf(w, "time to answer: half within %v, 99 %% within %v, all within %v\n", at(0.5), at(0.99), at(1))
	}
	fmt.Fprintf(w, "%d errors; the client took %.2f s of CPU\n", failed, cpu)
	if failed > 0 {
		return fmt.Errorf("%d requests failed, the first: %w", failed, first)
	}
	return nil
}
