package xla

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"nabla/autograd"
	"nabla/optim"
)

// Training says what a [Trainer] does in a step.
type Training struct {
	// Loss records what training minimises: one number, a mean over the batch.
	// Several devices average their parts'.
	Loss func(g *autograd.Graph, in Inputs) autograd.Value

	// Optimizer changes the Params: an SGD, Adam, AdamW or RMSProp of package
	// optim. Its settings count as they are at each step, so that a schedule
	// may set LearningRate. Others than LearningRate, WeightDecay and those of
	// Groups make a new program.
	Optimizer optim.Optimizer

	Precision autograd.Precision // of the Params too
	Seed      uint64             // of the dropouts' random stream, which runs on from step to step
	ClipNorm  float64            // the greatest norm of all gradients together, as [optim.ClipNorm]; 0: any
	Devices   int                // that share each batch; 0: 1
}

// A Trainer trains on a client's devices: the Params, the running statistics
// and what the optimizer remembers stay there from step to step.
type Trainer struct{ *trainer }

type trainer struct {
	training Training
	client   *Client
	devices  int

	mu       sync.Mutex
	programs map[string][]*trainingProgram
	order    []*kept // Params and statistics, as the steps have first used them
	known    map[*autograd.Param]*kept
	random   *random
	stats    Stats
	closed   bool
	lost     error // why the numbers on the devices are gone
}

// Train returns a Trainer. It returns an error if the training cannot be done:
// there are not as many devices, or the optimizer has no rule.
//
// The Trainer copies a Param to the devices when a step first uses it. From
// then on the Param in memory is behind: [Trainer.Read] brings it up. Nothing
// else may write the Params meanwhile; a step that finds one written returns an
// error.
func (c *Client) Train(t Training) (*Trainer, error) {
	if t.Loss == nil || t.Optimizer == nil {
		return nil, errors.New("xla: training needs a Loss and an Optimizer")
	}
	if err := c.alive(); err != nil {
		return nil, err
	}
	devices := max(1, t.Devices)
	if t.Devices < 0 || devices > c.Devices() {
		return nil, fmt.Errorf("xla: %d devices of %d", t.Devices, c.Devices())
	}
	if !(t.ClipNorm >= 0) {
		return nil, fmt.Errorf("xla: ClipNorm is %v", t.ClipNorm)
	}
	if _, err := ruleOf(t.Optimizer); err != nil {
		return nil, err
	}
	if _, _, _, _, err := settings(t.Optimizer); err != nil {
		return nil, err
	}
	made := &Trainer{&trainer{
		training: t, client: c, devices: devices,
		programs: map[string][]*trainingProgram{}, known: map[*autograd.Param]*kept{}, random: newRandom(t.Precision, t.Seed),
	}}
	runtime.AddCleanup(made, func(t *trainer) { _ = t.close() }, made.trainer)
	return made, nil
}

// Step makes a step with the inputs: loss, gradients and the optimizer's update
// in one program. It returns the loss.
//
// The first step with inputs of new shapes compiles a program, as [Compile]
// says. An error before the program runs changes nothing. If the plugin fails
// while it runs, the numbers on the devices are lost, and further steps return
// that error.
func (t *Trainer) Step(inputs ...Input) (loss float64, err error) {
	defer runtime.KeepAlive(t)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.usable(); err != nil {
		return 0, err
	}
	if err := t.client.enter(); err != nil {
		return 0, err
	}
	defer t.client.leave()
	for i, in := range inputs {
		if err := in.check(i); err != nil {
			return 0, err
		}
	}
	if err := checkParts(inputs, t.devices); err != nil {
		return 0, err
	}
	text, rate, decay, groups, err := settings(t.training.Optimizer)
	if err != nil {
		return 0, err
	}
	p, err := t.program(text, inputs, groups)
	if err != nil {
		return 0, err
	}
	return t.run(p, inputs, rate, decay, groups)
}

// usable returns an error if there is nothing to train with.
func (t *trainer) usable() error {
	switch {
	case t.closed:
		return errors.New("xla: the trainer is closed")
	case t.lost != nil:
		return fmt.Errorf("xla: the Params on the devices are lost: %w", t.lost)
	}
	for _, k := range t.order {
		if k.param.Version() != k.version {
			return fmt.Errorf("xla: parameter %s has been written since its numbers went to the devices: go on with a new Trainer", k.param.Name())
		}
	}
	return nil
}

// Stats returns what compiling has cost so far.
func (t *Trainer) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stats
}

// RandomState returns the place in the random stream of the dropouts.
func (t *Trainer) RandomState() autograd.RandomState {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.random.state()
}

// SetRandomState continues the dropouts' random stream from a state.
func (t *Trainer) SetRandomState(s autograd.RandomState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.random.setState(s)
}

// Close frees what the trainer holds on the devices. What has not been read is
// gone.
func (t *Trainer) Close() error { return t.close() }

func (t *trainer) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	if t.client.enter() != nil {
		return nil // the client has freed all
	}
	defer t.client.leave()
	var all error
	unclaim(t)
	for _, variants := range t.programs {
		for _, p := range variants {
			all = errors.Join(all, p.close())
		}
	}
	for _, k := range t.order {
		destroy(k.numbers)
		for _, a := range k.arrays {
			destroy(a)
		}
	}
	return all
}
