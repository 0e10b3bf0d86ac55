package train

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/crc64"
	"io"
	"strconv"

	"nabla/autograd"
	"nabla/optim"
)

// A meeting is what a member says of itself in the beginning.
type meeting struct {
	Settings map[string]string // which must be the same for all

	Gradients, Steps bool // whether it has callbacks for them
}

// meet compares the settings and data of all members of a group.
func (c *cycle) meet() error {
	if c.members.alone() {
		return nil
	}
	own := meeting{c.allSettings(), c.OnGradients != nil || len(c.watchers.gradients) > 0, len(c.watchers.steps) > 0 || len(c.watchers.checkpoints) > 0}
	text, err := json.Marshal(own)
	if err != nil {
		return err
	}
	all, err := c.members.gather(text)
	if err != nil {
		return err
	}
	var first meeting
	for rank, text := range all {
		var other meeting
		if err := json.Unmarshal(text, &other); err != nil {
			return c.members.check(fmt.Errorf("what member %d says cannot be read: are all members the same program? %w", rank, err))
		}
		if rank == 0 {
			first = other
		}
		for _, name := range sortedKeys(first.Settings, other.Settings) {
			if first.Settings[name] != other.Settings[name] {
				return &GroupError{rank, fmt.Errorf("another configuration than member 0: %s is %q and not %q", name, other.Settings[name], first.Settings[name])}
			}
		}
		c.heard.gradients = c.heard.gradients || other.Gradients
		c.heard.steps = c.heard.steps || other.Steps
	}
	return nil
}

// allSettings are what must be the same for all members: those of a training
// that goes on, what else steps and epochs depend on, and the data.
func (c *cycle) allSettings() map[string]string {
	all := c.settings()
	all["Epochs"] = fmt.Sprint(c.Epochs)
	all["Bucket"] = fmt.Sprint(c.Bucket)
	all["Schedule"] = fmt.Sprintf("%T, by epoch %v", c.Schedule, c.ScheduleByEpoch)
	all["Optimizer"] = fmt.Sprintf("%T", c.Optimizer)
	all["Resume"] = fmt.Sprint(c.Resume != "")
	if state, err := optim.StateOf(c.Optimizer, c.params()...); err == nil {
		all["Optimizer"] = fmt.Sprint(state.Type, state.Settings) // maps are printed in order
	}
	for i, p := range c.params() {
		all[fmt.Sprintf("Params[%d]", i)] = fmt.Sprintf("%s %v %v, frozen %v", p.Name(), p.Shape(), p.Precision(), p.Frozen)
	}
	for i, k := range c.watchers.checkpoints {
		all[fmt.Sprintf("Checkpoint %d", i)] = k.when()
	}
	for name, k := range c.keepers() {
		if _, ok := k.(showing); !ok {
			all[name] = "among the callbacks"
		}
	}
	all["the data"] = c.data.checksum()
	all["the validation data"] = c.Validation.checksum()
	return all
}

// showing is a Keeper that only shows something, such as a Watch: not all
// members need it.
type showing interface{ shows() }

var polynomial = crc64.MakeTable(crc64.ECMA)

// checksum returns a checksum of all numbers.
func (d Data) checksum() string {
	h := crc32.New(crc32.MakeTable(crc32.Castagnoli)) // processors have an instruction for it
	for _, t := range []autograd.Tensor{d.Inputs, d.Targets} {
		if isGiven(t) {
			fmt.Fprint(h, t.Shape())
			writeTensor(h, t)
		}
	}
	for _, x := range append([]autograd.Ints{d.Labels}, d.Ids...) {
		fmt.Fprint(h, x.Shape())
		numbers := make([]float64, x.Size()) // exact up to 2⁵³
		for i, v := range x.Values() {
			numbers[i] = float64(v)
		}
		h.Write(bytesOf(numbers))
	}
	return strconv.FormatUint(uint64(h.Sum32()), 16)
}

func writeTensor(w io.Writer, t autograd.Tensor) {
	if t.Precision() == autograd.Float32 {
		w.Write(bytesOf(t.Raw32()))
	} else {
		w.Write(bytesOf(t.Raw64()))
	}
}

// share makes the Params and statistics of member 0 those of all.
func (c *cycle) share() error {
	if c.members.alone() {
		return nil
	}
	for _, p := range c.params() {
		var err error
		if t := p.Writable(); t.Precision() == autograd.Float32 {
			err = fill(c.members, t.Raw32())
		} else {
			err = fill(c.members, t.Raw64())
		}
		if err != nil {
			return err
		}
	}
	return c.same()
}

// same returns an error if another member has other Params, statistics, or
// numbers that the optimizer remembers.
func (c *cycle) same() error {
	if c.members.alone() || c.members.broken != nil || c.members.apart {
		return nil
	}
	if err := c.sameOrder(); err != nil {
		return err
	}
	all, err := c.members.gather([]byte(Hash(c.params()...) + c.hashOptimizer()))
	if err != nil {
		return err
	}
	for rank, text := range all {
		if string(text) != string(all[0]) {
			c.members.apart = true
			return &GroupError{rank, errors.New("other numbers in Params, statistics or optimizer than member 0: something beside the steps has changed them")}
		}
	}
	return nil
}

// sameOrder returns an error if another member takes the rows in another order:
// its parts would be of other batches.
func (c *cycle) sameOrder() error {
	if c.members.alone() || c.RNG == nil {
		return nil
	}
	all, err := c.members.gather(binary.LittleEndian.AppendUint64(nil, c.order()))
	if err != nil {
		return err
	}
	for rank, order := range all {
		if !bytes.Equal(order, all[0]) {
			c.members.apart = true
			return &GroupError{rank, errors.New("another order of the rows than member 0: RNG must draw the same numbers on all members")}
		}
	}
	return nil
}

// Hash returns a checksum of the names, shapes and numbers of Params and
// statistics, 16 hexadecimal digits: of trainings with the same bits it is the
// same.
func Hash(params ...*autograd.Param) string {
	h := crc64.New(polynomial)
	g := autograd.NewGraph(autograd.Options{NoGrad: true})
	single := autograd.NewGraph(autograd.Options{NoGrad: true, Precision: autograd.Float32})
	for _, p := range params {
		fmt.Fprintf(h, "%s %v\n", p.Name(), p.Shape())
		if p.Precision() == autograd.Float32 {
			writeTensor(h, single.Param(p).View())
		} else {
			writeTensor(h, g.Param(p).View())
		}
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// hashOptimizer returns a checksum of what the optimizer remembers, "" if it
// has no state.
func (c *cycle) hashOptimizer() string {
	state, err := optim.StateOf(c.Optimizer, c.params()...)
	if err != nil {
		return ""
	}
	h := crc64.New(polynomial)
	for _, p := range state.Params {
		fmt.Fprintf(h, "%s %d %x\n", p.Name, p.Steps, p.Product)
		for _, k := range p.Kept {
			h.Write(bytesOf(k.F64))
			h.Write(bytesOf(k.F32))
		}
	}
	return fmt.Sprintf("%016x", h.Sum64())
}
