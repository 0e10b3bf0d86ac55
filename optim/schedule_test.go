package optim_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"nabla/autograd"
	"nabla/optim"
)

// A scheduleCase is one of testdata/schedules.json.
type scheduleCase struct {
	Name     string
	Settings struct {
		WarmUp                        int `json:"warm up"`
		Steps, Patience, Cooldown     *int
		Factor, Power, Rise, Start    *float64
		MinDelta                      *float64 `json:"min_delta"`
		End, Least                    float64
		At                            []int
		Growth                        int
		Restarts, Straight, Symmetric bool
		Absolute, Greater             bool
	}
	Rate          float64
	Losses, Rates []float64
}

func (c scheduleCase) schedule(t *testing.T) optim.Schedule {
	s := c.Settings
	switch c.Name {
	case "constant":
		return optim.Constant(c.Rate)
	case "step":
		return optim.Step(c.Rate, *s.Steps, *s.Factor)
	case "milestones":
		return optim.Milestones(c.Rate, *s.Factor, s.At...)
	case "exponential":
		return optim.Exponential(c.Rate, *s.Factor)
	case "polynomial":
		return optim.Polynomial(c.Rate, *s.Steps, *s.Power)
	case "cosine":
		if s.End == 0 && !s.Restarts {
			return optim.Cosine(c.Rate, *s.Steps)
		}
		return optim.CosineWith(c.Rate, *s.Steps, optim.CosineOptions{End: s.End, Restarts: s.Restarts, Growth: s.Growth})
	case "one cycle":
		if s.Rise == nil {
			return optim.OneCycle(c.Rate, *s.Steps)
		}
		return optim.OneCycleWith(c.Rate, *s.Steps, optim.OneCycleOptions{
			Rise: *s.Rise, Start: *s.Start, End: s.End, Straight: s.Straight, Symmetric: s.Symmetric,
		})
	case "plateau":
		p := optim.NewPlateau(c.Rate)
		set(&p.Factor, s.Factor)
		set(&p.MinDelta, s.MinDelta)
		set(&p.Patience, s.Patience)
		set(&p.Cooldown, s.Cooldown)
		p.Least, p.Absolute, p.Greater = s.Least, s.Absolute, s.Greater
		return p
	}
	t.Fatalf("unknown schedule %q", c.Name)
	return nil
}

func set[T any](field, v *T) {
	if v != nil {
		*field = *v
	}
}

func scheduleCases(t *testing.T) []scheduleCase {
	t.Helper()
	text, err := os.ReadFile("testdata/schedules.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct{ Cases []scheduleCase }
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Cases) == 0 {
		t.Fatal("no cases were read")
	}
	return v.Cases
}

func TestSchedulesTorch(t *testing.T) {
	for _, c := range scheduleCases(t) {
		s := c.schedule(t)
		if c.Settings.WarmUp > 0 {
			s = optim.WarmUp(c.Settings.WarmUp, s)
		}
		falls := 0
		for n, want := range c.Rates {
			got := s.At(n)
			if !(math.Abs(got-want) <= 1e-13*c.Rate+1e-12*want) {
				t.Errorf("%s %+v: step %d has the rate %v, want %v", c.Name, c.Settings, n, got, want)
				break
			}
			if n > 0 && want < c.Rates[n-1] {
				falls++
			}
			if o, ok := s.(interface{ Observe(float64) }); ok && len(c.Losses) > 0 {
				o.Observe(c.Losses[n])
			}
		}
		if falls == 0 && c.Name != "constant" {
			t.Errorf("%s: the rate never falls", c.Name)
		}
	}
}

// After its end a schedule stays where it is, also long after.
func TestSchedulesEnd(t *testing.T) {
	for name, c := range map[string]struct {
		schedule optim.Schedule
		end      float64
	}{
		"polynomial": {optim.Polynomial(0.1, 10, 2), 0},
		"cosine":     {optim.CosineWith(0.1, 10, optim.CosineOptions{End: 0.02}), 0.02},
		"one cycle":  {optim.OneCycleWith(0.1, 10, optim.OneCycleOptions{Rise: 0.3, Start: 0.1, End: 0.5}), 0.05},
		"warm-up":    {optim.WarmUp(3, optim.Cosine(0.1, 7)), 0},
		"no warm-up": {optim.WarmUp(0, optim.Constant(0.3)), 0.3},
	} {
		for _, n := range []int{10, 11, 1000, math.MaxInt} {
			if got := c.schedule.At(n); math.Abs(got-c.end) > 1e-15 {
				t.Errorf("%s: step %d has the rate %v, want %v", name, n, got, c.end)
			}
		}
	}
	restarting := optim.CosineWith(0.1, 3, optim.CosineOptions{Restarts: true, Growth: 5})
	if got := restarting.At(math.MaxInt); !(got >= 0 && got <= 0.1) {
		t.Errorf("after %d steps the rate is %v", math.MaxInt, got)
	}
}

