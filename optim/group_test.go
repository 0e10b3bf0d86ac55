package optim_test

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/optim"
)

// withGroups sets the groups of any optimizer.
func withGroups(t *testing.T, o optim.Optimizer, groups ...optim.Group) {
	t.Helper()
	switch o := o.(type) {
	case *optim.SGD:
		o.Groups = groups
	case *optim.Adam:
		o.Groups = groups
	case *optim.AdamW:
		o.Groups = groups
	case *optim.RMSProp:
		o.Groups = groups
	case *optim.Adagrad:
		o.Groups = groups
	case *optim.Adadelta:
		o.Groups = groups
	case *optim.Adamax:
		o.Groups = groups
	case *optim.NAdam:
		o.Groups = groups
	case *optim.RAdam:
		o.Groups = groups
	case *optim.Lion:
		o.Groups = groups
	case *optim.LAMB:
		o.Groups = groups
	case *optim.Rprop:
		o.Groups = groups
	default:
		t.Fatalf("%T has no groups", o)
	}
}

// A step with Params of these names and of the value 1, under gradients of 1.
func stepNamed(g *autograd.Graph, o optim.Optimizer, params ...*autograd.Param) {
	g.Reset()
	loss := g.Scalar(0)
	for _, p := range params {
		loss = loss.Add(g.Param(p).Sum())
	}
	o.Step(loss.Backward())
}

func named(names ...string) (params []*autograd.Param) {
	for _, name := range names {
		params = append(params, autograd.NewParam(name, autograd.Ones(2)))
	}
	return params
}

func values(params []*autograd.Param) (v []float64) {
	for _, p := range params {
		v = append(v, p.Tensor().At(0))
	}
	return v
}

