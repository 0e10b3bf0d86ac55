package optim_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/optim"
)

// twoAndTable are two Params and a table of which steps look up some rows.
type twoAndTable struct{ params []*autograd.Param }

func newTwoAndTable(p autograd.Precision) twoAndTable {
	rng := rand.New(rand.NewPCG(3, 0))
	var m twoAndTable
	for _, name := range []string{"a.weight", "a.bias"} {
		m.params = append(m.params, autograd.NewParam(name, autograd.Normal(rng, 0, 1, 3, 2).In(p)))
	}
	m.params = append(m.params, autograd.NewParam("table", autograd.Normal(rng, 0, 1, 5, 2).In(p)))
	return m
}

// step makes step n. Not every step reaches every Param.
func (m twoAndTable) step(g *autograd.Graph, o optim.Optimizer, n int) {
	g.Reset()
	loss := g.Param(m.params[0]).Square().Sum().Add(g.Param(m.params[2]).Embedding(autograd.NewInts([]int{n % 5, 3 * n % 4})).Exp().Sum())
	if n%3 == 0 {
		loss = loss.Add(g.Param(m.params[1]).Sin().Sum())
	}
	o.Step(loss.Backward())
}

func (m twoAndTable) bits() [][]uint64 {
	var all [][]uint64
	for _, p := range m.params {
		var bits []uint64
		for _, v := range p.Tensor().Float64s() {
			bits = append(bits, math.Float64bits(v))
		}
		all = append(all, bits)
	}
	return all
}

// copied is a state through which nothing is shared.
func copied(s optim.State) optim.State {
	s.Params = slices.Clone(s.Params)
	for i, p := range s.Params {
		s.Params[i].Kept = slices.Clone(p.Kept)
		for k, kept := range p.Kept {
			s.Params[i].Kept[k].F64, s.Params[i].Kept[k].F32 = slices.Clone(kept.F64), slices.Clone(kept.F32)
		}
	}
	return s
}

// An optimizer that goes on from the state of another one makes the steps that
// the other one would have made, bit by bit: every optimizer, after any step,
// in both precisions, with groups and settings that have changed.
func TestStateGoesOn(t *testing.T) {
	const steps = 9
	for name, newOptimizer := range optimizers {
		for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			for stop := range steps {
				run := func(from, to int, m twoAndTable, o optim.Optimizer, g *autograd.Graph) {
					for n := from; n < to; n++ {
						if rate := optim.RateOf(o); n == 2 {
							*rate /= 2
						}
						m.step(g, o, n)
					}
				}
				newOne := func() (twoAndTable, optim.Optimizer, *autograd.Graph) {
					return newTwoAndTable(precision), newOptimizer(0.01), autograd.NewGraph(autograd.Options{Precision: precision})
				}
				m, o, g := newOne()
				if name != "Rprop" {
					setGroups(o, []optim.Group{{Params: "*.bias", WeightDecay: optim.Fixed(0.1)}, {Params: "table", LearningRate: optim.Times(0.5)}})
				} else {
					setGroups(o, []optim.Group{{Params: "table", LearningRate: optim.Fixed(0.5)}})
				}
				run(0, stop, m, o, g)
				state, err := optim.StateOf(o, m.params...)
				if err != nil {
					t.Fatal(err)
				}
				state = copied(state)
				m2, o2, g2 := newOne()
				for i, p := range m.params {
					m2.params[i].Set(p.Tensor())
				}
				slices.Reverse(m2.params) // names count, and no order
				if err := optim.SetState(o2, state, m2.params...); err != nil {
					t.Fatal(err)
				}
				slices.Reverse(m2.params)
				run(stop, steps, m, o, g)
				run(stop, steps, m2, o2, g2)
				if diff := cmp.Diff(m.bits(), m2.bits()); diff != "" {
					t.Errorf("%s in %v, stopped after %d steps: (-through +resumed)\n%s", name, precision, stop, diff)
				}
			}
		}
	}
}

func setGroups(o optim.Optimizer, groups []optim.Group) {
	reflect.ValueOf(o).Elem().FieldByName("Groups").Set(reflect.ValueOf(groups))
}

