package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"nabla/autograd"
	"nabla/checkpoint"
)

// A Checkpoint is a [Callback] that keeps the training in files, from which it
// goes on with the same bits if it is stopped: [Config].Resume is the folder.
//
//	config.Resume = "keep"
//	config.Callbacks = []train.Callback{&train.Checkpoint{Folder: "keep", Every: 100, Keep: 3}}
//
// A file has all that a step reads: the Params and statistics, the optimizer's
// state, the random stream, the place in the epoch, the history, and what
// Callbacks and a Schedule remember, if they are a [Keeper]. It is named after
// the steps made, step-000000000100.safetensors, and package checkpoint loads
// it as a model. It is written beside the older ones, synced and renamed, so
// that the newest is whole whenever the program ends.
//
// Files are written as often as the fields say, and once more when the training
// ends: after all epochs, by Stop, by an error of a Callback or because the
// context is done, but not if a step failed. A Checkpoint acts after all other
// Callbacks, wherever it stands among them.
//
// A folder with files of another training is an error before the first step:
// they would be confused and, as they grow older, removed. A training is
// another one if it began with other numbers, settings or optimizer.
//
// In a [Group] every member has the Checkpoint, and member 0 alone writes, once
// all have compared their numbers.
type Checkpoint struct {
	Folder      string // is made if it is not there
	Every       int    // steps between two files; 0: none within an epoch
	EveryEpochs int    // epochs between two files; 0: 1, or none if Every is given
	Keep        int    // how many of the newest files stay; 0: 2

	// KeepBest keeps the file of the epoch with the lowest loss, of the
	// validation if there is one, as best.safetensors. Its Params are those
	// that were measured: beside an [EMA], if there is a validation or a Score
	// of metrics, the averages. It is a model to use, and no place to go on
	// from.
	KeepBest bool

	// Score takes the place of that loss: lower is better.
	Score func(epoch Epoch) float64

	saved int // steps of the newest file, −1 if there is none
	epoch int // epochs of it
	best  float64
	known bool // whether best means anything
}

// OnBegin makes the folder and looks into it. It removes what a program that
// was killed has left half-written.
func (k *Checkpoint) OnBegin(t *Training) error {
	const op = "train: Checkpoint"
	switch {
	case k.Folder == "":
		return autograd.NewArgumentError(op, "there is no Folder")
	case k.Every < 0 || k.EveryEpochs < 0 || k.Keep < 0:
		return autograd.NewArgumentError(op, "Every is %d, EveryEpochs %d and Keep %d, want numbers from 0 on", k.Every, k.EveryEpochs, k.Keep)
	case len(t.Params()) == 0:
		return autograd.NewArgumentError(op, "the configuration does not say what is trained: neither Params nor a Model that has them")
	}
	k.saved, k.epoch = -1, 0
	if t.cycle.resumed {
		k.saved, k.epoch = t.cycle.at.steps, t.cycle.at.epoch
	} else {
		k.known = false
	}
	if t.cycle.members.rank > 0 {
		return nil
	}
	if err := os.MkdirAll(k.Folder, 0o777); err != nil {
		return fmt.Errorf("train: Checkpoint: %w", err)
	}
	if err := k.checkOwn(t); err != nil {
		return err
	}
	return k.sweep()
}

// checkOwn returns an error if the folder has files of another training.
func (k *Checkpoint) checkOwn(t *Training) error {
	paths, err := stepFiles(k.Folder)
	if err != nil {
		return fmt.Errorf("train: Checkpoint: %w", err)
	}
	if best := filepath.Join(k.Folder, bestName); k.KeepBest && exists(best) {
		paths = append(paths, best)
	}
	for _, path := range paths {
		if !t.cycle.resumed || isOfAnother(path, t.cycle.origin) {
			return fmt.Errorf("train: Checkpoint: %s has checkpoints of another training: set Config.Resume to go on from them, or take another folder", k.Folder)
		}
	}
	return nil
}

// exists reports whether there is a file, or something that cannot be looked
// at.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// isOfAnother reports whether a file is of a training with another origin. A
// broken file is nobody's.
func isOfAnother(path, origin string) bool {
	f, err := checkpoint.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var k kept
	state, err := f.State(trainingKey)
	return err == nil && json.Unmarshal(state, &k) == nil && k.Origin != origin
}

// folder is where the files are.
func (k *Checkpoint) folder() string { return filepath.Clean(k.Folder) }

// when says when files are written.
func (k *Checkpoint) when() string {
	return fmt.Sprintf("every %d steps, every %d epochs, the best %v", k.Every, k.EveryEpochs, k.KeepBest)
}