// With every optimizer, a Param in a group moves as it does alone, under an
// optimizer with the group's settings; also where the rate changes.
func TestGroupsOfEveryOptimizer(t *testing.T) {
	for name, newOptimizer := range optimizers {
		grouped := newOptimizer(0.1)
		withGroups(t, grouped,
			optim.Group{Params: "encoder.*", LearningRate: optim.Times(0.5)},
			optim.Group{Params: "frozen", Frozen: true})
		params := named("encoder.0.bias", "head", "frozen")
		g := autograd.NewGraph(autograd.Options{})
		plain, half := newOptimizer(0.1), newOptimizer(0.05)
		want := named("plain", "half")
		for step := range 4 {
			if step == 2 {
				for o, rate := range map[optim.Optimizer]float64{grouped: 0.3, plain: 0.3, half: 0.15} {
					setRate(o, rate)
				}
			}
			stepNamed(g, grouped, params...)
			stepNamed(g, plain, want[0])
			stepNamed(g, half, want[1])
		}
		if diff := cmp.Diff([]float64{want[1].Tensor().At(0), want[0].Tensor().At(0), 1}, values(params)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
}

func setRate(o optim.Optimizer, rate float64) {
	switch o := o.(type) {
	case *optim.SGD:
		o.LearningRate = rate
	case *optim.Adam:
		o.LearningRate = rate
	case *optim.AdamW:
		o.LearningRate = rate
	case *optim.RMSProp:
		o.LearningRate = rate
	}
}

// PyTorch's parameter groups, with a rate and a decay of their own.
func TestGroupsAgainstPyTorch(t *testing.T) {
	v := readNewer(t)
	params := paramsOf(autograd.Float64, v.Params...)
	o := optim.NewAdamW(0.1)
	o.WeightDecay = 0.2
	o.Groups = []optim.Group{{Params: "b", LearningRate: optim.Fixed(0.02), WeightDecay: optim.Fixed(0)}}
	g := autograd.NewGraph(autograd.Options{})
	for i, gradients := range v.Gradients {
		o.Step(gradientsOf(g, params, gradients))
		compare(t, i+1, params, v.Groups[i], 1e-12)
	}
}

// The first group whose pattern matches counts; the others' settings, and the
// optimizer's where a group leaves them, stay.
func TestFirstGroupCounts(t *testing.T) {
	o := &optim.SGD{LearningRate: 0.1, WeightDecay: 0.5, Groups: []optim.Group{
		{Params: "*.bias", WeightDecay: optim.Fixed(0)},
		{Params: "encoder.*", LearningRate: optim.Fixed(1)},
		{Params: "[hk]ead.?", LearningRate: optim.Times(3), WeightDecay: optim.Times(2)},
	}}
	params := named("encoder.1.bias", "encoder.weight", "head.w", "encoder", "other/x.bias")
	stepNamed(autograd.NewGraph(autograd.Options{}), o, params...)
	// w − rate·(1 + decay·w); a * does not match a slash.
	want := []float64{1 - 0.1, 1 - 1.5, 1 - 0.3*2, 1 - 0.1*1.5, 1 - 0.1*1.5}
	if diff := cmp.Diff(want, values(params), near); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

var near = cmp.Comparer(func(x, y float64) bool { return math.Abs(x-y) < 1e-15 })

// A frozen group keeps what is remembered, and counts no step; groups that
// change count at once.
func TestGroupsThatChange(t *testing.T) {
	g, o := autograd.NewGraph(autograd.Options{}), optim.NewAdam(0.1)
	frozen := []optim.Group{{Params: "p", Frozen: true}}
	want, params := named("p"), named("p")
	plain := optim.NewAdam(0.1)
	for step := range 6 {
		o.Groups = nil
		if step%2 == 1 {
			o.Groups = frozen
		}
		stepNamed(g, o, params...)
		if step%2 == 0 {
			stepNamed(g, plain, want...)
		}
	}
	if diff := cmp.Diff(values(want), values(params)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	o.Groups = []optim.Group{{Params: "p", LearningRate: optim.Fixed(0)}}
	before := values(params)
	stepNamed(g, o, params...)
	o.Groups[0].LearningRate = optim.Fixed(0.5) // in place
	if diff := cmp.Diff(before, values(params)); diff != "" {
		t.Errorf("a rate of 0 moved: %s", diff)
	}
	stepNamed(g, o, params...)
	if params[0].Tensor().At(0) == before[0] {
		t.Error("a group that was changed in place does not count")
	}
}

// A Param that is renamed, or comes later, is matched by its name then.
func TestGroupsOfLaterNames(t *testing.T) {
	g, o := autograd.NewGraph(autograd.Options{}), optim.NewSGD(0.1)
	o.Groups = []optim.Group{{Params: "slow", LearningRate: optim.Times(0.5)}}
	params := named("slow", "fast")
	stepNamed(g, o, params...)
	params[0].SetName("fast too")
	params = append(params, named("slow")...)
	stepNamed(g, o, params...)
	if diff := cmp.Diff([]float64{0.85, 0.8, 0.95}, values(params), near); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// A mistake in a group is found at the first step, and changes nothing.
func TestGroupMistakes(t *testing.T) {
	for _, test := range []struct {
		groups []optim.Group
		want   string
	}{
		{[]optim.Group{{Params: "encodr.*"}}, `optim: SGD: group 0: no parameter is called "encodr.*": the loss has reached encoder.w, head`},
		{[]optim.Group{{Params: "*"}, {Params: "head"}}, `optim: SGD: group 1: earlier groups have all parameters that are called "head"`},
		{[]optim.Group{{Params: ""}}, `optim: SGD: group 0: no parameter is called ""`},
		{[]optim.Group{{Params: "[a"}}, `optim: SGD: group 0: "[a" is no pattern: see path.Match`},
		{[]optim.Group{{Params: "head", LearningRate: optim.Times(-1)}}, `optim: SGD: LearningRate of group 0, "head", is -0.1, want a finite number from 0 on`},
		{[]optim.Group{{Params: "head", WeightDecay: optim.Fixed(math.NaN())}}, `optim: SGD: WeightDecay of group 0, "head", is NaN`},
		{[]optim.Group{{Params: "head", Frozen: true, WeightDecay: optim.Fixed(0)}}, `optim: SGD: group 0, "head", is frozen and has settings`},
	} {
		o, params := optim.NewSGD(0.1), named("encoder.w", "head")
		o.Groups = test.groups
		for range 2 { // not only once
			err := autograd.Try(func() { stepNamed(autograd.NewGraph(autograd.Options{}), o, params...) })
			var argument *autograd.ArgumentError
			if !errors.As(err, &argument) {
				t.Errorf("%+v: got %v, want an *ArgumentError", test.groups, err)
				continue
			}
			checkText(t, err, test.want)
		}
		if diff := cmp.Diff([]float64{1, 1}, values(params)); diff != "" {
			t.Errorf("%+v: a parameter was changed", test.groups)
		}
	}
	many, o := named("a", "b", "c", "d", "e", "f", "g", "h", "i", "j"), optim.NewRprop(0.1)
	o.Groups = []optim.Group{{Params: "z"}}
	checkText(t, autograd.Try(func() { stepNamed(autograd.NewGraph(autograd.Options{}), o, many...) }),
		`optim: Rprop: group 0: no parameter is called "z": the loss has reached a, b, c, d, e, f, g, h and 2 more`)
	o.Groups = []optim.Group{{Params: "a", WeightDecay: optim.Fixed(1)}}
	checkText(t, autograd.Try(func() { stepNamed(autograd.NewGraph(autograd.Options{}), o, many...) }),
		`optim: Rprop: group 0, "a": there is no weight decay`)
	var empty autograd.Gradients // no Param is reached: nothing to match yet
	optim.NewSGD(0.1).Step(empty)
	sgd := optim.NewSGD(0.1)
	sgd.Groups = []optim.Group{{Params: "a"}}
	sgd.Step(empty)
}

// Steps with groups allocate nothing after the first.
func TestGroupAllocations(t *testing.T) {
	for name, newOptimizer := range optimizers {
		g, o := autograd.NewGraph(autograd.Options{}), newOptimizer(0.01)
		withGroups(t, o, optim.Group{Params: "a.*", LearningRate: optim.Times(0.1)}, optim.Group{Params: "b", Frozen: true})
		params := named("a.w", "b", "c")
		step := func() { stepNamed(g, o, params...) }
		step()
		step()
		if n := mallocs(func() {
			for range 1000 {
				step()
			}
		}); n > 20 { // the runtime's own
			t.Errorf("%s: %d allocations in 1000 steps", name, n)
		}
	}
}
