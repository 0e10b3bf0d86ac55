package train_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/checkpoint"
	"nabla/layers"
	"nabla/losses"
	"nabla/metrics"
	"nabla/optim"
	"nabla/train"
)

// together runs f for each member of a group, on goroutines of their own.
func together[T any](t *testing.T, size int, f func(member train.Group) T) []T {
	t.Helper()
	results := make([]T, size)
	var members sync.WaitGroup
	for i, member := range train.NewGroup(size) {
		members.Go(func() { results[i] = f(member) })
	}
	done := make(chan struct{})
	go func() { members.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(2 * time.Minute):
		t.Fatal("the group hangs")
	}
	return results
}

// ensemble is a training with all that a step and its end can read: Dropout,
// running statistics, a table by rows, labels that do not count, an average of
// the weights, early stopping, and files. Its data do not divide.
func ensemble(precision autograd.Precision, folder string) train.Config {
	rng := rand.New(rand.NewPCG(11, 0))
	table := autograd.NewParam("table", autograd.Normal(rng, 0, 1, 20, 3).In(precision))
	body := layers.NewSequential(
		layers.NewDenseWith(rng, 3, 8, layers.DenseOptions{Precision: precision}),
		layers.NewBatchNormWith(8, layers.BatchNormOptions{Precision: precision}), layers.ReLU(), layers.Dropout(0.3),
		layers.NewDenseWith(rng, 8, 3, layers.DenseOptions{Precision: precision}),
	)
	c := train.Config{
		Forward: func(g *autograd.Graph, batch train.Data) autograd.Value {
			return body.Forward(g.Param(table).Embedding(batch.Ids[0]))
		},
		Params: append([]*autograd.Param{table}, body.Params()...),
		Loss: func(y, t autograd.Value) autograd.Value {
			return losses.CategoricalCrossEntropyWith(y, t, losses.Options{Logits: true})
		},
		IgnoreLabels: []int{-1}, Optimizer: optim.NewAdamW(0.02), Epochs: 8, BatchSize: 30, Parts: 8, Bucket: 64,
		Loader: &train.LoaderOptions{Seed: 4}, Graph: autograd.Options{Seed: 9, Precision: precision},
		Metrics:    []train.Metric{{Name: "accuracy", Func: metrics.Accuracy}},
		Validation: vocabulary(2, 23),
		OnGradients: func(grads autograd.Gradients) {
			optim.ClipNorm(grads, 0.5)
		},
		Callbacks: []train.Callback{&train.EMA{Decay: 0.9}, &train.EarlyStopping{Patience: 2, MinDelta: 0.01, Restore: true}},
	}
	if folder != "" {
		c.Resume = folder
		c.Callbacks = append(c.Callbacks, &train.Checkpoint{Folder: folder, Every: 3, KeepBest: true})
	}
	return c
}

// vocabulary is rows of an id each. 67 rows are batches of 30, 30 and 7.
func vocabulary(seed uint64, rows int) train.Data {
	rng := rand.New(rand.NewPCG(seed, 7))
	ids, labels := make([]int, rows), make([]int, rows)
	for i := range ids {
		ids[i] = rng.IntN(20)
		if labels[i] = ids[i] % 3; i%5 == 0 {
			labels[i] = -1
		}
	}
	return train.Data{Ids: []autograd.Ints{autograd.NewInts(ids)}, Labels: autograd.NewInts(labels)}
}

// An ending is what is left of a training.
type ending struct {
	Hash    string
	History train.History
	Err     error
}

func endingOf(ctx context.Context, c train.Config, data train.Data) ending {
	h, err := train.Run(ctx, c, data)
	return ending{train.Hash(c.Params...), h, err}
}

