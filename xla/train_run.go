package xla

import (
	"github.com/gomlx/go-xla/pjrt"

	"nabla/autograd"
)

// run runs a program and keeps what it returns.
func (t *trainer) run(p *trainingProgram, inputs []Input, rate, decay float64, groups []group) (float64, error) {
	for _, k := range p.learned {
		if err := t.remember(k, p.kinds); err != nil {
			return 0, err
		}
	}
	var temporary, arguments []*pjrt.Buffer
	defer func() { destroy(temporary) }()
	numbers := p.optimizerNumbers(rate, decay, groups)
	drawn := t.random.draw(p.tape.draws)
	for device := range t.devices {
		own, err := t.temporary(device, inputs, numbers, drawn)
		temporary = append(temporary, own...)
		if err != nil {
			return 0, err
		}
		arguments = append(arguments, own[:len(inputs)]...)
		arguments = append(arguments, p.kept(device)...)
		arguments = append(arguments, own[len(inputs):]...)
	}
	first := len(inputs) + len(p.fixed)
	donated := make([]int, p.results()-1)
	for i := range donated {
		donated[i] = first + i
	}
	results, err := p.executable.run(arguments, donated)
	if err != nil {
		t.lost = err
		return 0, err
	}
	return t.replace(p, results)
}

// temporary copies to a device what a step needs there but for what is kept:
// the inputs, then the optimizer's numbers and what is drawn. It returns also
// on an error what has been copied.
func (t *trainer) temporary(device int, inputs []Input, numbers autograd.Tensor, drawn []drawn) ([]*pjrt.Buffer, error) {
	var own []*pjrt.Buffer
	add := func(b *pjrt.Buffer, err error) error {
		if err == nil {
			own = append(own, b)
		}
		return err
	}
	for _, in := range inputs {
		if err := add(t.client.putInput(in.part(device, t.devices), t.training.Precision, device)); err != nil {
			return own, err
		}
	}
	if err := add(t.client.putTensor(numbers, device)); err != nil {
		return own, err
	}
	for _, d := range drawn {
		if err := add(t.client.putDrawn(d, device, t.devices)); err != nil {
			return own, err
		}
	}
	return own, nil
}

// kept are the arguments that stay on a device.
func (p *trainingProgram) kept(device int) []*pjrt.Buffer {
	var all []*pjrt.Buffer
	for _, k := range p.fixed {
		all = append(all, k.numbers[device])
	}
	for _, k := range p.learned {
		all = append(all, k.numbers[device])
	}
	for _, k := range p.learned {
		for _, a := range k.arrays {
			all = append(all, a[device])
		}
	}
	for _, k := range p.observed {
		all = append(all, k.numbers[device])
	}
	return all
}

// results is how many results the program has on each device.
func (p *trainingProgram) results() int {
	return 1 + len(p.learned)*(1+len(p.kinds)) + len(p.observed)
}

// optimizerNumbers returns the numbers of the step that comes, of each learned
// Param.
func (p *trainingProgram) optimizerNumbers(rate, decay float64, groups []group) autograd.Tensor {
	var all []float64
	for _, k := range p.learned {
		r, d := rate, decay
		if g := groupOf(groups, k.param); g != nil {
			r, d = g.rate(rate), g.decay(decay)
		}
		all = append(all, p.numbers(r, d, k.steps+1, k.fresh)...)
	}
	return autograd.NewTensor(all, len(p.learned), p.per).In(p.tape.precision)
}

// replace keeps a program's results in place of what it was given, and returns
// the loss.
func (t *trainer) replace(p *trainingProgram, results []*pjrt.Buffer) (float64, error) {
	each := p.results()
	for device := range t.devices {
		own := results[device*each : (device+1)*each][1:]
		for i, k := range p.learned {
			k.numbers[device] = own[i]
		}
		own = own[len(p.learned):]
		for _, k := range p.learned {
			for i := range k.arrays {
				k.arrays[i][device] = own[i]
			}
			own = own[len(k.arrays):]
		}
		for i, k := range p.observed {
			k.numbers[device] = own[i]
		}
	}
	for _, k := range p.learned {
		k.steps++
		k.fresh = false
	}
	loss := autograd.Zeros().In(t.training.Precision)
	err := read(results[0], loss)
	for device := range t.devices {
		destroy(results[device*each : device*each+1])
	}
	return loss.Item(), err
}
