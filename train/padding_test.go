package train_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
	"nabla/losses"
	"nabla/metrics"
	"nabla/optim"
	"nabla/train"
)

const ignored = -1

// sentences are rows of 1 to 9 tokens from 1 to 5, padded with 0 to 10, and a
// label for each token, padded with ignored. Beside each stands a second row of
// ids, of 1 to 6 tokens and padded to 7, and the number of the row.
func sentences(seed uint64, rows int) train.Data {
	rng := rand.New(rand.NewPCG(seed, 0))
	const steps, others = 10, 7
	ids, labels, second, numbers := make([]int, rows*steps), make([]int, rows*steps), make([]int, rows*others), make([]int, rows)
	for row := range rows {
		n := 1 + rng.IntN(9)
		for i := range steps {
			ids[row*steps+i], labels[row*steps+i] = 0, ignored
			if i < n {
				token := 1 + rng.IntN(5)
				ids[row*steps+i], labels[row*steps+i] = token, (token+i)%3
			}
		}
		for i := range 1 + rng.IntN(6) {
			second[row*others+i] = 1 + rng.IntN(5)
		}
		numbers[row] = row
	}
	return train.Data{
		Ids:    []autograd.Ints{autograd.NewInts(ids, rows, steps), autograd.NewInts(second, rows, others), autograd.NewInts(numbers)},
		Labels: autograd.NewInts(labels, rows, steps),
	}
}

// words scores classes by a table of one row for each id.
type words struct{ table *autograd.Param }

func newWords() words {
	return words{autograd.NewParam("table", autograd.Normal(rand.New(rand.NewPCG(1, 0)), 0, 1, 6, 3))}
}

func (w words) forward(g *autograd.Graph, batch train.Data) autograd.Value {
	ids := batch.Ids[0]
	return g.Param(w.table).IndexSelect(0, ids.Reshape(ids.Size())).Reshape(ids.Dim(0), ids.Dim(1), 3)
}

func tokenLoss(prediction autograd.Value, labels autograd.Ints) autograd.Value {
	return losses.CategoricalCrossEntropyLabelsWith(prediction, labels, losses.Options{Logits: true, IgnoreIndex: []int{ignored}})
}

func (w words) config() train.Config {
	return train.Config{
		Forward: w.forward, LabelLoss: tokenLoss, IgnoreLabels: []int{ignored},
		Optimizer: optim.NewSGD(0.5), Epochs: 4, BatchSize: 6,
		Metrics: []train.Metric{
			{Name: "accuracy", Func: metrics.Accuracy},
			{Name: "by batch", Func: metrics.Accuracy, ByBatch: true},
			{Name: "tokens", Func: func(p, t autograd.Tensor) float64 { return float64(p.Dim(0) + 1000*t.Dim(0)) }},
		},
	}
}

// byHand is the twin of a training of words: token by token, without padding.
// It returns the loss of each epoch, and the accuracy after the last.
func byHand(w words, data train.Data, epochs int, batches func(epoch int) [][]int) (losses []float64, accuracy float64, tokens int) {
	table := w.table.Tensor().Float64s()
	probabilities := func(id int) []float64 {
		p, sum := make([]float64, 3), 0.0
		for c := range p {
			p[c] = math.Exp(table[3*id+c])
			sum += p[c]
		}
		for c := range p {
			p[c] /= sum
		}
		return p
	}
	each := func(row int, f func(id, label int)) {
		for i := range 10 {
			if label := data.Labels.Values()[10*row+i]; label != ignored {
				f(data.Ids[0].Values()[10*row+i], label)
			}
		}
	}
	for epoch := 1; epoch <= epochs; epoch++ {
		sum := 0.0
		tokens = 0
		for _, batch := range batches(epoch) {
			gradient, n := make([]float64, len(table)), 0.0
			for _, row := range batch {
				each(row, func(id, label int) {
					p := probabilities(id)
					sum -= math.Log(p[label])
					for c := range p {
						gradient[3*id+c] += p[c]
					}
					gradient[3*id+label]--
					n++
				})
			}
			tokens += int(n)
			for i := range table {
				table[i] -= 0.5 * gradient[i] / n
			}
		}
		losses = append(losses, sum/float64(tokens))
	}
	right := 0
	for row := range data.Rows() {
		each(row, func(id, label int) {
			p := probabilities(id)
			if slices.Index(p, slices.Max(p)) == label {
				right++
			}
		})
	}
	return losses, float64(right) / float64(tokens), tokens
}

