package main

// protocol says how much is measured.
type protocol struct {
	pairs   int     // to keep of each library
	seconds float64 // of a run
}

// steady is how much the clock may differ within what is kept.
const steady = 1.02

// timed is a run: seconds of the thread, and those of a fixed number of cycles
// before and after.
type timed struct {
	seconds, before, after float64
}

// measure lets the contestants alternate, the first of which is Nabla. It
// returns the seconds of Nabla's products, and for each of the others the
// ratios that were kept. It gives up after four times as many turns as there
// are to be pairs.
func (p protocol) measure(contestants []func()) (seconds []float64, ratios [][]float64) {
	steps := 1
	if once := secondsOf(contestants[0], 1); once < p.seconds {
		steps = int(p.seconds / once)
	}
	ratios = make([][]float64, len(contestants)-1)
	for turn := 0; turn < 4*p.pairs && len(shortest(ratios)) < p.pairs; turn++ {
		runs := make([]timed, len(contestants))
		last := cycles()
		for i := range contestants {
			which := (turn + i) % len(contestants)
			runs[which] = timed{before: last, seconds: secondsOf(contestants[which], steps)}
			last = cycles()
			runs[which].after = last
		}
		for i, r := range runs[1:] {
			if sameClock(runs[0], r) {
				ratios[i] = append(ratios[i], r.seconds/runs[0].seconds)
			}
		}
		if sameClock(runs[0]) {
			seconds = append(seconds, runs[0].seconds/float64(steps))
		}
	}
	return seconds, ratios
}

// sameClock reports whether the core had one clock before and after all runs.
// It changes with the load of other cores, and seems to change when another
// machine's thread takes a part of the core.
func sameClock(runs ...timed) bool {
	least, most := runs[0].before, runs[0].before
	for _, r := range runs {
		least, most = min(least, r.before, r.after), max(most, r.before, r.after)
	}
	return most <= steady*least
}

func shortest(all [][]float64) []float64 {
	least := all[0]
	for _, x := range all {
		if len(x) < len(least) {
			least = x
		}
	}
	return least
}

// secondsOf returns the processor time that a number of steps take.
func secondsOf(step func(), steps int) float64 {
	start := threadTime()
	for range steps {
		step()
	}
	return threadTime() - start
}

// cycles returns the time that a chain of multiplications takes, each of which
// waits for the one before, whatever else the core's units do. Loops of FMAs do
// not tell: on Zen 5 the same one takes once, one and a half or twice the time.
func cycles() float64 {
	least := chain()
	for range 2 {
		least = min(least, chain())
	}
	return least
}

func chain() float64 {
	start, x := threadTime(), sink
	for range 20000 {
		x = x*6364136223846793005 + 1442695040888963407
	}
	sink = x
	return threadTime() - start
}

var sink uint64 // keeps the compiler from leaving the chain out
