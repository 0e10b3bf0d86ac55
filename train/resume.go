package train

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc64"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"nabla/autograd"
	"nabla/checkpoint"
	"nabla/optim"
)

// A Keeper is a [Callback], or a Schedule, with a memory that a [Checkpoint]
// keeps and a resumed training gets back, before OnBegin.
type Keeper interface {
	State() ([]byte, error)
	SetState(state []byte) error
}

// A Resumption says where a training goes on from; all members of a [Group]
// from the file that member 0 has read.
type Resumption struct {
	Path        string // of the file; "" if the training began anew
	Epoch, Step int    // how many are complete

	// Skipped says why newer files were passed over, the newest first: each is
	// a *[checkpoint.FormatError], as of a file that was cut short. The steps
	// after the file at Path are made again.
	Skipped []error
}

// A mark is where a training is: after a step, or between two epochs.
type mark struct {
	epoch  int // how many are complete
	batch  int // how many batches of the next one have been learnt from
	steps  int
	loss   float64 // the sum of the epoch under way
	weight int
	random autograd.RandomState
	order  uint64 // a sum of the rows' order so far, if an RNG shuffles them
}

// mark notes where the training is. What comes after, such as a step that fails
// half-way, does not count.
func (c *cycle) mark(epoch, batch int) {
	c.at = mark{epoch, batch, c.steps, c.lossSum, c.weight, c.graph.RandomState(), c.order()}
}

// step returns what is known of the last step before a mark, with the mean loss
// of its epoch so far.
func (m *mark) step(t *Training) Step {
	s := Step{Number: m.steps, Epoch: m.epoch + 1, Batch: m.batch}
	if m.batch == 0 && m.epoch > 0 {
		s.Epoch, s.Batch = m.epoch, t.Batches()
		s.Loss = t.cycle.history[m.epoch-1].Train.Loss
	} else if m.weight > 0 {
		s.Loss = m.loss / float64(m.weight)
	}
	return s
}

func (c *cycle) order() uint64 {
	if c.batches == nil {
		return 0
	}
	return c.batches.order
}

// kept is what a file has of a training beside what checkpoint.Training keeps
// by itself. Numbers that may be NaN or must be exact are texts.
type kept struct {
	Steps    int
	Loss     string
	Weight   int
	Order    uint64
	Origin   string
	History  []keptEpoch
	Settings map[string]string
}

type keptEpoch struct {
	Number     int
	Train      keptReport
	Validation *keptReport `json:",omitempty"`
}

type keptReport struct {
	Loss    string
	Metrics []keptScore `json:",omitempty"`
}

type keptScore struct{ Name, Value string }

func hex(v float64) string { return strconv.FormatFloat(v, 'x', -1, 64) }

func keepReport(r Report) keptReport {
	k := keptReport{Loss: hex(r.Loss)}
	for _, s := range r.Metrics {
		k.Metrics = append(k.Metrics, keptScore{s.Name, hex(s.Value)})
	}
	return k
}

func (k keptReport) report() (r Report, err error) {
	if r.Loss, err = strconv.ParseFloat(k.Loss, 64); err != nil {
		return r, err
	}
	for _, s := range k.Metrics {
		v, err := strconv.ParseFloat(s.Value, 64)
		if err != nil {
			return r, err
		}
		r.Metrics = append(r.Metrics, Score{s.Name, v})
	}
	return r, nil
}

func keepHistory(h History) []keptEpoch {
	all := make([]keptEpoch, len(h))
	for i, e := range h {
		all[i] = keptEpoch{Number: e.Number, Train: keepReport(e.Train)}
		if e.Validation != nil {
			v := keepReport(*e.Validation)
			all[i].Validation = &v
		}
	}
	return all
}

func readHistory(all []keptEpoch) (History, error) {
	var h History
	for _, k := range all {
		e := Epoch{Number: k.Number}
		var err error
		if e.Train, err = k.Train.report(); err != nil {
			return nil, err
		}
		if k.Validation != nil {
			v, err := k.Validation.report()
			if err != nil {
				return nil, err
			}
			e.Validation = &v
		}
		h = append(h, e)
	}
	return h, nil
}

// settings are what must be the same for a training to go on as it was: how the
// rows are cut into steps, and what the random numbers follow from.
func (c *cycle) settings() map[string]string {
	all := map[string]string{
		"Graph.Precision": c.Graph.Precision.String(),
		"Graph.Seed":      fmt.Sprint(c.Graph.Seed),
		"batches":         fmt.Sprint(c.batchesOfEpoch()),
		"Accumulate":      fmt.Sprint(max(c.Accumulate, 1)),
		"rows":            fmt.Sprint(c.rows),
		"parts":           "0",
	}
	if c.crew != nil {
		all["parts"] = fmt.Sprint(c.crew.count)
	}
	if c.loader != nil {
		o := c.loader.options
		all["Loader"] = fmt.Sprintf("seed %d, batches of %d, in order %v, drop last %v", o.Seed, o.BatchSize, o.InOrder, o.DropLast)
		if o.Padding != nil {
			all["Loader.Padding"] = fmt.Sprintf("%+v", *o.Padding)
		}
	} else {
		all["BatchSize"] = fmt.Sprint(c.batches.size)
		all["RNG"] = fmt.Sprint(c.RNG != nil)
	}
	return all
}