// Means are over tokens, whatever the padding, the lengths of the batches, and
// the kind of loss.
func TestTokensAgainstTwin(t *testing.T) {
	data := sentences(1, 20) // batches of 6, 6, 6 and 2 rows
	inOrder := func(int) [][]int { return slices.Collect(slices.Chunk(upTo(20), 6)) }
	near := train.Padding{Label: ignored, Near: 2}
	for name, test := range map[string]struct {
		loader  *train.LoaderOptions
		batches func(int) [][]int
		edit    func(*train.Config)
	}{
		"in order":           {nil, inOrder, nil},
		"cut":                {&train.LoaderOptions{InOrder: true, Padding: &train.Padding{Label: ignored}}, inOrder, nil},
		"near":               {&train.LoaderOptions{Seed: 5, Workers: 3, Padding: &near}, func(epoch int) [][]int { return nearBatches(data, 5, epoch, 6, 2) }, nil},
		"one-hot":            {nil, inOrder, oneHotLoss},
		"near, one-hot":      {&train.LoaderOptions{Seed: 5, Padding: &near}, func(epoch int) [][]int { return nearBatches(data, 5, epoch, 6, 2) }, oneHotLoss},
		"classes in between": {nil, inOrder, classesBetween},
	} {
		w := newWords()
		config := w.config()
		config.Loader, config.Validation = test.loader, data
		if test.edit != nil {
			test.edit(&config)
		}
		want, accuracy, tokens := byHand(w, data, config.Epochs, test.batches)
		history := run(t, config, data)
		var got []float64
		for _, epoch := range history {
			got = append(got, epoch.Train.Loss)
		}
		close := cmpopts.EquateApprox(1e-12, 0)
		if diff := cmp.Diff(want, got, close); diff != "" {
			t.Errorf("%s: losses (-by hand +Run)\n%s", name, diff)
		}
		last := history[len(history)-1]
		if diff := cmp.Diff(last.Train.Metrics, last.Validation.Metrics); diff != "" {
			t.Errorf("%s: metrics of the training and of the same as validation\n%s", name, diff)
		}
		scores := []float64{last.Train.Metric("accuracy"), last.Train.Metric("by batch"), last.Train.Metric("tokens")}
		if diff := cmp.Diff([]float64{accuracy, accuracy, float64(1001 * tokens)}, scores, close); diff != "" {
			t.Errorf("%s: accuracies and tokens (-by hand +Run)\n%s", name, diff)
		}
		report, err := train.Evaluate(t.Context(), config, data)
		if diff := cmp.Diff(*last.Validation, report); diff != "" || err != nil {
			t.Errorf("%s: Evaluate: %v\n%s", name, err, diff)
		}
	}
}

func upTo(n int) []int {
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	return numbers
}

// oneHotLoss takes a Loss in place of the LabelLoss.
func oneHotLoss(c *train.Config) {
	c.LabelLoss, c.Loss = nil, crossEntropy
}

// classesBetween has the classes along axis 1.
func classesBetween(c *train.Config) {
	forward := c.Forward
	c.Forward = func(g *autograd.Graph, batch train.Data) autograd.Value { return forward(g, batch).Transpose(1, 2) }
	c.LabelLoss = func(p autograd.Value, labels autograd.Ints) autograd.Value {
		return losses.CategoricalCrossEntropyLabelsWith(p, labels, losses.Options{Logits: true, IgnoreIndex: []int{ignored}, ClassAxis: 1})
	}
}

// sizes returns the lengths of a row's ids.
func sizes(data train.Data, row int) [2]int {
	var n [2]int
	for k, width := range []int{10, 7} {
		for i, id := range data.Ids[k].Values()[row*width : (row+1)*width] {
			if id != 0 {
				n[k] = i + 1
			}
		}
	}
	return n
}

