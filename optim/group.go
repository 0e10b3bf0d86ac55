package optim

import (
	"fmt"
	"path"
	"slices"

	"nabla/autograd"
	"nabla/internal/weakmap"
)

// A Group is what an optimizer does differently for the Params whose names
// match a pattern. An optimizer's Groups are asked in their order, and the
// first whose pattern matches counts; a Param that none matches has the
// optimizer's settings.
//
//	optimizer.Groups = []optim.Group{
//		{Params: "embedding.*", Frozen: true},
//		{Params: "*.bias", WeightDecay: optim.Fixed(0)},
//		{Params: "encoder.*", LearningRate: optim.Times(0.1)},
//	}
//
// A group that no Param is in is a mistake, such as a misspelled name: the
// first step panics with an *[autograd.ArgumentError] if a pattern matches none
// of the Params that the loss has reached, or earlier groups take all that it
// matches. So does the first step after Groups was changed.
type Group struct {
	// Params is a pattern as [path.Match] has it: * stands for any characters
	// but a slash, dots included, ? for one, and [abc] for one of some.
	Params string

	LearningRate Setting // Times(0.1) follows a rate that changes, Fixed(0.01) does not
	WeightDecay  Setting

	// Frozen stops the updates, without decay, and no step is counted. The
	// gradients are computed nevertheless, and count in [ClipNorm]: a Param's
	// own Frozen spares the work. Running statistics are in no group: only
	// their own Frozen stops them.
	Frozen bool
}

// A Setting is a number that takes the place of an optimizer's, or a factor of
// it. The zero Setting leaves the optimizer's.
type Setting struct {
	how byte
	v   float64
}

const (
	fixed = 1 + iota
	times
)

// Fixed returns the Setting that is v, whatever the optimizer's is.
func Fixed(v float64) Setting { return Setting{fixed, v} }

// Times returns the Setting that is the optimizer's times a factor.
func Times(factor float64) Setting { return Setting{times, factor} }

// of returns the setting where the optimizer's is v.
func (s Setting) of(v float64) float64 {
	switch s.how {
	case fixed:
		return s.v
	case times:
		return s.v * v
	}
	return v
}

// A matcher knows which group each Param is in.
type matcher struct {
	groups []Group // as they were when the Params were matched
	known  weakmap.Map[autograd.Param, match]
}

// A match is the group of a Param that had this name.
type match struct {
	name  string
	group int // −1: none
}

// prepare matches the Params of the gradients, where that was not done, and
// panics unless groups and settings make sense.
func (m *matcher) prepare(op string, groups []Group, grads autograd.Gradients, rate, decay float64) {
	if len(groups) == 0 {
		m.groups = nil
		return
	}
	first := !slices.Equal(groups, m.groups)
	if first {
		checkGroups(op, groups)
		m.groups, m.known = nil, weakmap.Map[autograd.Param, match]{}
	}
	for i, g := range groups {
		checkSetting(op, i, g, "LearningRate", g.LearningRate.of(rate))
		checkSetting(op, i, g, "WeightDecay", g.WeightDecay.of(decay))
	}
	reached := 0
	for p := range grads.Stored() {
		if known, ok := m.known.Get(p); !ok || known.name != p.Name() {
			m.known.Set(p, match{p.Name(), groupOf(groups, p.Name())})
		}
		reached++
	}
	if first && reached > 0 {
		m.checkUse(op, groups, grads)
		m.groups = slices.Clone(groups)
	}
}

// checkSetting panics unless what counts for a group is a finite number that is
// not negative.
func checkSetting(op string, i int, g Group, name string, v float64) {
	if !isFrom0(v) {
		panic(autograd.NewArgumentError(op, "%s of group %d, %q, is %v, want a finite number from 0 on", name, i, g.Params, v))
	}
}

// checkGroups panics for a group that is no group.
func checkGroups(op string, groups []Group) {
	for i, g := range groups {
		if _, err := path.Match(g.Params, ""); err != nil {
			panic(autograd.NewArgumentError(op, "group %d: %q is no pattern: see path.Match", i, g.Params))
		}
		if g.Frozen && (g.LearningRate.how != 0 || g.WeightDecay.how != 0) {
			panic(autograd.NewArgumentError(op, "group %d, %q, is frozen and has settings", i, g.Params))
		}
	}
}

// checkUse panics if a group has none of the Params.
func (m *matcher) checkUse(op string, groups []Group, grads autograd.Gradients) {
	used, matched := make([]bool, len(groups)), make([]bool, len(groups))
	var names []string
	for p := range grads.Stored() {
		known, _ := m.known.Get(p)
		if known.group >= 0 {
			used[known.group] = true
		}
		for i, g := range groups {
			ok, _ := path.Match(g.Params, p.Name())
			matched[i] = matched[i] || ok
		}
		names = append(names, p.Name())
	}
	for i, g := range groups {
		switch {
		case !matched[i]:
			panic(autograd.NewArgumentError(op, "group %d: no parameter is called %q: the loss has reached %s", i, g.Params, list(names)))
		case !used[i]:
			panic(autograd.NewArgumentError(op, "group %d: earlier groups have all parameters that are called %q", i, g.Params))
		}
	}
}

// list returns some names as text.
func list(names []string) string {
	const most = 8
	text := ""
	for i, name := range names {
		if i == most {
			return text + fmt.Sprintf(" and %d more", len(names)-most)
		}
		if i > 0 {
			text += ", "
		}
		text += name
	}
	return text
}

// groupOf returns the first group that a name matches, or −1.
func groupOf(groups []Group, name string) int {
	return slices.IndexFunc(groups, func(g Group) bool {
		ok, _ := path.Match(g.Params, name)
		return ok
	})
}

// settings returns what counts for a Param where the optimizer has this rate
// and decay.
func (m *matcher) settings(p *autograd.Param, rate, decay float64) (r, d float64, frozen bool) {
	known, _ := m.known.Get(p)
	if known.group < 0 {
		return rate, decay, false
	}
	g := &m.groups[known.group]
	return g.LearningRate.of(rate), g.WeightDecay.of(decay), g.Frozen
}
