package train

import (
	"context"
	"math"

	"nabla/autograd"
	"nabla/optim"
)

// RateOptions are the settings of [FindRate]. A zero stands for what is said
// beside it.
type RateOptions struct {
	From, To float64 // the rates of the first and the last step; 1e-7 and 10
	Steps    int     // 100
	Seed     uint64  // of the rows' order, if the configuration has an RNG

	// Smooth is how much of the running mean of the losses is kept in each
	// step; 0.9.
	Smooth float64
}

// A RateCurve is what [FindRate] found.
type RateCurve struct {
	Points []RatePoint

	// Suggested is the rate at which the smoothed loss falls most steeply over
	// the logarithm of the rate, a good one to begin with. It is NaN if the
	// loss never falls.
	Suggested float64
}

// A RatePoint is a step of the search.
type RatePoint struct {
	Rate     float64
	Loss     float64 // of the step's rows, before the step
	Smoothed float64 // the running mean of the losses so far
}

// FindRate makes steps whose rate grows from nearly nothing to far too much,
// each by the same factor, and returns the losses (Smith, Cyclical learning
// rates, 2017). It ends early once the smoothed loss is four times the lowest,
// or not finite.
//
// All is then as it was: the parameters and statistics bit by bit, and, since
// they are not used, the optimizer's memory and the stream of the
// configuration's RNG. The steps are made with a fresh optimizer of the same
// settings, see [optim.Anew], in a graph of their own. Schedule, Callbacks,
// Metrics and Validation of the configuration do not count. It fails as [Run]
// does, but not if the training diverges.
func FindRate(ctx context.Context, config Config, data Data, options RateOptions) (RateCurve, error) {
	var s *rateSearch
	if err := autograd.Try(func() { s = newRateSearch(config, options) }); err != nil {
		return RateCurve{}, err
	}
	defer s.restore()
	_, err := Run(ctx, s.config, data)
	if len(s.curve.Points) > 0 && diverged(err) {
		err = nil
	}
	s.curve.Suggested = s.suggest()
	return s.curve, err
}

// A rateSearch is a search under way. It is a callback of the training.
type rateSearch struct {
	config  Config
	options RateOptions
	curve   RateCurve
	mean    float64 // running, not yet corrected for its beginning at 0
	kept    float64 // Smooth to the power of the steps
	lowest  float64
	before  map[*autograd.Param]autograd.Tensor
}

func newRateSearch(config Config, o RateOptions) *rateSearch {
	const op = "train: FindRate"
	orElse(&o.From, 1e-7)
	orElse(&o.To, 10)
	orElse(&o.Smooth, 0.9)
	orElse(&o.Steps, 100)
	switch {
	case !(o.From > 0 && o.To > o.From) || math.IsInf(o.To, 1):
		panic(autograd.NewArgumentError(op, "rates from %v to %v: want finite numbers above 0 that grow", o.From, o.To))
	case o.Steps < 2:
		panic(autograd.NewArgumentError(op, "%d steps, want at least 2", o.Steps))
	case !(o.Smooth >= 0 && o.Smooth < 1):
		panic(autograd.NewArgumentError(op, "Smooth is %v, want a number in [0, 1)", o.Smooth))
	case config.Optimizer == nil:
		panic(autograd.NewArgumentError(op, "there is no Optimizer"))
	}
	s := &rateSearch{options: o, kept: 1, lowest: math.Inf(1), before: map[*autograd.Param]autograd.Tensor{}}
	config.Optimizer = optim.Anew(config.Optimizer)
	config.Schedule, config.ScheduleByEpoch = optim.Exponential(o.From, math.Pow(o.To/o.From, 1/float64(o.Steps-1))), false
	config.Epochs, config.Metrics, config.Validation = o.Steps, nil, Data{}
	config.OnEpoch, config.Callbacks, config.Resume = nil, []Callback{s}, ""
	if config.RNG != nil && config.Loader == nil {
		config.RNG, config.Loader = nil, &LoaderOptions{Seed: o.Seed}
	}
	s.config = config
	return s
}

func orElse[T comparable](v *T, standard T) {
	var zero T
	if *v == zero {
		*v = standard
	}
}

// OnGradients keeps what the step is going to change.
func (s *rateSearch) OnGradients(_ *Training, step Step) error {
	keep := func(p *autograd.Param) {
		if _, ok := s.before[p]; !ok {
			s.before[p] = p.Tensor()
		}
	}
	for p := range step.Gradients.Stored() {
		keep(p)
	}
	for p := range step.Gradients.Observations() {
		keep(p)
	}
	return nil
}

// OnStep adds a point to the curve.
func (s *rateSearch) OnStep(t *Training, step Step) error {
	s.mean = s.options.Smooth*s.mean + (1-s.options.Smooth)*step.Loss
	s.kept *= s.options.Smooth
	smoothed := s.mean / (1 - s.kept)
	s.curve.Points = append(s.curve.Points, RatePoint{t.LearningRate(), step.Loss, smoothed})
	s.lowest = min(s.lowest, smoothed)
	if len(s.curve.Points) == s.options.Steps || smoothed > 4*math.Abs(s.lowest) {
		return Stop
	}
	return nil
}

// OnEpoch makes the search a Callback.
func (s *rateSearch) OnEpoch(*Training, Epoch) error { return nil }

func (s *rateSearch) restore() {
	for p, t := range s.before {
		p.Set(t)
	}
}

// suggest returns the rate of the steepest fall before the lowest loss, over as
// many steps as it takes to see it through the noise.
func (s *rateSearch) suggest() float64 {
	points, reach := s.curve.Points, max(1, s.options.Steps/20)
	best, steepest := math.NaN(), 0.0
	for i := reach; i+reach < len(points) && points[i-reach].Smoothed > s.lowest; i++ {
		if slope := points[i+reach].Smoothed - points[i-reach].Smoothed; slope < steepest {
			best, steepest = points[i].Rate, slope
		}
	}
	return best
}