// beginning returns a checksum of what a training begins with: settings,
// optimizer and Params. Trainings with the same are the same, or differ in
// their data alone.
func (c *cycle) beginning() string {
	h := crc64.New(polynomial)
	settings := c.settings()
	for _, name := range sortedKeys(settings) {
		fmt.Fprintf(h, "%s %s\n", name, settings[name])
	}
	if state, err := optim.StateOf(c.Optimizer, c.params()...); err == nil {
		fmt.Fprintf(h, "%s %v\n", state.Type, state.Settings) // maps are printed in order
	}
	var number [8]byte
	for _, p := range c.params() {
		fmt.Fprintf(h, "%s %v\n", p.Name(), p.Shape())
		for _, v := range p.Tensor().Float64s() {
			binary.LittleEndian.PutUint64(number[:], math.Float64bits(v))
			h.Write(number[:])
		}
	}
	return strconv.FormatUint(h.Sum64(), 16)
}

const (
	trainingKey = "train"     // of what kept says
	scheduleKey = "schedule"  // of the schedule's state
	callbackKey = "callback " // and its type
)

// keepers are what has a state, by what it is called in a file: the type, and
// which one of that type it is.
func (c *cycle) keepers() map[string]Keeper {
	all := map[string]Keeper{}
	if k, ok := c.Schedule.(Keeper); ok {
		all[scheduleKey] = k
	}
	count := map[string]int{}
	for _, callback := range c.Callbacks {
		name := strings.TrimPrefix(fmt.Sprintf("%T", callback), "*")
		count[name]++
		if k, ok := callback.(Keeper); ok {
			all[fmt.Sprintf("%s%s %d", callbackKey, name, count[name])] = k
		}
	}
	return all
}

// save writes the training as it is at its mark.
func (c *cycle) save(path string) error {
	t := checkpoint.Training{
		Model: checkpoint.Params(c.params()), Optimizer: c.Optimizer,
		Epoch: c.at.epoch, Batch: c.at.batch, Random: c.at.random, State: map[string][]byte{},
	}
	text, err := json.Marshal(kept{c.at.steps, hex(c.at.loss), c.at.weight, c.at.order, c.origin, keepHistory(c.history), c.settings()})
	if err != nil {
		return err
	}
	t.State[trainingKey] = text
	for name, k := range c.keepers() {
		if t.State[name], err = k.State(); err != nil {
			return fmt.Errorf("train: what %s keeps: %w", name, err)
		}
	}
	return t.Save(path)
}

// resume goes on from the newest whole checkpoint in the folder, if there is
// one. In a group the first member reads it, and tells the others.
func (c *cycle) resume(ctx context.Context) error {
	if c.Resume == "" {
		return nil
	}
	if c.members.alone() {
		_, err := c.loadNewest(ctx)
		return err
	}
	var text []byte
	var err error
	if c.members.rank == 0 {
		text, err = c.loadNewest(ctx)
	}
	if err = c.members.agree(err); err != nil {
		return err
	}
	if text, err = c.members.broadcast(text); err == nil && c.members.rank > 0 && len(text) > 0 {
		err = c.loadBytes(ctx, text)
	}
	if err = c.members.agree(err); err != nil {
		return err
	}
	return c.tellResumption()
}

// tellResumption makes the Resumption of member 0 that of all.
func (c *cycle) tellResumption() error {
	own := struct {
		Path        string
		Epoch, Step int
		Skipped     []*checkpoint.FormatError
	}{c.from.Path, c.from.Epoch, c.from.Step, nil}
	for _, err := range c.from.Skipped {
		var broken *checkpoint.FormatError
		errors.As(err, &broken) // nothing else is skipped
		own.Skipped = append(own.Skipped, broken)
	}
	text, err := json.Marshal(own)
	if err != nil {
		return err
	}
	if text, err = c.members.broadcast(text); err != nil || c.members.rank == 0 {
		return err
	}
	if err := json.Unmarshal(text, &own); err != nil {
		return c.members.check(err)
	}
	c.from = Resumption{Path: own.Path, Epoch: own.Epoch, Step: own.Step}
	for _, broken := range own.Skipped {
		c.from.Skipped = append(c.from.Skipped, broken)
	}
	return nil
}