// nearBatches is the twin of batches of near lengths: the rows of each.
func nearBatches(data train.Data, seed uint64, epoch, size, near int) [][]int {
	rng, rows := chance(seed, uint64(epoch), 0), upTo(data.Rows())
	rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	full := len(rows) / size
	var batches [][]int
	for first := 0; first < full; first += near {
		window := slices.Clone(rows[first*size : min(first+near, full)*size])
		slices.SortStableFunc(window, func(a, b int) int {
			x, y := sizes(data, a), sizes(data, b)
			return 100*(x[0]-y[0]) + x[1] - y[1]
		})
		batches = append(batches, slices.Collect(slices.Chunk(window, size))...)
	}
	rng.Shuffle(full, func(i, j int) { batches[i], batches[j] = batches[j], batches[i] })
	if rest := rows[full*size:]; len(rest) > 0 {
		batches = append(batches, rest)
	}
	return batches
}

// Each batch has the rows of the twin, cut to the longest, with their labels;
// for any number of workers.
func TestPaddingAgainstTwin(t *testing.T) {
	data := sentences(2, 47)
	for _, workers := range []int{1, 2, 7} {
		loader := train.NewLoader(data, train.LoaderOptions{BatchSize: 4, Seed: 3, Workers: workers, Padding: &train.Padding{Label: ignored, Near: 3}})
		for epoch := range 3 {
			want := nearBatches(data, 3, epoch, 4, 3)
			i := 0
			for batch, err := range loader.Epoch(t.Context(), epoch) {
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want[i], batch.Ids[2].Values()); diff != "" {
					t.Fatalf("%d workers, epoch %d, batch %d: rows (-want +got)\n%s", workers, epoch, i, diff)
				}
				var longest [2]int
				for _, row := range want[i] {
					n := sizes(data, row)
					longest[0], longest[1] = max(longest[0], n[0]), max(longest[1], n[1])
				}
				shapes := [][]int{batch.Ids[0].Shape(), batch.Ids[1].Shape(), batch.Labels.Shape()}
				rows := len(want[i])
				if diff := cmp.Diff([][]int{{rows, longest[0]}, {rows, longest[1]}, {rows, longest[0]}}, shapes); diff != "" {
					t.Fatalf("epoch %d, batch %d: shapes (-want +got)\n%s", epoch, i, diff)
				}
				for k, row := range want[i] {
					for step := range longest[0] {
						at, whole := k*longest[0]+step, row*10+step
						if batch.Ids[0].Values()[at] != data.Ids[0].Values()[whole] || batch.Labels.Values()[at] != data.Labels.Values()[whole] {
							t.Fatalf("row %d, step %d: %d, label %d", row, step, batch.Ids[0].Values()[at], batch.Labels.Values()[at])
						}
					}
					for step := range longest[1] {
						if got, want := batch.Ids[1].Values()[k*longest[1]+step], data.Ids[1].Values()[row*7+step]; got != want {
							t.Fatalf("row %d, step %d of the second: %d, want %d", row, step, got, want)
						}
					}
				}
				i++
			}
			if i != len(want) {
				t.Errorf("%d batches, want %d", i, len(want))
			}
		}
	}
}

// Rows of near lengths leave less padding than rows at random.
func TestNearSavesPadding(t *testing.T) {
	data := sentences(4, 400)
	steps := func(near int) (sum int) {
		loader := train.NewLoader(data, train.LoaderOptions{BatchSize: 10, Padding: &train.Padding{Label: ignored, Near: near}})
		for batch := range loader.Epoch(t.Context(), 1) {
			sum += batch.Ids[0].Size()
		}
		return sum
	}
	real := 0
	for row := range 400 {
		real += sizes(data, row)[0]
	}
	random, near := steps(0), steps(20)
	if near > real*11/10 || random < real*3/2 {
		t.Errorf("%d tokens: %d steps of near rows, %d of rows at random", real, near, random)
	}
}

// Tokens with several ids each are cut along the steps.
func TestPaddingOfSeveralIdsAStep(t *testing.T) {
	data := train.Data{Ids: []autograd.Ints{autograd.NewInts([]int{1, 0, 0, 5, 0, 0, 2, 2, 0, 0, 0, 0}, 2, 3, 2)}}
	for batch, err := range train.NewLoader(data, train.LoaderOptions{InOrder: true, Padding: &train.Padding{}}).Epoch(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]int{1, 0, 0, 5, 2, 2, 0, 0}, batch.Ids[0].Values()) + cmp.Diff([]int{2, 2, 2}, batch.Ids[0].Shape()); diff != "" {
			t.Error(diff)
		}
	}
}