// One training with Workers, and groups of any size, give the same bits: of all
// Params and statistics, of losses and metrics, and of the files. Whether the
// group has 3 members, so that the tree of the parts crosses their bounds, or
// the last batch has fewer parts than members, makes no difference.
func TestGroupHasTheBitsOfOne(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		for _, accumulate := range []int{0, 2} {
			folder := filepath.Join(t.TempDir(), "alone")
			alone := ensemble(precision, folder)
			alone.Workers, alone.Accumulate = 2, accumulate
			want := endingOf(t.Context(), alone, vocabulary(1, 67))
			if want.Err != nil {
				t.Fatal(want.Err)
			}
			files := filesOf(t, folder)
			for _, size := range []int{1, 2, 3, 4, 8} {
				folder := filepath.Join(t.TempDir(), "group")
				for rank, got := range together(t, size, func(member train.Group) ending {
					c := ensemble(precision, folder)
					c.Group, c.Accumulate, c.Workers = member, accumulate, member.Rank()%3
					if member.Rank() > 0 { // what a member begins with is overwritten
						c.Params[1].Set(autograd.Ones(c.Params[1].Shape()...))
					}
					return endingOf(t.Context(), c, vocabulary(1, 67))
				}) {
					if diff := cmp.Diff(want, got); diff != "" {
						t.Fatalf("%v, accumulate %d, member %d of %d (-alone +group)\n%s", precision, accumulate, rank, size, diff)
					}
				}
				if diff := cmp.Diff(files, filesOf(t, folder)); diff != "" {
					t.Errorf("%d members: the files differ (-alone +group)\n%.1000s", size, diff)
				}
			}
		}
	}
}

// It makes no difference where the batches come from: only a member's own rows
// are copied, unless a function of the user's sees the batch.
func TestGroupWithOtherBatches(t *testing.T) {
	for name, change := range map[string]func(c *train.Config){
		"one batch": func(c *train.Config) { c.BatchSize = 0 },
		"RNG":       func(c *train.Config) { c.RNG = rand.New(rand.NewPCG(8, 0)) },
		"loader":    func(c *train.Config) { c.Loader = &train.LoaderOptions{Seed: 3} },
		"prepare": func(c *train.Config) {
			c.Loader = &train.LoaderOptions{Seed: 3, Workers: 2, Prepare: func(rng *rand.Rand, batch train.Data) {
				for i := range batch.Inputs.Raw64() {
					batch.Inputs.Raw64()[i] += rng.NormFloat64() * batch.Targets.Raw64()[0]
				}
			}}
		},
	} {
		learn := func(member train.Group) ending {
			m := normalized()
			c := train.Config{
				Model: m, Params: m.Params(), Loss: mse, Optimizer: optim.NewAdam(0.01), Epochs: 3, BatchSize: 16,
				Group: member, Validation: plane(2, 10),
			}
			if change(&c); member == nil {
				c.Workers = 1
			}
			return endingOf(t.Context(), c, plane(1, 37))
		}
		want := learn(nil)
		for rank, got := range together(t, 3, learn) {
			if diff := cmp.Diff(want, got); diff != "" || got.Err != nil {
				t.Errorf("%s, member %d (-alone +group)\n%s", name, rank, diff)
			}
		}
	}
}

// filesOf returns the contents of a folder's files.
func filesOf(t *testing.T, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		files[e.Name()] = string(content(t, filepath.Join(folder, e.Name())))
	}
	return files
}

