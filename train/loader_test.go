package train_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"iter"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
	"nabla/train"
)

// counted returns data in which row i has the inputs 10i, 10i+1 and the label
// i.
func counted(rows int) train.Data {
	x, labels := autograd.Zeros(rows, 2), make([]int, rows)
	for i := range labels {
		x.Raw64()[2*i], x.Raw64()[2*i+1], labels[i] = float64(10*i), float64(10*i+1), i
	}
	return train.Data{Inputs: x, Labels: autograd.NewInts(labels, rows)}
}

// collect returns copies of an epoch's batches.
func collect(t *testing.T, loader *train.Loader, epoch int) (batches []train.Data) {
	t.Helper()
	for batch, err := range loader.Epoch(t.Context(), epoch) {
		if err != nil {
			t.Fatal(err)
		}
		batch.Inputs = batch.Inputs.Clone()
		batch.Labels = autograd.NewInts(slices.Clone(batch.Labels.Values()), batch.Labels.Shape()...)
		batches = append(batches, batch)
	}
	return batches
}

func labels(batches []train.Data) (all [][]int) {
	for _, b := range batches {
		all = append(all, b.Labels.Values())
	}
	return all
}

// chance returns the random numbers that a loader's comment promises: of a
// seed, an epoch and a batch, counted from 1, or 0 for the rows' order.
func chance(seed, epoch, batch uint64) *rand.Rand {
	var key [32]byte
	for i, v := range []uint64{seed, epoch, batch} {
		binary.LittleEndian.PutUint64(key[8*i:], v)
	}
	return rand.New(rand.NewChaCha8(key))
}

// The batches are those of a loop without goroutines.
func TestLoaderAgainstLoop(t *testing.T) {
	const rows, size, seed = 23, 5, 7
	prepare := func(rng *rand.Rand, batch train.Data) {
		for i := range batch.Inputs.Raw64() {
			batch.Inputs.Raw64()[i] += rng.Float64()
		}
	}
	data := counted(rows)
	for epoch := range 3 {
		order := make([]int, rows)
		for i := range order {
			order[i] = i
		}
		chance(seed, uint64(epoch), 0).Shuffle(rows, func(i, j int) { order[i], order[j] = order[j], order[i] })
		var want [][]float64
		for first := 0; first < rows; first += size {
			rng := chance(seed, uint64(epoch), uint64(first/size+1))
			var batch []float64
			for _, row := range order[first:min(rows, first+size)] {
				for _, v := range []int{10 * row, 10*row + 1} {
					batch = append(batch, float64(v)+rng.Float64())
				}
			}
			want = append(want, batch)
		}
		loader := train.NewLoader(data, train.LoaderOptions{BatchSize: size, Seed: seed, Workers: 3, Prepare: prepare})
		var got [][]float64
		for i, batch := range collect(t, loader, epoch) {
			got = append(got, batch.Inputs.Raw64())
			if diff := cmp.Diff(order[i*size:min(rows, (i+1)*size)], batch.Labels.Values()); diff != "" {
				t.Errorf("epoch %d, batch %d, labels (-want +got):\n%s", epoch, i, diff)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("epoch %d (-want +got):\n%s", epoch, diff)
		}
	}
	if !data.Inputs.Equal(counted(rows).Inputs) {
		t.Error("the data themselves have changed")
	}
}

// The number of workers, how fast each is, and the epochs before make no
// difference; the seed and the number of the epoch do.
func TestLoaderSameBits(t *testing.T) {
	load := func(workers int, seed uint64, epochs ...int) []train.Data {
		var pace atomic.Uint64
		loader := train.NewLoader(counted(40), train.LoaderOptions{BatchSize: 3, Seed: seed, Workers: workers, Prepare: func(rng *rand.Rand, batch train.Data) {
			for range pace.Add(7919) % 64 {
				runtime.Gosched()
			}
			batch.Inputs.Raw64()[0] = rng.NormFloat64()
		}})
		var batches []train.Data
		for _, epoch := range epochs {
			batches = collect(t, loader, epoch)
		}
		return batches
	}
	equal := func(a, b []train.Data) bool {
		return slices.EqualFunc(a, b, func(a, b train.Data) bool {
			return a.Inputs.Equal(b.Inputs) && slices.Equal(a.Labels.Values(), b.Labels.Values())
		})
	}
	want := load(1, 5, 4)
	for _, workers := range []int{0, 2, 3, 8, 50} {
		if !equal(want, load(workers, 5, 4)) {
			t.Errorf("%d workers give other bits", workers)
		}
	}
	if !equal(want, load(2, 5, 1, 2, 3, 4)) {
		t.Error("epoch 4 is another one after others")
	}
	if equal(want, load(2, 5, 5)) || equal(want, load(2, 6, 4)) {
		t.Error("two epochs, or two seeds, are the same")
	}
}

func TestLoaderSizes(t *testing.T) {
	for _, test := range []struct {
		options train.LoaderOptions
		want    [][]int
		rows    int
	}{
		{train.LoaderOptions{BatchSize: 3}, [][]int{{0, 1, 2}, {3, 4, 5}, {6}}, 7},
		{train.LoaderOptions{BatchSize: 3, DropLast: true}, [][]int{{0, 1, 2}, {3, 4, 5}}, 6},
		{train.LoaderOptions{BatchSize: 7, DropLast: true}, [][]int{{0, 1, 2, 3, 4, 5, 6}}, 7},
		{train.LoaderOptions{BatchSize: 9}, [][]int{{0, 1, 2, 3, 4, 5, 6}}, 7},
		{train.LoaderOptions{}, [][]int{{0, 1, 2, 3, 4, 5, 6}}, 7},
		{train.LoaderOptions{BatchSize: 1, DropLast: true}, [][]int{{0}, {1}, {2}, {3}, {4}, {5}, {6}}, 7},
	} {
		test.options.InOrder = true
		loader := train.NewLoader(counted(7), test.options)
		if diff := cmp.Diff(test.want, labels(collect(t, loader, 1))); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", test.options, diff)
		}
		if loader.Len() != len(test.want) || loader.Rows() != test.rows {
			t.Errorf("%+v: Len %d, Rows %d", test.options, loader.Len(), loader.Rows())
		}
	}
}

