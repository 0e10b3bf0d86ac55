package xla

import (
	"encoding/json"
	"fmt"
	"math"
	"path"
	"strconv"
	"strings"

	"nabla/autograd"
	"nabla/optim"
)

// A rule is an optimizer as a program makes its steps: of each Param with some
// arrays of the Param's shape, which optim.State calls by kinds, and with some
// numbers of each step.
type rule struct {
	kinds   []string
	numbers func(rate, decay float64, steps int, fresh bool) []float64 // of a step, which counts from 1
	update  func(w, g value, kept []value, k []value, byRows bool) (value, []value)
}

// ruleOf returns the rule of an optimizer with the settings that it has now. It
// returns an error for one that has no rule.
func ruleOf(o optim.Optimizer) (rule, error) {
	switch o := o.(type) {
	case *optim.SGD:
		return sgdRule(*o)
	case *optim.Adam:
		return adamRule(*o, false)
	case *optim.AdamW:
		return adamRule(optim.Adam{LearningRate: o.LearningRate, Beta1: o.Beta1, Beta2: o.Beta2, Epsilon: o.Epsilon, WeightDecay: o.WeightDecay, AMSGrad: o.AMSGrad}, true)
	case *optim.RMSProp:
		return rmsPropRule(*o)
	}
	return rule{}, fmt.Errorf("xla: %T has no rule for devices: SGD, Adam, AdamW and RMSProp have", o)
}

func between(what string, v, below float64) error {
	if !(v >= 0 && v < below) {
		return fmt.Errorf("xla: the optimizer's %s is %v", what, v)
	}
	return nil
}