// A training that 4 members began goes on with 2, and ends as one that was not
// stopped. Only the first member can see the files.
func TestGroupGoesOnWithOthers(t *testing.T) {
	want := ensemble(autograd.Float64, filepath.Join(t.TempDir(), "through"))
	want.Workers = 1
	through := endingOf(t.Context(), want, vocabulary(1, 67))
	folder := filepath.Join(t.TempDir(), "stopped")
	for i, size := range []int{4, 2, 1, 8} {
		endings := together(t, size, func(member train.Group) ending {
			c := ensemble(autograd.Float64, folder)
			if c.Group = member; member.Rank() > 0 {
				c.Resume, c.Callbacks[2].(*train.Checkpoint).Folder = "nowhere", "nowhere"
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c.Callbacks = append(c.Callbacks, train.OnStep(func(tr *train.Training, s train.Step) error {
				if s.Number == 5*(i+1) && i < 3 && member.Rank() == size-1 {
					cancel() // one member is interrupted, and all end
				}
				return nil
			}))
			return endingOf(ctx, c, vocabulary(1, 67))
		})
		for rank, e := range endings {
			if i < 3 && !errors.Is(e.Err, context.Canceled) {
				t.Fatalf("member %d of %d: %v", rank, size, e.Err)
			}
			if i == 3 {
				if diff := cmp.Diff(through, e); diff != "" {
					t.Errorf("member %d (-through +stopped)\n%s", rank, diff)
				}
			}
		}
	}
	if _, err := os.Stat("nowhere"); err == nil {
		t.Error("a member other than the first has written files")
	}
}

// All members know which file they go on from, and which one was passed over.
func TestGroupKnowsTheResumption(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "folder")
	var resumed []train.Resumption
	for round := range 2 {
		resumed = together(t, 3, func(member train.Group) (r train.Resumption) {
			c := ensemble(autograd.Float64, folder)
			c.Group, c.Epochs = member, 1
			if round == 1 {
				c.Callbacks = append(c.Callbacks, train.OnBegin(func(tr *train.Training) error {
					r = tr.Resumed()
					return train.Stop
				}))
			}
			if _, err := train.Run(t.Context(), c, vocabulary(1, 67)); err != nil {
				t.Error(err)
			}
			return r
		})
		if path := newest(t, folder); round == 0 {
			if err := os.WriteFile(filepath.Join(folder, "step-000000000004.safetensors"), content(t, path)[:100], 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	var broken *checkpoint.FormatError
	if r := resumed[0]; r.Step != 3 || r.Epoch != 1 || len(r.Skipped) != 1 || !errors.As(r.Skipped[0], &broken) {
		t.Fatalf("member 0: %+v", r)
	}
	for rank, r := range resumed {
		if diff := cmp.Diff(resumed[0], r); diff != "" {
			t.Errorf("member %d\n%s", rank, diff)
		}
	}
}

// A counting member counts the exchanges that it has been through.
type counting struct {
	train.Group
	lock sync.Mutex
	more sync.Cond
	n    int
}

func count(member train.Group) *counting {
	c := &counting{Group: member}
	c.more.L = &c.lock
	return c
}

func (c *counting) Exchange(send, receive [][]byte) error {
	err := c.Group.Exchange(send, receive)
	c.lock.Lock()
	defer c.lock.Unlock()
	c.n++
	c.more.Broadcast()
	return err
}

func (c *counting) soFar() int {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.n
}

// until waits until there have been so many.
func (c *counting) until(n int) {
	c.lock.Lock()
	defer c.lock.Unlock()
	for c.n < n {
		c.more.Wait()
	}
}

// The gradients of the last layer are added up before those of the first are
// known: the derivative in between waits for it.
func TestGradientsGoWhileBackwardGoesOn(t *testing.T) {
	waited := together(t, 2, func(member train.Group) int {
		rng := rand.New(rand.NewPCG(1, 0))
		group, first, last := count(member), layers.NewDense(rng, 2, 4), layers.NewDense(rng, 4, 1)
		layers.NewSequential(first, last) // names them
		waits := 0
		c := train.Config{
			Params: append(first.Params(), last.Params()...),
			Forward: func(g *autograd.Graph, batch train.Data) autograd.Value {
				x := first.Forward(g.Constant(batch.Inputs))
				before := group.soFar()
				op := autograd.Operation{
					Name:    "wait",
					Forward: func(in []autograd.Tensor) autograd.Tensor { return in[0] },
					Rule: func(r *autograd.Rule) {
						group.until(before + 2) // a bucket takes two
						waits++
						r.Add(0, r.Grad())
					},
				}
				return last.Forward(autograd.Custom(op, x))
			},
			Loss: mse, Optimizer: optim.NewSGD(0.1), Epochs: 2, BatchSize: 8, Parts: 2, Bucket: 1, Group: group,
		}
		if _, err := train.Run(t.Context(), c, plane(1, 16)); err != nil {
			t.Error(err)
		}
		return waits
	})
	if diff := cmp.Diff([]int{4, 4}, waited); diff != "" {
		t.Error(diff)
	}
}

// lines trains a small model in a group of 3, as change says. It returns how it
// ended for each member.
func lines(t *testing.T, change func(c *train.Config, data *train.Data, rank int)) []error {
	t.Helper()
	return together(t, 3, func(member train.Group) (err error) {
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("panicked: %v", v)
			}
		}()
		l := newLinear(2, 1)
		c := train.Config{
			Model: l, Params: []*autograd.Param{l.w, l.b}, Loss: mse, Optimizer: optim.NewSGD(0.1),
			Epochs: 3, BatchSize: 8, Group: member,
		}
		data := plane(1, 20)
		change(&c, &data, member.Rank())
		_, err = train.Run(t.Context(), c, data)
		return err
	})
}

// What differs between members is an error on all of them, which says what.
func TestGroupsThatDiffer(t *testing.T) {
	for want, change := range map[string]func(c *train.Config, data *train.Data, rank int){
		`member 2 of the group: another configuration than member 0: BatchSize is "4" and not "8"`: func(c *train.Config, _ *train.Data, rank int) {
			if rank == 2 {
				c.BatchSize = 4
			}
		},
		`member 1 of the group: another configuration than member 0: Graph.Seed is "1" and not "0"`: func(c *train.Config, _ *train.Data, rank int) {
			c.Graph.Seed = uint64(rank)
		},
		`member 1 of the group: another configuration than member 0: the data is`: func(_ *train.Config, data *train.Data, rank int) {
			if rank == 1 {
				data.Targets.Raw64()[7] += 1e-9
			}
		},
		`member 2 of the group: another configuration than member 0: Params[1] is "c [1]`: func(c *train.Config, _ *train.Data, rank int) {
			if rank == 2 {
				c.Params = []*autograd.Param{c.Params[0], autograd.NewParam("c", autograd.Zeros(1))}
			}
		},
		`member 0 of the group: train: Run: Epochs is 0`: func(c *train.Config, _ *train.Data, rank int) {
			if rank == 0 {
				c.Epochs = 0
			}
		},
		`member 1 of the group: other numbers in Params, statistics or optimizer than member 0`: func(c *train.Config, _ *train.Data, rank int) {
			weights := c.Params[0]
			c.Callbacks = []train.Callback{train.OnStep(func(_ *train.Training, s train.Step) error {
				if w := weights.Writable(); rank == 1 && s.Number == 2 {
					w.Raw64()[0] = math.Nextafter(w.Raw64()[0], 9)
				}
				return nil
			})}
		},
		`member 1 of the group: another order of the rows than member 0`: func(c *train.Config, _ *train.Data, rank int) {
			c.RNG = rand.New(rand.NewPCG(uint64(rank%2), 0))
		},
		`epoch 1, training, batch 3: train: member 1 of the group: parameter w is not finite after the step`: func(c *train.Config, _ *train.Data, rank int) {
			weights, calls := c.Params[0], 0
			c.OnGradients = func(autograd.Gradients) {
				if calls++; calls == 3 && rank == 1 { // the last step of the epoch
					weights.Writable().Raw64()[0] = math.NaN()
				}
			}
		},
		`member 1 of the group: train: epoch 1, training, batch 2: autograd: Reshape`: func(c *train.Config, _ *train.Data, rank int) {
			c.Callbacks = []train.Callback{train.OnStep(func(_ *train.Training, s train.Step) error {
				if rank == 1 && s.Number == 2 {
					autograd.Ones(2).Reshape(3)
				}
				return nil
			})}
		},
		`member 1 of the group: another configuration than member 0: callback train.EMA 1 is "" and not "among the callbacks"`: func(c *train.Config, _ *train.Data, rank int) {
			if rank != 1 {
				c.Callbacks = []train.Callback{&train.EMA{Decay: 0.9}}
			}
		},
		`member 2 of the group: oh`: func(c *train.Config, _ *train.Data, rank int) {
			if rank == 2 {
				c.OnEpoch = func(train.Epoch) error { return errors.New("oh") }
			}
		},
		`member 0 of the group: before the step`: func(c *train.Config, _ *train.Data, rank int) {
			if rank == 0 {
				c.Callbacks = []train.Callback{refusing{}}
			}
		},
		`autograd: MatMul: inner dimensions differ: [1 4] × [2 1]`: func(c *train.Config, _ *train.Data, rank int) {
			if forward, calls := c.Model.Forward, 0; rank == 1 { // it has part 1, which every batch has
				c.Model = model(func(x autograd.Value) autograd.Value {
					if calls++; calls == 7 {
						x = x.Reshape(1, -1)
					}
					return forward(x)
				})
			}
		},
	} {
		for rank, err := range lines(t, change) {
			of := fmt.Sprintf("member %d of the group: ", rank) // which its own error does not have
			own := strings.Replace(strings.Replace(want, "train: "+of, "", 1), of, "", 1)
			if err == nil || !strings.Contains(err.Error(), want) && !strings.Contains(err.Error(), own) {
				t.Errorf("member %d: got %v, want %s", rank, err, want)
			}
		}
	}
}

// refusing ends a training before its first step.
type refusing struct{}

func (refusing) OnGradients(*train.Training, train.Step) error { return errors.New("before the step") }
func (refusing) OnEpoch(*train.Training, train.Epoch) error    { return nil }

// What only shows something may be on one member alone, and remembers what it
// has seen there.
func TestShowingOnOneMember(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "folder")
	var watch *train.Watch
	for round := range 2 {
		for rank, err := range lines(t, func(c *train.Config, _ *train.Data, rank int) {
			c.Resume, c.Epochs = folder, 1+round
			c.Callbacks = []train.Callback{&train.Checkpoint{Folder: folder}}
			if rank == 0 {
				watch = &train.Watch{}
				c.Callbacks = append(c.Callbacks, watch)
			}
		}) {
			if err != nil {
				t.Errorf("member %d: %v", rank, err)
			}
		}
	}
	if len(watch.Looks) != 6 {
		t.Errorf("%d looks, want one at each of 6 steps", len(watch.Looks))
	}
}

