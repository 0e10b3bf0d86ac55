package checkpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"nabla/autograd"
	"nabla/optim"
)

// A Training is all that a training needs to go on with the same bits: fill in
// its fields and Save it after a step, and Load it into the fields of a program
// that has built the same model and optimizer. Package train does so by itself,
// with its Checkpoint and Resume; this is for a loop of your own.
//
//	training := checkpoint.Training{Model: model, Optimizer: optimizer}
//	if err := training.Load("training.safetensors"); err != nil && !errors.Is(err, fs.ErrNotExist) {
//		return err
//	} else if err == nil {
//		g.SetRandomState(training.Random)
//	}
//
// The rows' order must follow from the epoch, as that of a train.Loader does,
// or be kept in State.
type Training struct {
	Model     Model           // its Params and statistics, and which are Frozen
	Optimizer optim.Optimizer // its settings, and what it remembers; nil: none

	Epoch, Batch int                  // where the training is; they are kept and mean what you like
	Random       autograd.RandomState // of the graph that draws Dropout, see autograd.Graph.RandomState
	State        map[string][]byte    // whatever else there is, by names of yours
}

// Names of a training's tensors.
const (
	randomName    = reserved + "random"
	stateName     = reserved + "state/"
	optimizerName = reserved + "optimizer/" // and the Param's name, "/", and the kind
)

// keptOptimizer is what the metadata has of an optimizer: all but the numbers.
type keptOptimizer struct {
	Type     string
	Settings map[string]string
	Matched  bool
	Params   []keptParam
}

// keptParam is what an optimizer remembers of a Param, but for the numbers.
type keptParam struct {
	Name    string
	Steps   int
	Product string // in hexadecimal
	Kinds   []string
}

// Save writes the training into the file at path, as [Save] does: the file is
// a model's too, that [Load] and other frameworks read.
//
// It returns an error if the file cannot be written, or the optimizer has no
// state to keep, and panics as Save does.
func (t *Training) Save(path string) error {
	const op = "checkpoint: Training.Save"
	params := paramsOf(op, t.Model)
	tensors, about := tensorsOf(params), metadata("training")
	about[epochKey], about[batchKey] = strconv.Itoa(t.Epoch), strconv.Itoa(t.Batch)
	about[frozenKey] = frozen(params)
	random, err := t.Random.MarshalBinary()
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	tensors = append(tensors, named{randomName, []int{len(random)}, random})
	for _, name := range slices.Sorted(maps.Keys(t.State)) {
		state := t.State[name]
		tensors = append(tensors, named{stateName + name, []int{len(state)}, state})
	}
	if t.Optimizer != nil {
		state, err := optim.StateOf(t.Optimizer, params...)
		if err != nil {
			return err
		}
		kept, text := keepOptimizer(&state, params)
		tensors, about[optimizerKey] = append(tensors, kept...), text
	}
	return save(path, tensors, about)
}

// frozen lists the Params that are frozen.
func frozen(params []*autograd.Param) string {
	names := []string{}
	for _, p := range params {
		if p.Frozen {
			names = append(names, p.Name())
		}
	}
	return asJSON(names)
}

// asJSON is for what always can be JSON.
func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// keepOptimizer returns an optimizer's numbers, and the rest of its state as a
// text.
func keepOptimizer(s *optim.State, params []*autograd.Param) ([]named, string) {
	shapes := map[string][]int{}
	for _, p := range params {
		shapes[p.Name()] = p.Shape()
	}
	var tensors []named
	about := keptOptimizer{s.Type, s.Settings, s.Matched, nil}
	for _, p := range s.Params {
		kept := keptParam{p.Name, p.Steps, strconv.FormatFloat(p.Product, 'x', -1, 64), nil}
		for _, k := range p.Kept {
			kept.Kinds = append(kept.Kinds, k.Kind)
			t := named{optimizerName + p.Name + "/" + k.Kind, shapes[p.Name], k.F64}
			if k.F32 != nil {
				t.numbers = k.F32
			}
			tensors = append(tensors, t)
		}
		about.Params = append(about.Params, kept)
	}
	return tensors, asJSON(about)
}

// Load reads what Save wrote: into the Params, the optimizer, and the other
// fields. Everything is read and compared before the first Param is changed; an
// [optim.Stateful] optimizer's own SetState may still refuse afterwards.
//
// The errors are those of the function [Load]; a *[FormatError] also for a file
// of a model alone, for one of Params in another precision, whose training
// would not go on with the same bits, and for one that a later Nabla wrote,
// which says so.
func (t *Training) Load(path string) error {
	const op = "checkpoint: Training.Load"
	params := paramsOf(op, t.Model)
	f, err := Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.checkVersion(); err != nil {
		return err
	}
	if f.header.metadata[kindKey] != "training" {
		return &FormatError{Path: path, Reason: "it keeps no training: read a model with checkpoint.Load"}
	}
	plan, err := f.plan(params, &Options{})
	if err != nil {
		return err
	}
	for _, m := range plan {
		if (m.info.Type == "F64") != (m.param.Precision() == autograd.Float64) {
			return &FormatError{Path: path, Reason: fmt.Sprintf("%q is %s, and %v here: the training would not be the same", m.info.Name, m.info.Type, m.param.Precision())}
		}
	}
	loaded := *t
	if err := loaded.read(f); err != nil {
		return err
	}
	set, err := f.readOptimizer(t.Optimizer, params)
	if err != nil {
		return err
	}
	frozen, err := f.readFrozen()
	if err != nil {
		return err
	}
	for _, m := range plan {
		if err := f.fill(m); err != nil {
			return err
		}
	}
	if set != nil {
		if err := set(); err != nil {
			return &FormatError{Path: path, Reason: err.Error()}
		}
	}
	for _, p := range params {
		p.Frozen = frozen[p.Name()]
	}
	*t = loaded
	return nil
}