// Float32 stays, targets come along, and rows need no targets at all.
func TestLoaderKinds(t *testing.T) {
	x := autograd.NewTensor32([]float32{1, 2, 3, 4}, 2, 2)
	for _, data := range []train.Data{{Inputs: x}, {Inputs: x, Targets: autograd.NewTensor([]float64{5, 6}, 2, 1)}} {
		loader := train.NewLoader(data, train.LoaderOptions{BatchSize: 1, InOrder: true})
		i := 0
		for batch, err := range loader.Epoch(t.Context(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(x.Raw32()[2*i:2*i+2], batch.Inputs.Raw32()); diff != "" {
				t.Errorf("batch %d (-want +got):\n%s", i, diff)
			}
			if !data.Targets.IsZero() && batch.Targets.Item() != float64(5+i) {
				t.Errorf("batch %d has target %v", i, batch.Targets)
			}
			i++
		}
	}
}

// However a loop is left, no goroutine stays behind: synctest fails otherwise.
func TestLoaderLeavesNothing(t *testing.T) {
	options := train.LoaderOptions{BatchSize: 2, Workers: 3}
	for name, leave := range map[string]func(t *testing.T){
		"to the end": func(t *testing.T) { collect(t, train.NewLoader(counted(20), options), 1) },
		"not begun":  func(t *testing.T) { train.NewLoader(counted(20), options).Epoch(t.Context(), 1) },
		"break": func(t *testing.T) {
			var running atomic.Int64
			slow := options
			slow.Prepare = func(*rand.Rand, train.Data) {
				running.Add(1)
				time.Sleep(time.Second) // of the bubble's clock
				running.Add(-1)
			}
			for range train.NewLoader(counted(20), slow).Epoch(t.Context(), 1) {
				time.Sleep(time.Second / 2)
				if running.Load() == 0 {
					t.Error("nothing is prepared in the background")
				}
				break
			}
			if n := running.Load(); n > 0 {
				t.Errorf("%d workers go on after the loop", n)
			}
		},
		"panic": func(t *testing.T) {
			defer func() {
				if r := recover(); r != "out" {
					t.Errorf("recovered %v", r)
				}
			}()
			for range train.NewLoader(counted(20), options).Epoch(t.Context(), 1) {
				panic("out")
			}
		},
		"end of the goroutine": func(t *testing.T) {
			var group sync.WaitGroup
			group.Go(func() {
				for range train.NewLoader(counted(20), options).Epoch(t.Context(), 1) {
					runtime.Goexit()
				}
			})
			group.Wait()
		},
		"an iterator never stopped": func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			next, stop := iter.Pull2(train.NewLoader(counted(20), options).Epoch(ctx, 1))
			if _, err, ok := next(); err != nil || !ok {
				t.Error(err, ok)
			}
			cancel()
			synctest.Wait()
			all := make([]byte, 1<<20)
			if all = all[:runtime.Stack(all, true)]; bytes.Contains(all, []byte("train.(*stage).work(")) {
				t.Errorf("workers go on when the context is done:\n%s", all)
			}
			stop()
		},
		"context done while Prepare runs": func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			slow := options
			slow.Prepare = func(*rand.Rand, train.Data) { <-ctx.Done() }
			go func() {
				synctest.Wait() // until all wait for Prepare
				cancel()
			}()
			batches := 0
			for _, err := range train.NewLoader(counted(20), slow).Epoch(ctx, 1) {
				batches++
				if !errors.Is(err, context.Canceled) {
					t.Errorf("%v, want context.Canceled", err)
				}
			}
			if batches != 1 {
				t.Errorf("%d turns of the loop", batches)
			}
		},
		"Prepare panics": func(t *testing.T) {
			defer func() { recover() }()
			bad := options
			bad.Prepare = func(*rand.Rand, train.Data) { panic("bad") }
			collect(t, train.NewLoader(counted(20), bad), 1)
		},
	} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, leave) })
	}
}

