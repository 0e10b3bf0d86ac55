package xla

import (
	"runtime"
	"slices"

	"github.com/gomlx/go-xla/pjrt"

	"nabla/autograd"
	"nabla/optim"
)

// A kept is a Param or statistic on the devices, and what the optimizer
// remembers of it.
type kept struct {
	param   *autograd.Param
	version uint64           // of the Param, when it was copied or read
	numbers []*pjrt.Buffer   // one on each device
	arrays  [][]*pjrt.Buffer // of the optimizer, by the rule's kinds
	kinds   []string
	steps   int
	fresh   bool // no array of the optimizer has been used yet
}

// Read copies the Params, the statistics and what the optimizer remembers from
// the devices into the model and the optimizer, which forgets what it remembers
// of other Params. Training may go on afterwards.
func (t *Trainer) Read() error {
	defer runtime.KeepAlive(t)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.usable(); err != nil {
		return err
	}
	if err := t.client.enter(); err != nil {
		return err
	}
	defer t.client.leave()
	var params []*autograd.Param
	var numbers []autograd.Tensor
	states := map[string]optim.ParamState{}
	for _, k := range t.order {
		x := autograd.Zeros(k.param.Shape()...).In(t.training.Precision)
		if err := read(k.numbers[0], x); err != nil {
			return err
		}
		params, numbers = append(params, k.param), append(numbers, x)
		s, err := k.state(t.training.Precision)
		if err != nil {
			return err
		}
		if k.steps > 0 && t.counts() {
			states[s.Name] = s
		}
	}
	if err := t.setState(params, states); err != nil {
		return err
	}
	for i, k := range t.order {
		if k.steps > 0 || k.param.IsStatistic() {
			k.param.Set(numbers[i])
			k.version = k.param.Version()
		}
	}
	return nil
}

// counts reports whether the optimizer counts its steps: an SGD without
// momentum remembers nothing.
func (t *trainer) counts() bool {
	o, ok := t.training.Optimizer.(*optim.SGD)
	return !ok || o.Momentum != 0
}

// setState gives the optimizer what it remembers now.
func (t *trainer) setState(params []*autograd.Param, states map[string]optim.ParamState) error {
	s, err := optim.StateOf(t.training.Optimizer, params...)
	if err != nil {
		return err
	}
	s.Params = nil
	for _, p := range params {
		if known, ok := states[p.Name()]; ok {
			s.Params = append(s.Params, known)
		}
	}
	return optim.SetState(t.training.Optimizer, s, params...)
}

// state reads what the optimizer remembers of a Param.
func (k *kept) state(precision autograd.Precision) (optim.ParamState, error) {
	s := optim.ParamState{Name: k.param.Name(), Steps: k.steps}
	for i, kind := range k.kinds {
		x := autograd.Zeros(k.param.Shape()...).In(precision)
		if err := read(k.arrays[i][0], x); err != nil {
			return s, err
		}
		one := optim.Kept{Kind: kind}
		if precision == autograd.Float32 {
			one.F32 = x.Raw32()
		} else {
			one.F64 = x.Raw64()
		}
		s.Kept = append(s.Kept, one)
	}
	return s, nil
}

// keep copies a Param to all devices, if it is not there.
func (t *trainer) keep(p *autograd.Param) (*kept, error) {
	if k := t.known[p]; k != nil {
		return k, nil
	}
	k := &kept{param: p, version: p.Version(), fresh: true}
	if !p.IsStatistic() {
		s, err := optim.StateOf(t.training.Optimizer, p)
		if err != nil {
			return nil, err
		}
		if len(s.Params) > 0 {
			k.steps = s.Params[0].Steps
		}
	}
	numbers, err := t.onAll(p.Tensor().In(t.training.Precision))
	if err != nil {
		return nil, err
	}
	k.numbers = numbers
	t.known[p] = k
	t.order = append(t.order, k)
	return k, nil
}

// remember makes room for what a rule remembers of a Param: what the optimizer
// has of it, or zeros.
func (t *trainer) remember(k *kept, kinds []string) error {
	if slices.Equal(k.kinds, kinds) {
		return nil
	}
	s, err := optim.StateOf(t.training.Optimizer, k.param)
	if err != nil {
		return err
	}
	known := map[string]autograd.Tensor{}
	if len(s.Params) > 0 {
		for _, kept := range s.Params[0].Kept {
			if kept.F32 != nil {
				known[kept.Kind] = autograd.NewTensor32(kept.F32, k.param.Shape()...)
			} else if kept.F64 != nil {
				known[kept.Kind] = autograd.NewTensor(kept.F64, k.param.Shape()...)
			}
		}
	}
	var arrays [][]*pjrt.Buffer
	fresh := true
	for _, kind := range kinds {
		if i := slices.Index(k.kinds, kind); i >= 0 {
			arrays, fresh = append(arrays, k.arrays[i]), k.fresh
			continue
		}
		x, ok := known[kind]
		if !ok {
			x = autograd.Zeros(k.param.Shape()...).In(t.training.Precision)
		}
		fresh = fresh && !ok
		on, err := t.onAll(x)
		if err != nil {
			return err
		}
		arrays = append(arrays, on)
	}
	k.arrays, k.kinds, k.fresh = arrays, slices.Clone(kinds), fresh
	return nil
}

// onAll copies numbers to all devices.
func (t *trainer) onAll(x autograd.Tensor) ([]*pjrt.Buffer, error) {
	var all []*pjrt.Buffer
	for device := range t.devices {
		b, err := t.client.putTensor(x, device)
		if err != nil {
			destroy(all)
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}