// read reads all but Model and Optimizer.
func (t *Training) read(f *File) (err error) {
	if t.Epoch, err = f.number(epochKey); err != nil {
		return err
	}
	if t.Batch, err = f.number(batchKey); err != nil {
		return err
	}
	random, err := f.bytes(randomName)
	if err != nil {
		return err
	}
	if err := t.Random.UnmarshalBinary(random); err != nil {
		return &FormatError{Path: f.path, Reason: err.Error()}
	}
	t.State = map[string][]byte{}
	for _, info := range f.header.infos {
		if name, ok := strings.CutPrefix(info.Name, stateName); ok {
			if t.State[name], err = f.bytes(info.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// number returns a number of the metadata.
func (f *File) number(key string) (int, error) {
	v, err := strconv.Atoi(f.header.metadata[key])
	if err != nil {
		return 0, &FormatError{Path: f.path, Reason: fmt.Sprintf("the metadata have %q for %s", f.header.metadata[key], key)}
	}
	return v, nil
}

// bytes reads a tensor of U8.
func (f *File) bytes(name string) ([]byte, error) {
	info, err := f.find(name, func(t string) bool { return t == "U8" }, "bytes")
	if err != nil {
		return nil, err
	}
	text := make([]byte, info.end-info.begin)
	return text, f.full(text, info.begin, name)
}

func (f *File) readFrozen() (map[string]bool, error) {
	var names []string
	if err := json.Unmarshal([]byte(f.header.metadata[frozenKey]), &names); err != nil {
		return nil, &FormatError{Path: f.path, Reason: fmt.Sprintf("the metadata's %s: %v", frozenKey, err)}
	}
	all := map[string]bool{}
	for _, name := range names {
		all[name] = true
	}
	return all, nil
}

// readOptimizer reads the state of an optimizer, and returns what sets it, if
// it fits.
func (f *File) readOptimizer(o optim.Optimizer, params []*autograd.Param) (set func() error, err error) {
	text, ok := f.header.metadata[optimizerKey]
	switch {
	case o == nil && !ok:
		return nil, nil
	case o == nil:
		return nil, &FormatError{Path: f.path, Reason: "it keeps the state of an optimizer, and there is none here"}
	case !ok:
		return nil, &FormatError{Path: f.path, Reason: "it keeps no state of an optimizer"}
	}
	var about keptOptimizer
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&about); err != nil {
		return nil, &FormatError{Path: f.path, Reason: fmt.Sprintf("the metadata's %s: %v", optimizerKey, err)}
	}
	if err := about.checkOnce(); err != nil {
		return nil, &FormatError{Path: f.path, Reason: fmt.Sprintf("the metadata's %s: %v", optimizerKey, err)}
	}
	state := optim.State{Type: about.Type, Settings: about.Settings, Matched: about.Matched}
	for _, kept := range about.Params {
		p, err := f.readParamState(kept)
		if err != nil {
			return nil, err
		}
		state.Params = append(state.Params, p)
	}
	if err := optim.CheckState(o, state, params...); err != nil {
		return nil, &FormatError{Path: f.path, Reason: err.Error()}
	}
	return func() error { return optim.SetState(o, state, params...) }, nil
}

// checkOnce returns an error if numbers would be read twice: a small file could
// take any memory so.
func (k *keptOptimizer) checkOnce() error {
	seen := map[[2]string]bool{}
	for _, p := range k.Params {
		for _, kind := range append([]string{""}, p.Kinds...) {
			if at := [2]string{p.Name, kind}; seen[at] {
				return fmt.Errorf("%q of %q stands there twice", kind, p.Name)
			} else {
				seen[at] = true
			}
		}
	}
	return nil
}

func (f *File) readParamState(kept keptParam) (optim.ParamState, error) {
	p := optim.ParamState{Name: kept.Name, Steps: kept.Steps}
	product, err := strconv.ParseFloat(kept.Product, 64)
	if err != nil {
		return p, &FormatError{Path: f.path, Reason: fmt.Sprintf("the metadata's %s: %v", optimizerKey, err)}
	}
	p.Product = product
	for _, kind := range kept.Kinds {
		info, err := f.find(optimizerName+kept.Name+"/"+kind, func(t string) bool { return t == "F64" || t == "F32" }, "F64 or F32")
		if err != nil {
			return p, err
		}
		k := optim.Kept{Kind: kind}
		if info.Type == "F64" {
			k.F64 = make([]float64, info.size())
			err = read(f, info, k.F64)
		} else {
			k.F32 = make([]float32, info.size())
			err = read(f, info, k.F32)
		}
		if err != nil {
			return p, err
		}
		p.Kept = append(p.Kept, k)
	}
	return p, nil
}