// A member that panics, or ends its goroutine, ends the others with an error,
// and so does a panic in a part. The files are those of the last step that all
// have made.
func TestMemberThatLeaves(t *testing.T) {
	for name, way := range map[string]func(c *train.Config){
		"callback": func(c *train.Config) {
			c.Callbacks = append(c.Callbacks, train.OnStep(func(_ *train.Training, s train.Step) error {
				if s.Number == 4 {
					panic("oh")
				}
				return nil
			}))
		},
		"part": func(c *train.Config) {
			forward, calls := c.Forward, 0
			c.Forward = func(g *autograd.Graph, batch train.Data) autograd.Value {
				if calls++; calls == 8 { // 2 parts in each of the first two batches, 1 in the third
					panic("oh")
				}
				return forward(g, batch)
			}
		},
	} {
		folder := filepath.Join(t.TempDir(), name)
		errs := together(t, 4, func(member train.Group) (err error) {
			defer func() {
				if v := recover(); v != nil {
					err = fmt.Errorf("panicked: %v", v)
				}
			}()
			c := ensemble(autograd.Float64, folder)
			c.Group = member
			c.Callbacks = []train.Callback{&train.Checkpoint{Folder: folder, Every: 1}}
			if member.Rank() == 1 {
				way(&c)
			}
			_, err = train.Run(t.Context(), c, vocabulary(1, 67))
			return err
		})
		for rank, err := range errs {
			var far *train.GroupError
			if rank == 1 && !strings.HasPrefix(err.Error(), "panicked: ") || rank != 1 && !errors.As(err, &far) {
				t.Errorf("%s, member %d: %v", name, rank, err)
			}
		}
		if got := newest(t, folder); filepath.Base(got) != "step-000000000003.safetensors" && filepath.Base(got) != "step-000000000004.safetensors" {
			t.Errorf("%s: the newest file is %s", name, got)
		}
		c := ensemble(autograd.Float64, folder)
		c.Workers, c.Callbacks = 1, nil
		if _, err := train.Run(t.Context(), c, vocabulary(1, 67)); err != nil {
			t.Errorf("%s: going on: %v", name, err)
		}
	}
}