// sweep removes files that were never renamed.
func (k *Checkpoint) sweep() error {
	for _, prefix := range []string{stepPrefix, "best"} {
		left, err := filepath.Glob(filepath.Join(escape(k.Folder), "."+prefix+"*"+suffix+".*"))
		if err != nil {
			return err
		}
		for _, path := range left {
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("train: Checkpoint: %w", err)
			}
		}
	}
	return nil
}

// escape returns a pattern that matches a path alone.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// OnEpoch does nothing: files are written when all Callbacks have been called.
func (k *Checkpoint) OnEpoch(*Training, Epoch) error { return nil }

// keepStep is called after a step, after all other callbacks.
func (k *Checkpoint) keepStep(t *Training, s Step) error {
	if err := t.checkAllKept(s); err != nil {
		return err
	}
	if k.Every > 0 && t.Steps()%k.Every == 0 {
		return k.save(t)
	}
	return nil
}

// keepEpoch is called after an epoch, after all other callbacks.
func (k *Checkpoint) keepEpoch(t *Training, epoch Epoch) error {
	score := epoch.watched().Loss
	if k.Score != nil {
		score = k.Score(epoch)
	}
	better := k.KeepBest && !math.IsNaN(score) && (!k.known || score < k.best)
	if better {
		k.best, k.known = score, true
	}
	every := k.EveryEpochs
	if every == 0 && k.Every == 0 {
		every = 1
	}
	due := every > 0 && epoch.Number%every == 0 || k.Every > 0 && t.Steps()%k.Every == 0
	if better {
		var err error
		t.asMeasured(k.Score != nil, func() { err = k.write(t, bestName) })
		if err != nil {
			return err
		}
	}
	if due {
		return k.save(t)
	}
	return nil
}

// keepEnd is called when the training has ended, before all other callbacks.
func (k *Checkpoint) keepEnd(t *Training, err error) error {
	at := t.cycle.at
	m := t.cycle.members
	if isFailedStep(err) || m.broken != nil || m.apart || k.saved == at.steps && k.epoch == at.epoch || at.steps == 0 {
		return nil
	}
	return k.save(t)
}

// save writes a file, and removes the oldest.
func (k *Checkpoint) save(t *Training) error {
	at := t.cycle.at
	if err := k.write(t, stepName(at.steps)); err != nil {
		return err
	}
	k.saved, k.epoch = at.steps, at.epoch
	return k.prune(t, at.steps)
}

// write writes a file of that name, on the first member of a group, if all have
// the same numbers.
func (k *Checkpoint) write(t *Training, name string) error {
	c := t.cycle
	err := c.same()
	if err == nil && c.members.rank == 0 {
		err = c.save(filepath.Join(k.Folder, name))
	}
	return c.members.agree(err)
}

// prune removes all but the newest files up to a step. Later ones can only be
// broken, or Resume would have begun with them.
func (k *Checkpoint) prune(t *Training, steps int) error {
	if t.cycle.members.rank > 0 {
		return nil
	}
	paths, err := stepFiles(k.Folder)
	if err != nil {
		return fmt.Errorf("train: Checkpoint: %w", err)
	}
	stay := k.Keep
	if stay == 0 {
		stay = 2
	}
	for i := len(paths) - 1; i >= 0; i-- {
		if stepOf(paths[i]) > steps {
			continue
		}
		if stay--; stay < 0 {
			if err := os.Remove(paths[i]); err != nil {
				return fmt.Errorf("train: Checkpoint: %w", err)
			}
		}
	}
	return nil
}

// State returns the lowest loss so far.
func (k *Checkpoint) State() ([]byte, error) {
	if !k.known {
		return nil, nil
	}
	return []byte(hex(k.best)), nil
}

// SetState takes the lowest loss over.
func (k *Checkpoint) SetState(state []byte) (err error) {
	if k.known = len(state) > 0; k.known {
		k.best, err = strconv.ParseFloat(string(state), 64)
	}
	return err
}

// checkAllKept returns an error if a step changes what is not among the Params
// that are kept.
func (t *Training) checkAllKept(s Step) error {
	known := t.cycle.kept
	if known == nil {
		known = map[*autograd.Param]bool{}
		for _, p := range t.Params() {
			known[p] = true
		}
		t.cycle.kept = known
	}
	for p := range s.Gradients.Stored() {
		if !known[p] {
			return fmt.Errorf("train: Checkpoint: parameter %s is trained, and is neither among the configuration's Params nor its Model's", p.Name())
		}
	}
	for p := range s.Gradients.Observations() {
		if !known[p] {
			return fmt.Errorf("train: Checkpoint: statistic %s is observed, and is neither among the configuration's Params nor its Model's", p.Name())
		}
	}
	return nil
}