// Prepare sees a batch that is cut, and what it makes of the labels is what
// counts: here it hides all but one token a row, and in one batch all.
func TestPrepareMasksLabels(t *testing.T) {
	data := sentences(1, 20)
	w := newWords()
	config := w.config()
	config.Metrics, config.Epochs, config.Optimizer = nil, 1, optim.NewSGD(0)
	config.Loader = &train.LoaderOptions{InOrder: true, Padding: &train.Padding{Label: ignored}, Prepare: func(_ *rand.Rand, batch train.Data) {
		labels := batch.Labels.Values()
		for i := range labels {
			if i%batch.Labels.Dim(1) != 0 || batch.Ids[2].Values()[0] == 6 {
				labels[i] = ignored
			}
		}
	}}
	history := run(t, config, data)
	table, sum := w.table.Tensor(), 0.0
	for row := range 20 {
		if row >= 6 && row < 12 {
			continue
		}
		id, label, all := data.Ids[0].Values()[10*row], data.Labels.Values()[10*row], 0.0
		for c := range 3 {
			all += math.Exp(table.At(id, c))
		}
		sum += math.Log(all) - table.At(id, label)
	}
	if got := history[0].Train.Loss; math.Abs(got-sum/14) > 1e-12 {
		t.Errorf("the loss is %v, want %v", got, sum/14)
	}
}

func TestPredictData(t *testing.T) {
	data, w := sentences(1, 20), newWords()
	config := w.config()
	config.Loader = &train.LoaderOptions{Padding: &train.Padding{Label: ignored}}
	data.Labels = autograd.Ints{}
	for _, size := range []int{0, 6} {
		config.BatchSize = size
		got, err := train.PredictData(t.Context(), config, data)
		if err != nil {
			t.Fatal(err)
		}
		g := autograd.NewGraph(autograd.Options{})
		if want := w.forward(g, data).Tensor(); !got.Equal(want) {
			t.Errorf("batches of %d: %v", size, got)
		}
	}
	x := autograd.Ones(3, 2)
	l := newLinear(2, 1)
	want, err := train.Predict(t.Context(), l, x)
	got, err2 := train.PredictData(t.Context(), train.Config{Model: l}, train.Data{Inputs: x})
	if err != nil || err2 != nil || !got.Equal(want) {
		t.Errorf("%v, %v: %v, want %v", err, err2, got, want)
	}
}

