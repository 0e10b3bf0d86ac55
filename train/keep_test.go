package train_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/checkpoint"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
	"nabla/train"
)

// keepInto trains for some epochs from a start of the model, and keeps the
// training in folders; the first of them is resumed from.
func keepInto(start float64, epochs int, folders ...string) error {
	m := newLinear(2, 1)
	m.b.Set(autograd.Full(start, m.b.Shape()...))
	config := train.Config{
		Model: m, Params: []*autograd.Param{m.w, m.b}, Loss: mse, Optimizer: optim.NewAdam(0.01), Epochs: epochs, Resume: folders[0],
	}
	for _, folder := range folders {
		config.Callbacks = append(config.Callbacks, &train.Checkpoint{Folder: folder, Keep: 2, KeepBest: true})
	}
	_, err := train.Run(context.Background(), config, plane(1, 10))
	return err
}

// Files of another training are never removed or replaced, though the training
// was resumed: one from another start is another one. Its own may lie in a
// second folder, too.
func TestCheckpointLeavesOthersAlone(t *testing.T) {
	own, archive, other := t.TempDir(), t.TempDir(), t.TempDir()
	for _, err := range []error{keepInto(0, 3, own, archive), keepInto(0, 5, own, archive), keepInto(7, 3, other)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	before := visible(t, other)
	best := content(t, filepath.Join(other, "best.safetensors"))
	if err := keepInto(0, 9, own, other); err == nil || !strings.Contains(err.Error(), "another training") {
		t.Errorf("got %v", err)
	}
	if after := visible(t, other); strings.Join(after, " ") != strings.Join(before, " ") {
		t.Errorf("the other training had %v, now %v", before, after)
	}
	if !bytes.Equal(best, content(t, filepath.Join(other, "best.safetensors"))) {
		t.Error("the other training's best file was replaced")
	}
	if err := os.Remove(newest(t, other)); err != nil {
		t.Fatal(err)
	}
	if err := keepInto(0, 9, t.TempDir(), other); err == nil {
		t.Error("a new training took a folder with files")
	}
}

func TestCheckpointsOfOneFolder(t *testing.T) {
	folder := t.TempDir()
	var argument *autograd.ArgumentError
	if err := keepInto(0, 1, folder, folder+"/."); !errors.As(err, &argument) {
		t.Errorf("got %v", err)
	}
}

// wrapped is a callback of the user's around a Checkpoint.
type wrapped struct{ *train.Checkpoint }

func TestCheckpointInAStruct(t *testing.T) {
	folder, m := t.TempDir(), newLinear(2, 1)
	run(t, train.Config{
		Model: m, Params: []*autograd.Param{m.w, m.b}, Loss: mse, Optimizer: optim.NewAdam(0.01), Epochs: 2,
		Callbacks: []train.Callback{wrapped{&train.Checkpoint{Folder: folder}}},
	}, plane(1, 10))
	if len(visible(t, folder)) == 0 {
		t.Error("nothing was kept")
	}
}

// Restore cannot put back what the checkpoint does not have.
func TestRestoreAfterAResume(t *testing.T) {
	folder := t.TempDir()
	try := func(restore bool, epochs int) error {
		m := newLinear(2, 1)
		_, err := train.Run(context.Background(), train.Config{
			Model: m, Params: []*autograd.Param{m.w, m.b}, Loss: mse, Optimizer: optim.NewAdam(0.01), Epochs: epochs, Resume: folder,
			Callbacks: []train.Callback{&train.EarlyStopping{Patience: 9, Restore: restore}, &train.Checkpoint{Folder: folder}},
		}, plane(1, 10))
		return err
	}
	if err := try(false, 3); err != nil {
		t.Fatal(err)
	}
	if err := try(true, 5); err == nil || !strings.Contains(err.Error(), "made without Restore") {
		t.Errorf("got %v", err)
	}
}

// A file of a later Nabla ends the training, and an older one is not taken in
// its place.
func TestResumeFromALaterFormat(t *testing.T) {
	folder := t.TempDir()
	if err := keepInto(0, 3, folder); err != nil {
		t.Fatal(err)
	}
	path := newest(t, folder)
	later := bytes.Replace(content(t, path), []byte(`"nabla.format":"1"`), []byte(`"nabla.format":"2"`), 1)
	if err := os.WriteFile(path, later, 0o600); err != nil {
		t.Fatal(err)
	}
	var format *checkpoint.FormatError
	if err := keepInto(0, 5, folder); !errors.As(err, &format) || !format.Later {
		t.Errorf("got %v", err)
	}
}

// A parameter that is trained later on must be among those that are kept too.
func TestCheckpointOfAThawedParam(t *testing.T) {
	m := newLinear(2, 1)
	m.b.Frozen = true
	steps := 0
	_, err := train.Run(context.Background(), train.Config{
		Model: m, Params: []*autograd.Param{m.w}, Loss: mse, Optimizer: optim.NewSGD(0.01), Epochs: 5,
		Callbacks: []train.Callback{
			&train.Checkpoint{Folder: t.TempDir()},
			train.OnStep(func(*train.Training, train.Step) error { steps++; m.b.Frozen = steps < 2; return nil }),
		},
	}, plane(1, 10))
	if err == nil || !strings.Contains(err.Error(), "neither among") || steps != 3 {
		t.Errorf("got %v after %d steps", err, steps)
	}
}

// A step that a callback kept from being made is looked at once, when it is
// made after all.
func TestWatchAfterAResume(t *testing.T) {
	folder := t.TempDir()
	var watch *train.Watch
	for _, stop := range []bool{true, false} {
		m := newLinear(2, 1)
		watch = &train.Watch{}
		callbacks := []train.Callback{watch, &train.Checkpoint{Folder: folder}}
		if stop {
			callbacks = append(callbacks, stopsAt(2))
		}
		run(t, train.Config{
			Model: m, Params: []*autograd.Param{m.w, m.b}, Loss: losses.MSE, Optimizer: optim.NewSGD(0.01), Epochs: 2, BatchSize: 4,
			Resume: folder, Callbacks: callbacks,
		}, plane(1, 8))
	}
	for i, look := range watch.Looks {
		if look.Step != i+1 {
			t.Errorf("look %d is of step %d", i, look.Step)
		}
	}
	if len(watch.Looks) != 4 {
		t.Errorf("%d looks", len(watch.Looks))
	}
}

// stopsAt ends a training before that step is made.
type stopsAt int

func (n stopsAt) OnEpoch(*train.Training, train.Epoch) error { return nil }

func (n stopsAt) OnGradients(_ *train.Training, s train.Step) error {
	if s.Number == int(n) {
		return train.Stop
	}
	return nil
}

// A resumed training whose epoch has only its measurements to come is where it
// was.
func TestProgressAfterAResume(t *testing.T) {
	folder := t.TempDir()
	var out strings.Builder
	for _, stop := range []bool{true, false} {
		m := newLinear(2, 1)
		ctx, cancel := context.WithCancel(t.Context())
		progress := train.NewProgress(&out)
		out.Reset()
		callbacks := []train.Callback{progress, &train.Checkpoint{Folder: folder, Every: 1}}
		if stop {
			callbacks = append(callbacks, train.OnStep(func(_ *train.Training, s train.Step) error {
				if s.Number == 2 {
					cancel()
				}
				return nil
			}))
		}
		train.Run(ctx, train.Config{
			Model: m, Params: []*autograd.Param{m.w, m.b}, Loss: mse, Optimizer: optim.NewSGD(0.01), Epochs: 1, BatchSize: 4,
			Resume: folder, Callbacks: callbacks, Validation: plane(2, 4),
		}, plane(1, 8))
		cancel()
	}
	if !strings.Contains(out.String(), "epoch 1/1  100%") || strings.Contains(out.String(), "loss 0 ") {
		t.Errorf("%q", out.String())
	}
}

// What is kept and restored beside an EMA is what was measured, also when the
// training was stopped and resumed, and with callbacks in any order; the EMA
// then has it too. Without a validation that is what the training left.
func TestBestBesideAnEMA(t *testing.T) {
	type result struct{ restored, swapped, kept []float64 }
	const epochs = 12
	learn := func(folder string, count int, first, validated bool) result {
		m, average := normalized(), &train.EMA{Decay: 0.9}
		validation := plane(2, 12)
		c := train.Config{Model: m, Loss: mse, Optimizer: optim.NewAdam(0.3), Epochs: count, BatchSize: 10, Resume: folder}
		if validated {
			c.Validation = validation
		}
		c.Callbacks = []train.Callback{
			average,
			&train.EarlyStopping{Patience: 100, Restore: true},
			&train.Checkpoint{Folder: folder, KeepBest: true},
		}
		if !first {
			slices.Reverse(c.Callbacks)
		}
		history := run(t, c, plane(1, 30))
		var r result
		r.restored = all(m.Params())
		average.Swap()
		r.swapped = all(m.Params())
		best := normalized()
		if err := checkpoint.Load(filepath.Join(folder, "best.safetensors"), best); err != nil {
			t.Fatal(err)
		}
		r.kept = all(best.Params())
		lowest := history[0]
		for _, e := range history {
			if validated && e.Validation.Loss < lowest.Validation.Loss || !validated && e.Train.Loss < lowest.Train.Loss {
				lowest = e
			}
		}
		if lowest.Number == epochs || lowest.Number == 1 {
			t.Fatalf("epoch %d of %d is the best: nothing is tested", lowest.Number, count)
		}
		for name, m := range map[string]*layers.Sequential{"restored": m, "kept": best} {
			report, err := train.Evaluate(t.Context(), train.Config{Model: m, Loss: mse, BatchSize: 10}, validation)
			if err != nil {
				t.Fatal(err)
			}
			if validated && report.Loss != lowest.Validation.Loss {
				t.Errorf("%s: the loss is %v, was %v after epoch %d", name, report.Loss, lowest.Validation.Loss, lowest.Number)
			}
		}
		return r
	}
	for _, validated := range []bool{true, false} {
		want := learn(t.TempDir(), epochs, true, validated)
		if diff := cmp.Diff(want.restored, want.kept); diff != "" {
			t.Errorf("validation %v (-restored +kept)\n%s", validated, diff)
		}
		if diff := cmp.Diff(want.restored, want.swapped); validated && diff != "" {
			t.Errorf("(-restored +after Swap)\n%s", diff)
		}
		stopped := t.TempDir()
		learn(stopped, epochs-2, true, validated)
		for name, folder := range map[string]string{"reversed": t.TempDir(), "resumed": stopped} {
			got := learn(folder, epochs, name == "resumed", validated)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("validation %v, %s (-want +got)\n%s", validated, name, diff)
			}
		}
	}
}