// A loop of one's own adds up as one that has all rows, whichever Params and
// rows of a table each member has reached.
func TestAllReduce(t *testing.T) {
	const members = 3
	type found struct {
		W, Table, Statistic []float64
		Rows                []int
		Reached             bool
	}
	part := func(rank int, params []*autograd.Param) autograd.Gradients {
		g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32})
		y := g.Param(params[0]).Embedding(autograd.NewInts([]int{rank, 2 * rank, rank})).Sum()
		if rank == 1 {
			y = y.Mul(g.Param(params[1]).Exp().Sum())
		}
		g.Observe(params[2], y.Reshape(1), 0.5)
		return y.Backward()
	}
	make := func() []*autograd.Param {
		return []*autograd.Param{
			autograd.NewParam("table", autograd.Ones(6, 2).In(autograd.Float32)), autograd.NewParam("w", autograd.Ones(3).In(autograd.Float32)),
			autograd.NewStatistic("statistic", autograd.Zeros(1).In(autograd.Float32)), autograd.NewParam("unused", autograd.Ones(1)),
		}
	}
	look := func(params []*autograd.Param, sum autograd.Gradients) found {
		sum.Average()
		ids, _, ok := sum.Rows(params[0])
		if !ok {
			t.Error("the table is not by rows")
		}
		f := found{sum.OfParam(params[1]).Float64s(), sum.OfParam(params[0]).Float64s(), nil, ids.Values(), sum.ReachedParam(params[3])}
		sum.UpdateStatistics()
		f.Statistic = params[2].Tensor().Float64s()
		return f
	}
	params := make()
	var all autograd.Gradients
	for rank := range members {
		all.AddWeighted(part(rank, params), float64(rank+1))
	}
	want := look(params, all)
	for rank, got := range together(t, members, func(member train.Group) found {
		params := make()
		allReduce := train.NewAllReduce(member, params...)
		var sum autograd.Gradients
		for range 2 { // the second time in used memory
			sum.Clear()
			sum.AddWeighted(part(member.Rank(), params), float64(member.Rank()+1))
			if err := allReduce(&sum); err != nil {
				t.Error(err)
			}
		}
		return look(params, sum)
	}) {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("member %d (-all +reduced)\n%s", rank, diff)
		}
	}
	for rank, err := range together(t, 2, func(member train.Group) error {
		params := make()
		allReduce := train.NewAllReduce(member, params[member.Rank():]...)
		var sum autograd.Gradients
		sum.Add(part(0, params))
		return allReduce(&sum)
	}) {
		if err == nil {
			t.Errorf("member %d, with other Params than the other: no error", rank)
		}
	}
}