// Every type of the package that has a method Step also has a state: a new
// optimizer must be among those that TestStateGoesOn tries.
func TestEveryOptimizerHasState(t *testing.T) {
	tried := map[string]bool{}
	for _, newOptimizer := range optimizers {
		tried[reflect.TypeOf(newOptimizer(1)).Elem().Name()] = true
	}
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Name.Name != "Step" || f.Recv == nil {
				continue
			}
			found++
			if name := f.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name; !tried[name] {
				t.Errorf("%s is not among the optimizers whose state is tried", name)
			}
		}
	}
	if found < 12 {
		t.Errorf("only %d optimizers found", found)
	}
}

// A state of something else is an error, and changes nothing.
func TestSetStateRefuses(t *testing.T) {
	m := newTwoAndTable(autograd.Float64)
	o := optim.NewAdam(0.01)
	m.step(autograd.NewGraph(autograd.Options{}), o, 0)
	for name, change := range map[string]func(s *optim.State){
		"the state is of optim.SGD, the optimizer is optim.Adam": func(s *optim.State) { s.Type = "optim.SGD" },
		`a parameter "b", which is not here`:                     func(s *optim.State) { s.Params[0].Name = "b" },
		`unknown "moon"`:                                         func(s *optim.State) { s.Params[0].Kept[0].Kind = "moon" },
		`unknown ""`:                                             func(s *optim.State) { s.Params[0].Kept[0].Kind = "" },
		"does not fit its 6 numbers":                             func(s *optim.State) { s.Params[0].Kept[1].F64 = s.Params[0].Kept[1].F64[1:] },
		"does not fit its 6 numbers of float64":                  func(s *optim.State) { s.Params[0].Kept[0] = optim.Kept{Kind: "mean", F32: make([]float32, 6)} },
		"-1 steps":                                               func(s *optim.State) { s.Params[0].Steps = -1 },
		"lacks the setting Beta1":                                func(s *optim.State) { delete(s.Settings, "Beta1") },
		"unknown setting Beta3":                                  func(s *optim.State) { s.Settings["Beta3"] = "1" },
		"setting Epsilon: ":                                      func(s *optim.State) { s.Settings["Epsilon"] = "x" },
		"setting Groups: ":                                       func(s *optim.State) { s.Settings["Groups"] = `[{"Params":"a","WeightDecay":"0x1p-3"}]` },
	} {
		state, err := optim.StateOf(o, m.params...)
		if err != nil {
			t.Fatal(err)
		}
		state = copied(state)
		change(&state)
		other := optim.NewAdam(0.5)
		if err := optim.SetState(other, state, m.params...); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %q", err, name)
		}
		if other.LearningRate != 0.5 {
			t.Errorf("%s: a setting was changed", name)
		}
	}
}

// wrapped is an optimizer of one's own, around another; plain and embedding
// have no state.
type (
	wrapped   struct{ optim.Optimizer }
	plain     struct{ optim.Optimizer }
	embedding struct{ *optim.Adam }
)

func (w wrapped) State(params []*autograd.Param) (optim.State, error) {
	return optim.StateOf(w.Optimizer, params...)
}

func (w wrapped) SetState(params []*autograd.Param, s optim.State) error {
	return optim.SetState(w.Optimizer, s, params...)
}

// Optimizers of other packages say what their state is, or that they have none.
func TestStateful(t *testing.T) {
	m := newTwoAndTable(autograd.Float64)
	o := wrapped{optim.NewAdam(0.01)}
	m.step(autograd.NewGraph(autograd.Options{}), o, 0)
	state, err := optim.StateOf(o, m.params...)
	if err != nil || state.Type != "optim.Adam" || len(state.Params) != 3 {
		t.Errorf("%v, %v", state, err)
	}
	if err := optim.SetState(wrapped{optim.NewAdam(1)}, state, m.params...); err != nil {
		t.Error(err)
	}
	for _, none := range []optim.Optimizer{plain{o}, embedding{optim.NewAdam(1)}, &embedding{optim.NewAdam(1)}, (*optim.Adam)(nil)} {
		_, err := optim.StateOf(none, m.params...)
		if err == nil || optim.SetState(none, state, m.params...) == nil {
			t.Errorf("no error for %T, an optimizer without a state", none)
		}
	}
}
