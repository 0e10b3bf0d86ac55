package main

import (
	"math"
	"runtime"
	"slices"
	"time"
)

// A body runs a workload's step a number of times and returns how long that
// took.
type body func(steps int) (time.Duration, error)

// local is the body of a step in this process.
func local(step func()) body {
	return func(steps int) (time.Duration, error) {
		start := time.Now()
		for range steps {
			step()
		}
		return time.Since(start), nil
	}
}

// An effort says how much to measure.
type effort struct {
	pairs int           // of runs, Nabla's and the peer's
	least time.Duration // that a run takes
	pause time.Duration // between runs, since a peer's threads spin for a while before they sleep
}

var full = effort{pairs: 7, least: 25 * time.Millisecond, pause: 3 * time.Millisecond}

// A result is the time of one workload, beside that of one peer.
type result struct {
	workload string
	setting  setting
	nabla    float64 // microseconds of a step, the median of the runs
	peer     string  // "" for Nabla alone
	other    float64 // the peer's; NaN if it is missing
	ratio    float64 // peer ÷ Nabla, the median of the pairs; NaN if the peer is missing
	gflops   float64 // Nabla's; NaN if not counted
	allocs   int     // Nabla's, of a step
}

// measure runs a workload alternately in Nabla and in a peer. A peer that fails
// counts as missing from then on.
func (e effort) measure(w workload, p peer, s setting, all *programs) result {
	nabla := local(w.nabla(s.precision))
	taken, err := e.runs(nabla, all.body(w, p, s))
	if err != nil {
		all.giveUp(p.name, err)
		taken, _ = e.runs(nabla, nil) // a body in this process does not fail
	}
	r := result{
		workload: w.name, setting: s, peer: p.name,
		nabla: median(taken.nabla), other: median(taken.other), ratio: median(taken.ratios()),
		gflops: math.NaN(), allocs: taken.allocs,
	}
	if w.flops > 0 {
		r.gflops = w.flops / r.nabla / 1e3
	}
	return r
}

// runs are the times of a step in each run, in microseconds.
type runs struct {
	nabla, other []float64
	allocs       int
}

func (r *runs) ratios() []float64 {
	var all []float64
	for i, t := range r.other {
		all = append(all, t/r.nabla[i])
	}
	return all
}

// runs alternates between two bodies. other may be nil; if it fails, nabla is
// still measured.
func (e effort) runs(nabla, other body) (*runs, error) {
	nablaSteps, err := e.calibrate(nabla)
	if err != nil {
		return nil, err
	}
	otherSteps := 0
	if other != nil {
		if otherSteps, err = e.calibrate(other); err != nil {
			return nil, err
		}
	}
	r := &runs{allocs: allocations(nabla, nablaSteps)}
	for range e.pairs {
		if r.nabla, err = e.add(r.nabla, nabla, nablaSteps); err != nil {
			return nil, err
		}
		if other == nil {
			continue
		}
		if r.other, err = e.add(r.other, other, otherSteps); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// add appends the time of a step in one run.
func (e effort) add(times []float64, b body, steps int) ([]float64, error) {
	time.Sleep(e.pause)
	took, err := b(steps)
	return append(times, took.Seconds()*1e6/float64(steps)), err
}

// calibrate warms a body up and returns how many steps make a run.
func (e effort) calibrate(b body) (steps int, err error) {
	if _, err := b(1); err != nil {
		return 0, err
	}
	for steps = 1; ; steps *= 4 {
		took, err := b(steps)
		if err != nil {
			return 0, err
		}
		if took >= e.least/4 || steps >= mostSteps {
			return max(1, int(math.Ceil(float64(steps)*e.least.Seconds()/max(took, 1).Seconds()))), nil
		}
	}
}

// mostSteps ends the calibration even if a step takes no time at all.
const mostSteps = 1 << 24

// allocations returns the average number of allocations of a step, rounded down
// so that a few by other goroutines do not count.
func allocations(b body, steps int) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _ = b(steps)
	runtime.ReadMemStats(&after)
	return int(after.Mallocs-before.Mallocs) / steps
}

// median returns the middle of the values, NaN if there are none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