// A warm-up passes on what its schedule observes and remembers.
func TestWarmUpOfAPlateau(t *testing.T) {
	type learner interface {
		optim.Schedule
		Observe(float64)
		State() ([]byte, error)
		SetState([]byte) error
	}
	make := func() learner {
		p := optim.NewPlateau(0.8)
		p.Factor, p.Patience = 0.5, 1
		return optim.WarmUp(4, p).(learner)
	}
	s := make()
	if got := []float64{s.At(0), s.At(1), s.At(3), s.At(4)}; got[0] != 0.2 || got[1] != 0.4 || got[2] != 0.8 || got[3] != 0.8 {
		t.Errorf("the rates are %v", got)
	}
	for range 3 {
		s.Observe(1)
	}
	if s.At(4) != 0.4 {
		t.Errorf("after 3 equal losses the rate is %v", s.At(4))
	}
	state, err := s.State()
	if err != nil {
		t.Fatal(err)
	}
	resumed := make()
	if err := resumed.SetState(state); err != nil {
		t.Fatal(err)
	}
	for i := range 9 {
		s.Observe(1)
		resumed.Observe(1)
		if s.At(i) != resumed.At(i) {
			t.Fatalf("after %d more losses the resumed rate is %v, not %v", i+1, resumed.At(i), s.At(i))
		}
	}
	for _, state := range [][]byte{nil, state[1:], append(state, 0)} {
		if resumed.SetState(state) == nil {
			t.Errorf("a state of %d bytes was taken", len(state))
		}
	}
}

func TestPlateauNaN(t *testing.T) {
	p := optim.NewPlateau(1)
	p.Patience = 1
	for range 2 {
		p.Observe(math.NaN())
	}
	if p.At(0) != 0.1 {
		t.Errorf("after two NaN the rate is %v", p.At(0))
	}
}

func TestScheduleMistakes(t *testing.T) {
	for want, f := range map[string]func(){
		"optim: Constant: the rate is -1, want a finite number from 0 on":          func() { optim.Constant(-1) },
		"optim: Cosine: 0 steps, want at least 1":                                  func() { optim.Cosine(1, 0) },
		"optim: CosineWith: Growth is -2":                                          func() { optim.CosineWith(1, 1, optim.CosineOptions{Growth: -2}) },
		"optim: Step: the factor is NaN, want a finite number above 0":             func() { optim.Step(1, 1, math.NaN()) },
		"optim: Milestones: the factor is 0, want a finite number above 0":         func() { optim.Milestones(1, 0, 1) },
		"optim: Exponential: the rate is +Inf, want a finite number from 0 on":     func() { optim.Exponential(math.Inf(1), 1) },
		"optim: Polynomial: the power is -1, want a finite number above 0":         func() { optim.Polynomial(1, 1, -1) },
		"optim: OneCycle: Rise is 0.3 of 3 steps: a part of the cycle has no step": func() { optim.OneCycle(1, 3) },
		"optim: WarmUp: there is no schedule to warm up for":                       func() { optim.WarmUp(3, nil) },
		"optim: WarmUp: -3 steps":                                                  func() { optim.WarmUp(-3, optim.Constant(1)) },
		"optim: Schedule.At: n is -1: steps count from 0":                          func() { optim.Constant(1).At(-1) },
		"optim: Plateau: Factor is 1, want a number in [0, 1)":                     func() { (&optim.Plateau{Factor: 1}).Observe(1) },
		"optim: Plateau: Patience is -1 and Cooldown 0, want numbers from 0 on":    func() { (&optim.Plateau{Patience: -1}).Observe(1) },
	} {
		err := autograd.Try(f)
		argument, ok := err.(*autograd.ArgumentError)
		if !ok || argument.Op+": "+argument.Reason != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

type ownOptimizer struct{ *optim.SGD }

func TestRateOf(t *testing.T) {
	sgd := optim.NewSGD(0.25)
	for _, o := range []optim.Optimizer{
		sgd, optim.NewAdam(0.25), optim.NewAdamW(0.25), optim.NewNAdam(0.25), optim.NewRAdam(0.25), optim.NewAdamax(0.25),
		optim.NewRMSProp(0.25), optim.NewRprop(0.25), optim.NewAdagrad(0.25), optim.NewLion(0.25), optim.NewLAMB(0.25),
		&ownOptimizer{SGD: sgd},
	} {
		rate := optim.RateOf(o)
		if rate == nil || *rate != 0.25 {
			t.Errorf("%T: the rate is %v", o, rate)
		}
	}
	if optim.RateOf(optim.NewAdadelta(1)) == nil {
		t.Error("Adadelta has no rate")
	}
	for _, o := range []optim.Optimizer{nil, (*optim.SGD)(nil), noRate{}, &noRate{}} {
		if optim.RateOf(o) != nil {
			t.Errorf("%T has a rate", o)
		}
	}
}

type noRate struct{}

func (noRate) Step(autograd.Gradients) {}

func TestSchedulesAllocateNothing(t *testing.T) {
	p := optim.NewPlateau(0.1)
	schedules := []optim.Schedule{
		optim.Milestones(1, 0.1, 3, 5), optim.WarmUp(3, optim.Cosine(1, 10)), optim.OneCycle(1, 30), p,
	}
	n := testing.AllocsPerRun(100, func() {
		for _, s := range schedules {
			s.At(7)
		}
		p.Observe(1)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// An optimizer around another one has a new one of these too.
func TestAnewOfInner(t *testing.T) {
	inner := &optim.SGD{LearningRate: 0.5, Momentum: 0.9}
	for _, outer := range []optim.Optimizer{&ownOptimizer{inner}, &struct{ optim.Optimizer }{inner}} {
		anew := optim.Anew(outer)
		if rate := optim.RateOf(anew); rate != nil {
			*rate = 3
		}
		params := named("w")
		stepNamed(autograd.NewGraph(autograd.Options{}), anew, params...)
		if state, err := optim.StateOf(inner, params...); err != nil || len(state.Params) > 0 || inner.LearningRate != 0.5 {
			t.Errorf("%T: the optimizer inside is shared: %+v", outer, inner)
		}
	}
}