// A context that is done gives no batch, and one that is done in between no
// more, though batches are ready.
func TestLoaderContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var seen []error
	for _, err := range train.NewLoader(counted(20), train.LoaderOptions{BatchSize: 2, Workers: 4}).Epoch(ctx, 1) {
		seen = append(seen, err)
		if len(seen) == 3 {
			cancel()
		}
	}
	if diff := cmp.Diff([]bool{false, false, false, true}, []bool{seen[0] != nil, seen[1] != nil, seen[2] != nil, errors.Is(seen[3], context.Canceled)}); diff != "" || len(seen) != 4 {
		t.Errorf("%v", seen)
	}
	for batch, err := range train.NewLoader(counted(20), train.LoaderOptions{}).Epoch(ctx, 1) {
		if !errors.Is(err, context.Canceled) || batch.Rows() != 0 {
			t.Errorf("%v, %v", batch, err)
		}
	}
}

// A mistake in Prepare surfaces in the loop, at its batch, after those before:
// one of autograd's as an error with the line of the call in Prepare, any other
// as a panic with the stack.
func TestPrepareFails(t *testing.T) {
	fails := func(fail func()) (before int, recovered any, err error) {
		loader := train.NewLoader(counted(20), train.LoaderOptions{BatchSize: 2, Workers: 3, InOrder: true, Prepare: func(_ *rand.Rand, batch train.Data) {
			if batch.Labels.Values()[0] >= 8 {
				fail()
			}
		}})
		defer func() { recovered = recover() }()
		for _, err := range loader.Epoch(t.Context(), 6) {
			if err != nil {
				return before, nil, err
			}
			before++
		}
		return before, nil, nil
	}
	before, _, err := fails(func() { autograd.Zeros(2).Reshape(3) })
	var step *train.StepError
	var shape *autograd.ShapeError
	if before != 4 || !errors.As(err, &step) || !errors.As(err, &shape) || step.Epoch != 6 || step.Batch != 5 || step.Part != "preparation" || !strings.HasSuffix(shape.File, "loader_test.go") {
		t.Errorf("after %d batches: %v", before, err)
	}
	cause := errors.New("a cause")
	for name, fail := range map[string]func(){
		"a cause":                 func() { panic(cause) },
		"it ended its goroutine":  runtime.Goexit,
		"index out of range [-1]": func() { _ = []int{}[before-5] },
	} {
		before, recovered, err := fails(fail)
		panicked, ok := recovered.(*train.PrepareError)
		if !ok || err != nil || before != 4 || !strings.Contains(panicked.Error(), name) || !strings.Contains(panicked.Error(), "loader_test.go") {
			t.Errorf("%s: after %d batches: %v, %v", name, before, err, recovered)
		}
		if name == cause.Error() && !errors.Is(panicked, cause) {
			t.Errorf("%v does not wrap its value", panicked)
		}
	}
}