// loadNewest goes on from the newest whole file, and returns what is in it.
func (c *cycle) loadNewest(ctx context.Context) (text []byte, err error) {
	paths, err := stepFiles(c.Resume)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(paths) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("train: Resume: %w", err)
	}
	for _, path := range slices.Backward(paths) {
		err := c.load(ctx, path)
		var broken *checkpoint.FormatError
		switch {
		case err == nil:
			c.from.Path, c.from.Epoch, c.from.Step = path, c.at.epoch, c.at.steps
			if c.members.alone() {
				return nil, nil
			}
			return os.ReadFile(path)
		case !errors.As(err, &broken) || broken.Later:
			return nil, err
		}
		c.from.Skipped = append(c.from.Skipped, err)
	}
	return nil, errors.Join(c.from.Skipped...)
}

// loadBytes goes on from the content of a file of the first member.
func (c *cycle) loadBytes(ctx context.Context, text []byte) error {
	f, err := os.CreateTemp("", "nabla-*"+suffix)
	if err != nil {
		return fmt.Errorf("train: Resume: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("train: Resume: %w", err)
	}
	return c.load(ctx, f.Name())
}

// load goes on from a file.
func (c *cycle) load(ctx context.Context, path string) error {
	t := checkpoint.Training{Model: checkpoint.Params(c.params()), Optimizer: c.Optimizer}
	if err := t.Load(path); err != nil {
		return err
	}
	var k kept
	if err := json.Unmarshal(t.State[trainingKey], &k); err != nil {
		return &checkpoint.FormatError{Path: path, Reason: "it keeps no training of train.Run"}
	}
	own := c.settings()
	for _, name := range sortedKeys(own, k.Settings) {
		if own[name] != k.Settings[name] {
			return fmt.Errorf("train: Resume: %s was made with another configuration: %s is %q there and %q here", path, name, k.Settings[name], own[name])
		}
	}
	history, err := readHistory(k.History)
	if err != nil {
		return &checkpoint.FormatError{Path: path, Reason: err.Error()}
	}
	loss, err := strconv.ParseFloat(k.Loss, 64)
	if err != nil {
		return &checkpoint.FormatError{Path: path, Reason: err.Error()}
	}
	for name, keeper := range c.keepers() {
		if state, ok := t.State[name]; ok {
			if err := keeper.SetState(state); err != nil {
				return fmt.Errorf("train: Resume: %s: %s: %w", path, name, err)
			}
		}
	}
	c.history, c.steps, c.resumed, c.origin = history, k.Steps, true, k.Origin
	c.at = mark{t.Epoch, t.Batch, k.Steps, loss, k.Weight, t.Random, k.Order}
	c.graph.SetRandomState(t.Random)
	return c.redraw(ctx, path)
}

// redraw shuffles the rows as often as the training did before it stopped, as
// an RNG has to, and checks that it is the same RNG.
func (c *cycle) redraw(ctx context.Context, path string) error {
	if c.batches == nil {
		return nil
	}
	for range c.at.epoch {
		if err := c.batches.skip(ctx); err != nil {
			return err
		}
	}
	if c.at.batch == 0 {
		return c.checkOrder(path, c.at.order)
	}
	order := c.at.order // the epoch under way is gone through by its training
	c.batches.check = func() error {
		c.batches.check = nil
		return c.checkOrder(path, order)
	}
	return nil
}

// checkOrder returns an error if the rows have come in another order than they
// did before the training stopped.
func (c *cycle) checkOrder(path string, order uint64) error {
	if c.batches.order != order {
		return fmt.Errorf("train: Resume: %s: RNG does not shuffle the rows as it did: build it anew, and draw the same numbers before Run; a Loader needs its seed alone", path)
	}
	return nil
}

func sortedKeys(maps ...map[string]string) []string {
	var keys []string
	for _, m := range maps {
		for key := range m {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

const (
	stepPrefix = "step-"
	suffix     = ".safetensors"
	bestName   = "best" + suffix
)

// stepName returns the name of the file after that many steps. Names sort as
// numbers do.
func stepName(steps int) string { return fmt.Sprintf("%s%012d%s", stepPrefix, steps, suffix) }

// stepOf returns the number of steps of a file, −1 for another file.
func stepOf(path string) int {
	digits, ok := strings.CutPrefix(filepath.Base(path), stepPrefix)
	digits, whole := strings.CutSuffix(digits, suffix)
	n, err := strconv.Atoi(digits)
	if !ok || !whole || err != nil || filepath.Base(path) != stepName(n) {
		return -1
	}
	return n
}

// stepFiles returns the checkpoints in a folder, the newest last.
func stepFiles(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, e := range entries { // in the order of their names
		if path := filepath.Join(folder, e.Name()); stepOf(path) >= 0 {
			paths = append(paths, path)
		}
	}
	return paths, nil
}