func TestIdsMisuse(t *testing.T) {
	short := autograd.NewInts(make([]int, 3), 3)
	tests := []struct {
		name string
		edit func(c *train.Config, d *train.Data)
		want string
	}{
		{"rows of the ids", func(_ *train.Config, d *train.Data) { d.Ids[2] = short }, "train: Run: the inputs and Ids[2] differ in rows: [20 10], [3]"},
		{"rows of the inputs", func(_ *train.Config, d *train.Data) { d.Inputs = autograd.Ones(3, 1) }, "train: Run: the inputs and Ids[0] differ in rows: [3 1], [20 10]"},
		{"a scalar", func(_ *train.Config, d *train.Data) { d.Ids[0] = autograd.NewInts([]int{1}, []int{}...).Reshape() }, "train: Run: the data have no rows: []"},
		{"no ids at all", func(_ *train.Config, d *train.Data) { d.Ids[1] = autograd.Ints{} }, "train: Run: the inputs and Ids[1] differ in rows: [20 10], []"},
		{"a Model", func(c *train.Config, d *train.Data) { c.Forward, c.Model = nil, newLinear(2, 1) }, "train: Run: a Model takes Inputs alone"},
		{"targets", func(_ *train.Config, d *train.Data) {
			d.Labels, d.Targets = autograd.Ints{}, autograd.Ones(20, 1)
		}, "train: Run: IgnoreLabels are about Labels, the data have Targets"},
		{"nothing counts", func(c *train.Config, _ *train.Data) { c.IgnoreLabels = []int{0, 1, 2, ignored} }, "train: Run: no label counts: all are among IgnoreLabels [0 1 2 -1]"},
		{"rows of the prediction", func(c *train.Config, _ *train.Data) {
			c.Forward = func(g *autograd.Graph, batch train.Data) autograd.Value { return g.Full(1, 2, 3) }
		}, "train: epoch 1, training, batch 1: train: Forward: the prediction and the inputs differ in rows: [2 3], [6 10]"},
		{"labels beside the prediction", func(c *train.Config, _ *train.Data) {
			c.LabelLoss, c.Loss = nil, crossEntropy
			c.Forward = func(g *autograd.Graph, batch train.Data) autograd.Value { return g.Full(1, 6, 3) }
		}, "train: epoch 1, training, batch 1: train: IgnoreLabels: the labels are not one for each row of predictions: [6 3], [6 10]"},
		{"a metric by batch", func(c *train.Config, _ *train.Data) {
			c.Metrics = []train.Metric{{Name: "own", ByBatch: true, Func: func(p, _ autograd.Tensor) float64 { return p.Reshape(7).Item() }}}
		}, "train: epoch 1, training metrics, batch 1: metric own: autograd: Reshape"},
		{"lengths 0", func(c *train.Config, d *train.Data) {
			c.Loader = &train.LoaderOptions{Padding: &train.Padding{}}
			clear(d.Ids[1].Values()[7:14])
		}, "train: Run, Loader: row 1 of Ids[1] has the length 0: it is all padding"},
		{"no steps", func(c *train.Config, d *train.Data) {
			c.Loader = &train.LoaderOptions{Padding: &train.Padding{}}
			d.Ids = d.Ids[2:]
		}, "train: Run, Loader: Padding cuts Ids [rows, steps, …], and the data have none"},
		{"near", func(c *train.Config, _ *train.Data) {
			c.Loader = &train.LoaderOptions{Padding: &train.Padding{Near: -1}}
		}, "train: Run, Loader: Padding.Near is -1"},
		{"near in order", func(c *train.Config, _ *train.Data) {
			c.Loader = &train.LoaderOptions{InOrder: true, Padding: &train.Padding{Near: 2}}
		}, "train: Run, Loader: InOrder keeps the rows in order, and Padding.Near is 2"},
	}
	for _, test := range tests {
		config, data := newWords().config(), sentences(1, 20)
		test.edit(&config, &data)
		_, err := train.Run(t.Context(), config, data)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) || !strings.Contains(err.Error(), "padding_test.go:") {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
	}
	config := newWords().config()
	_, err := train.PredictData(t.Context(), train.Config{Model: newLinear(2, 1)}, sentences(1, 20))
	var mistake *autograd.ArgumentError
	if !errors.As(err, &mistake) {
		t.Errorf("PredictData: %v", err)
	}
	if _, err = train.PredictData(t.Context(), config, train.Data{}); !errors.As(err, &mistake) {
		t.Errorf("PredictData of nothing: %v", err)
	}
}

// Steps of many shapes use the same memory: what an epoch allocates does not
// grow with the steps, and no epoch adds to what is kept.
func TestPaddingAllocations(t *testing.T) {
	train1 := func(rows, epochs int) (mallocs, live float64) {
		w := newWords()
		config := w.config()
		config.Metrics, config.Epochs = nil, epochs
		config.Loader = &train.LoaderOptions{Seed: 1, Workers: 2, Padding: &train.Padding{Label: ignored, Near: 4}}
		data := sentences(1, rows)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		config.OnEpoch = func(e train.Epoch) error {
			if e.Number == epochs {
				runtime.GC()
				runtime.ReadMemStats(&after)
			}
			return nil
		}
		run(t, config, data)
		return float64(after.Mallocs - before.Mallocs), float64(after.HeapAlloc) - float64(before.HeapAlloc)
	}
	train1(240, 5)
	few, liveFew := train1(240, 10) // 40 steps an epoch
	many, liveMany := train1(240, 60)
	// The model itself reshapes the ids, which allocates twice a step.
	if perEpoch := (many - few) / 50; perEpoch > 40*2+60 {
		t.Errorf("%v allocations per epoch", perEpoch)
	}
	if liveMany > liveFew+64<<10 {
		t.Errorf("%v bytes after 10 epochs, %v after 60", liveFew, liveMany)
	}
}