func firstError(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// sgdRule is optim.SGD: the numbers are rate, decay, and whether the velocity
// is new.
func sgdRule(o optim.SGD) (rule, error) {
	if err := firstError(between("Momentum", o.Momentum, 1), between("Dampening", o.Dampening, 1)); err != nil {
		return rule{}, err
	}
	if o.Nesterov && (o.Momentum == 0 || o.Dampening != 0) {
		return rule{}, fmt.Errorf("xla: Nesterov needs a Momentum above 0, and a Dampening of 0")
	}
	r := rule{numbers: func(rate, decay float64, _ int, fresh bool) []float64 {
		return []float64{rate, decay, float64(bit(fresh))}
	}}
	if o.Momentum != 0 {
		r.kinds = []string{"velocity"}
	}
	r.update = func(w, g value, kept, k []value, byRows bool) (value, []value) {
		d := g.add(k[1].mul(w))
		if o.Momentum == 0 {
			return w.sub(k[0].mul(d)), nil
		}
		v := kept[0].times(o.Momentum).add(d.times(1 - o.Dampening))
		if !byRows {
			v = k[2].is("NE", 0).pick(d, v)
		}
		step := v
		if o.Nesterov {
			step = d.add(v.times(o.Momentum))
		}
		return w.sub(k[0].mul(step)), []value{v}
	}
	return r, nil
}

// adamRule is optim.Adam or AdamW. The numbers are the rate and the root for
// the moments' beginning, what is added of w to the gradient, and what is kept
// of w.
func adamRule(o optim.Adam, decoupled bool) (rule, error) {
	if err := firstError(between("Beta1", o.Beta1, 1), between("Beta2", o.Beta2, 1)); err != nil {
		return rule{}, err
	}
	if !(o.Epsilon > 0) {
		return rule{}, fmt.Errorf("xla: the optimizer's Epsilon is %v", o.Epsilon)
	}
	r := rule{kinds: []string{"mean", "square"}}
	if o.AMSGrad {
		r.kinds = append(r.kinds, "most")
	}
	r.numbers = func(rate, decay float64, steps int, _ bool) []float64 {
		added, kept := decay, 1.0
		if decoupled {
			added, kept = 0, 1-rate*decay
		}
		first := 1 - math.Pow(o.Beta1, float64(steps))
		return []float64{rate / first, math.Sqrt(1 - math.Pow(o.Beta2, float64(steps))), added, kept}
	}
	r.update = func(w, g value, kept, k []value, _ bool) (value, []value) {
		d := g.add(k[2].mul(w))
		m := kept[0].times(o.Beta1).add(d.times(1 - o.Beta1))
		v := kept[1].times(o.Beta2).add(d.times(1 - o.Beta2).mul(d))
		now, most := []value{m, v}, v
		if o.AMSGrad {
			most = kept[2].max(v)
			now = append(now, most)
		}
		step := m.div(most.sqrt().div(k[1]).plus(o.Epsilon))
		return w.mul(k[3]).sub(k[0].mul(step)), now
	}
	return r, nil
}

// rmsPropRule is optim.RMSProp: the numbers are rate and decay.
func rmsPropRule(o optim.RMSProp) (rule, error) {
	if err := firstError(between("Alpha", o.Alpha, 1), between("Momentum", o.Momentum, 1)); err != nil {
		return rule{}, err
	}
	if !(o.Epsilon > 0) {
		return rule{}, fmt.Errorf("xla: the optimizer's Epsilon is %v", o.Epsilon)
	}
	r := rule{kinds: []string{"square"}, numbers: func(rate, decay float64, _ int, _ bool) []float64 { return []float64{rate, decay} }}
	if o.Centered {
		r.kinds = append(r.kinds, "mean")
	}
	if o.Momentum != 0 {
		r.kinds = append(r.kinds, "velocity")
	}
	r.update = func(w, g value, kept, k []value, _ bool) (value, []value) {
		d := g.add(k[1].mul(w))
		square := kept[0].times(o.Alpha).add(d.times(1 - o.Alpha).mul(d))
		now, spread := []value{square}, square
		if o.Centered {
			m := kept[1].times(o.Alpha).add(d.times(1 - o.Alpha))
			now = append(now, m)
			spread = square.sub(m.mul(m)).max(m.like(0))
		}
		d = d.div(spread.sqrt().plus(o.Epsilon))
		if o.Momentum != 0 {
			d = d.add(kept[len(kept)-1].times(o.Momentum))
			now = append(now, d)
		}
		return w.sub(k[0].mul(d)), now
	}
	return r, nil
}

// A group is what optim.Group says, as far as steps need it.
type group struct {
	pattern     string
	rate, decay func(v float64) float64
	frozen      bool
}

// settings are an optimizer's settings as texts, without the learning rate,
// which may change from step to step.
func settings(o optim.Optimizer) (text string, rate, decay float64, groups []group, err error) {
	s, err := optim.StateOf(o)
	if err != nil {
		return "", 0, 0, nil, err
	}
	for _, name := range []string{"LearningRate", "WeightDecay"} {
		v, err := strconv.ParseFloat(s.Settings[name], 64)
		if err != nil {
			return "", 0, 0, nil, fmt.Errorf("xla: %T has no %s", o, name)
		}
		if !(v >= 0) || math.IsInf(v, 1) {
			return "", 0, 0, nil, fmt.Errorf("xla: the optimizer's %s is %v, want a finite number from 0 on", name, v)
		}
		if name == "LearningRate" {
			rate = v
		} else {
			decay = v
		}
		delete(s.Settings, name)
	}
	if groups, err = readGroups(s.Settings["Groups"]); err != nil {
		return "", 0, 0, nil, err
	}
	// Groups may change too: but for Frozen, they only set numbers.
	s.Settings["Groups"] = ""
	for _, g := range groups {
		s.Settings["Groups"] += fmt.Sprintf("%q %t ", g.pattern, g.frozen)
	}
	return fmt.Sprint(s.Type, s.Settings), rate, decay, groups, nil
}

// readGroups reads groups as optim.State has them.
func readGroups(text string) ([]group, error) {
	var texts []struct {
		Params, LearningRate, WeightDecay string
		Frozen                            bool
	}
	if text == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &texts); err != nil {
		return nil, fmt.Errorf("xla: groups: %w", err)
	}
	var all []group
	for _, t := range texts {
		rate, err := readSetting(t.LearningRate)
		if err != nil {
			return nil, err
		}
		decay, err := readSetting(t.WeightDecay)
		if err != nil {
			return nil, err
		}
		if _, err := path.Match(t.Params, ""); err != nil {
			return nil, fmt.Errorf("xla: group %q: %w", t.Params, err)
		}
		all = append(all, group{t.Params, rate, decay, t.Frozen})
	}
	return all, nil
}

func readSetting(text string) (func(v float64) float64, error) {
	how, number, _ := strings.Cut(text, " ")
	if text == "" {
		return func(v float64) float64 { return v }, nil
	}
	by, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return nil, fmt.Errorf("xla: groups: %w", err)
	}
	if how == "=" {
		return func(float64) float64 { return by }, nil
	}
	return func(v float64) float64 { return by * v }, nil
}

// of returns the group of a Param: the first one whose pattern fits.
func groupOf(groups []group, p *autograd.Param) *group {
	for i := range groups {
		if fits, _ := path.Match(groups[i].pattern, p.Name()); fits {
			return &groups[i]
		}
	}
	return nil
}