// Loops over one loader, one in another and in goroutines, do not disturb each
// other.
func TestLoaderLoopsAtOnce(t *testing.T) {
	loader := train.NewLoader(counted(30), train.LoaderOptions{BatchSize: 4, Seed: 3, Workers: 2})
	want := [][][]int{labels(collect(t, loader, 0)), labels(collect(t, loader, 1))}
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			if diff := cmp.Diff(want[i%2], labels(collect(t, loader, i%2))); diff != "" {
				t.Errorf("epoch %d (-want +got):\n%s", i%2, diff)
			}
		})
	}
	outer := 0
	for batch := range loader.Epoch(t.Context(), 0) {
		if diff := cmp.Diff(want[1], labels(collect(t, loader, 1))); diff != "" {
			t.Errorf("within another loop (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want[0][outer], batch.Labels.Values()); diff != "" {
			t.Errorf("around another loop (-want +got):\n%s", diff)
		}
		outer++
	}
	group.Wait()
}

// An epoch allocates as much for 10 batches as for 1,000.
func TestLoaderAllocatesNothingPerBatch(t *testing.T) {
	allocations := func(rows int) float64 {
		loader := train.NewLoader(counted(rows), train.LoaderOptions{BatchSize: 2, Workers: 2, Prepare: func(rng *rand.Rand, batch train.Data) {
			batch.Inputs.Raw64()[0] = rng.Float64()
		}})
		return testing.AllocsPerRun(5, func() {
			for _, err := range loader.Epoch(context.Background(), 1) {
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	if few, many := allocations(20), allocations(2000); many > few+5 || few > 60 {
		t.Errorf("%v allocations for 10 batches, %v for 1,000", few, many)
	}
}

func TestNewLoaderRefuses(t *testing.T) {
	data := counted(5)
	var none context.Context
	for _, test := range []struct {
		f    func()
		text string
	}{
		{func() { train.NewLoader(train.Data{}, train.LoaderOptions{}) }, "no Inputs"},
		{func() { train.NewLoader(train.Data{Inputs: autograd.Zeros(0, 2)}, train.LoaderOptions{}) }, "no rows: [0 2]"},
		{func() {
			train.NewLoader(train.Data{Inputs: autograd.Zeros(2, 2), Labels: data.Labels}, train.LoaderOptions{})
		}, "[2 2], [5]"},
		{func() { train.NewLoader(data, train.LoaderOptions{BatchSize: -1}) }, "BatchSize is -1"},
		{func() { train.NewLoader(data, train.LoaderOptions{Workers: -1}) }, "Workers is -1"},
		{func() { train.NewLoader(data, train.LoaderOptions{BatchSize: 6, DropLast: true}) }, "nothing of 5 rows in batches of 6"},
		{func() { train.NewLoader(data, train.LoaderOptions{}).Epoch(none, 1) }, "context is nil"},
	} {
		err := autograd.Try(test.f)
		if err == nil || !strings.Contains(err.Error(), test.text) || !strings.Contains(err.Error(), "loader_test.go:") {
			t.Errorf("%v, want %q", err, test.text)
		}
	}
}

// loaderConfig is a small training with a loader.
func loaderConfig(options train.LoaderOptions) train.Config {
	return train.Config{
		Model:     layers.NewDense(rand.New(rand.NewPCG(1, 0)), 2, 1),
		Loss:      losses.MSE,
		Optimizer: optim.NewSGD(0.05),
		Epochs:    3,
		BatchSize: 4,
		Loader:    &options,
	}
}

func line(rows int) train.Data {
	rng := rand.New(rand.NewPCG(2, 0))
	x, y := autograd.Uniform(rng, -1, 1, rows, 2), autograd.Zeros(rows, 1)
	for i := range rows {
		y.Raw64()[i] = x.Raw64()[2*i] - 2*x.Raw64()[2*i+1]
	}
	return train.Data{Inputs: x, Targets: y}
}

func noisy(rng *rand.Rand, batch train.Data) {
	for i := range batch.Inputs.Raw64() {
		batch.Inputs.Raw64()[i] += 0.01 * rng.NormFloat64()
	}
}

// A training with a Loader makes the steps of a loop over its epochs, from 1,
// and its loss is the mean over the rows that it trained on.
func TestRunWithLoader(t *testing.T) {
	data := line(22)
	for _, drop := range []bool{false, true} {
		options := train.LoaderOptions{Seed: 9, Workers: 2, DropLast: drop, Prepare: noisy}
		config := loaderConfig(options)
		history, err := train.Run(t.Context(), config, data)
		if err != nil {
			t.Fatal(err)
		}
		twin := loaderConfig(options)
		options.BatchSize = 4
		loader := train.NewLoader(data, options)
		g := autograd.NewGraph(autograd.Options{})
		for epoch := 1; epoch <= 3; epoch++ {
			sum, rows := 0.0, 0
			for batch, err := range loader.Epoch(t.Context(), epoch) {
				if err != nil {
					t.Fatal(err)
				}
				g.Reset()
				loss := losses.MSE(twin.Model.Forward(g.Constant(batch.Inputs)), g.Constant(batch.Targets))
				twin.Optimizer.Step(loss.Backward())
				sum += loss.Item() * float64(batch.Rows())
				rows += batch.Rows()
			}
			if want := map[bool]int{false: 22, true: 20}[drop]; rows != want {
				t.Errorf("%d rows, want %d", rows, want)
			}
			if got := history[epoch-1].Train.Loss; got != sum/float64(rows) {
				t.Errorf("epoch %d: loss %v, want %v", epoch, got, sum/float64(rows))
			}
		}
	}
}

func TestRunWithLoaderFails(t *testing.T) {
	data := line(22)
	config := loaderConfig(train.LoaderOptions{})
	config.RNG = rand.New(rand.NewPCG(1, 0))
	if _, err := train.Run(t.Context(), config, data); err == nil || !strings.Contains(err.Error(), "both shuffle") {
		t.Errorf("a Loader and an RNG: %v", err)
	}
	config = loaderConfig(train.LoaderOptions{BatchSize: 30, DropLast: true})
	if _, err := train.Run(t.Context(), config, data); err == nil || !strings.Contains(err.Error(), "nothing of 22 rows") {
		t.Errorf("no batch: %v", err)
	}
	calls := 0
	config = loaderConfig(train.LoaderOptions{Prepare: func(_ *rand.Rand, batch train.Data) {
		if calls++; calls == 9 {
			batch.Inputs.Reshape(7)
		}
	}})
	history, err := train.Run(t.Context(), config, data)
	var step *train.StepError
	if !errors.As(err, &step) || step.Epoch != 2 || step.Batch != 3 || len(history) != 1 {
		t.Errorf("%v after %d epochs", err, len(history))
	}
	// A NaN among the pixels: the error names the inputs and the element.
	config = loaderConfig(train.LoaderOptions{InOrder: true, Prepare: func(_ *rand.Rand, batch train.Data) {
		batch.Inputs.Raw64()[5] = math.NaN()
	}})
	_, err = train.Run(t.Context(), config, data)
	var place *autograd.NonFiniteError
	if !errors.As(err, &step) || !errors.As(err, &place) || step.Batch != 1 || place.Name != "inputs" || place.Index != 5 {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := train.Run(ctx, loaderConfig(train.LoaderOptions{}), data); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