// A Param that is frozen between Backward and the sum has no gradient in it.
func TestAllReduceOfFrozen(t *testing.T) {
	for rank, err := range together(t, 2, func(member train.Group) error {
		w, b := autograd.NewParam("w", autograd.Ones(2)), autograd.NewParam("b", autograd.Ones(2))
		g := autograd.NewGraph(autograd.Options{})
		var sum autograd.Gradients
		sum.Add(g.Param(w).Mul(g.Param(b)).Sum().Backward())
		w.Frozen = true
		if err := train.NewAllReduce(member, w, b)(&sum); err != nil {
			return err
		}
		if diff := cmp.Diff([]float64{2, 2}, sum.OfParam(b).Float64s()); diff != "" || sum.ReachedParam(w) {
			return fmt.Errorf("the frozen one is there: %v, the other: %s", sum.ReachedParam(w), diff)
		}
		return nil
	}) {
		if err != nil {
			t.Errorf("member %d: %v", rank, err)
		}
	}
}

func TestGroupRefuses(t *testing.T) {
	l := newLinear(2, 1)
	for want, c := range map[string]train.Config{
		"a Group must know what is trained": {Group: train.NewGroup(1)[0]},
		"Bucket is -1":                      {Group: train.NewGroup(1)[0], Bucket: -1, Params: []*autograd.Param{l.w, l.b}},
		"parameter b is trained in a Group, and is neither among the configuration's Params nor its Model's": {Group: train.NewGroup(1)[0], Params: []*autograd.Param{l.w}},
		"the Group has 0 members, and this is number 0":                                                      {Group: nobody{}},
	} {
		c.Model, c.Loss, c.Epochs, c.Optimizer = l, mse, 1, optim.NewSGD(0.1)
		if _, err := train.Run(t.Context(), c, plane(1, 8)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for _, err := range together(t, 5, func(member train.Group) error {
		l := newLinear(2, 1)
		_, err := train.Run(t.Context(), train.Config{
			Model: l, Params: []*autograd.Param{l.w, l.b}, Loss: mse, Epochs: 1, Optimizer: optim.NewSGD(0.1), Group: member,
		}, plane(1, 8))
		return err
	}) {
		if err == nil || !strings.Contains(err.Error(), "Parts is 4, and the Group has 5 members") {
			t.Errorf("got %v", err)
		}
	}
	if err := autograd.Try(func() { train.NewAllReduce(nil, l.w) }); err == nil || !strings.Contains(err.Error(), "the Group is nil") {
		t.Errorf("an AllReduce of nobody: %v", err)
	}
	if err := autograd.Try(func() { train.NewGroup(0) }); err == nil {
		t.Error("a group of nobody")
	}
}

// nobody is a Group without members.
type nobody struct{}

func (nobody) Rank() int                             { return 0 }
func (nobody) Size() int                             { return 0 }
func (nobody) Exchange(send, receive [][]byte) error { return nil }

// How parts are added up does not depend on the size of the group.
func TestTree(t *testing.T) {
	for parts, want := range map[int]string{1: "0", 2: "(0+1)", 3: "((0+1)+2)", 6: "(((0+1)+(2+3))+(4+5))", 8: "(((0+1)+(2+3))+((4+5)+(6+7)))"} {
		if got := train.Added(parts, 1); got != want {
			t.Errorf("%d parts are added as %s, want %s", parts, got, want)
		}
	}
	for parts := 1; parts <= 33; parts++ {
		for size := 2; size <= parts; size++ {
			if diff := cmp.Diff(train.Added(parts, 1), train.Added(parts, size)); diff != "" {
				t.Fatalf("%d parts in a group of %d\n%s", parts, size, diff)
			}
		}
	}
}

// Of an exchange whose lengths differ both sides learn, not the sender alone.
func TestExchangeOfOtherLengths(t *testing.T) {
	for rank, err := range together(t, 2, func(member train.Group) error {
		send, receive := [][]byte{{1, 2}, {3, 4}}, [][]byte{{0, 0}, {0, 0}}
		if member.Rank() == 1 {
			receive[0] = make([]byte, 3)
		}
		return member.Exchange(send, receive)
	}) {
		if err == nil {
			t.Errorf("member %d: no error", rank)
		}
	}
}

// When an exchange has failed, what was to be sent is the caller's again: one
// that comes later does not see what the caller makes of it.
func TestMemoryAfterAFailedExchange(t *testing.T) {
	for range 100 {
		together(t, 3, func(member train.Group) error {
			switch member.Rank() {
			case 1:
				time.Sleep(time.Millisecond)
			case 2:
				member.(interface{ Leave() }).Leave()
				return nil
			}
			sent, got := []byte{1}, make([]byte, 3)
			err := member.Exchange([][]byte{sent, sent, sent}, [][]byte{got[:1], got[1:2], got[2:]})
			if err == nil || !strings.Contains(err.Error(), "member 2 left") {
				t.Errorf("member %d: %v", member.Rank(), err)
			}
			if sent[0] = 2; got[0] > 1 {
				t.Error("member 1 has what member 0 did not send")
			}
			return err
		})
	}
}

// What a panic was is known to all, also when the member that panics has gone
// before the others have heard of it.
func TestAllKnowAPanic(t *testing.T) {
	for range 20 {
		for rank, err := range lines(t, func(c *train.Config, _ *train.Data, rank int) {
			if forward := c.Model.Forward; rank == 1 {
				c.Model = model(func(x autograd.Value) autograd.Value {
					panic(fmt.Sprint("oh", forward(x).Shape()))
				})
			}
		}) {
			if err == nil || !strings.Contains(err.Error(), "oh[2 1]") {
				t.Fatalf("member %d: %v", rank, err)
			}
		}
	}
}
