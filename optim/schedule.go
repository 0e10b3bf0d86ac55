package optim

import (
	"math"
	"reflect"
	"slices"

	"nabla/autograd"
)

// A Schedule is a learning rate that changes: what it is at step n, which
// counts from 0. It may count epochs as well: the numbers in its making then
// are epochs.
//
//	schedule := optim.WarmUp(100, optim.Cosine(0.01, 1000))
//	for n := range 1100 {
//		optimizer.LearningRate = schedule.At(n)
//		…
//	}
//
// The schedules of this package follow from n alone, but for a [Plateau], and
// any number of trainings may share one. Groups of an optimizer that say
// [Times] follow the rate, and those that say [Fixed] do not. A rate that is
// not a finite number from 0 on, and a number of steps below 1, panic with an
// *[autograd.ArgumentError] where the schedule is made, as At does for an n
// below 0.
type Schedule interface {
	At(n int) float64
}

// A schedule is one that n alone decides.
type schedule func(n int) float64

// At returns the rate of step n.
func (s schedule) At(n int) float64 {
	checkStep("optim: Schedule.At", n)
	return s(n)
}

func checkStep(op string, n int) {
	if n < 0 {
		panic(autograd.NewArgumentError(op, "n is %d: steps count from 0", n))
	}
}

// checkSchedule panics unless rate and steps make sense.
func checkSchedule(op string, rate float64, steps int) {
	checkFrom0(op, "the rate", rate)
	if steps < 1 {
		panic(autograd.NewArgumentError(op, "%d steps, want at least 1", steps))
	}
}

// checkFactor panics unless a rate stays a rate when multiplied by it.
func checkFactor(op, name string, v float64) {
	if !(v > 0) || math.IsInf(v, 1) {
		panic(autograd.NewArgumentError(op, "%s is %v, want a finite number above 0", name, v))
	}
}

// Constant returns the schedule of a rate that stays.
func Constant(rate float64) Schedule {
	checkFrom0("optim: Constant", "the rate", rate)
	return schedule(func(int) float64 { return rate })
}

// Step returns the schedule whose rate is multiplied by a factor every so many
// steps:
//
//	rate · factor^⌊n/every⌋
func Step(rate float64, every int, factor float64) Schedule {
	const op = "optim: Step"
	checkSchedule(op, rate, every)
	checkFactor(op, "the factor", factor)
	return schedule(func(n int) float64 { return rate * math.Pow(factor, float64(n/every)) })
}

// Milestones returns the schedule whose rate is multiplied by a factor at each
// of those steps. A step that is named twice counts twice.
func Milestones(rate, factor float64, at ...int) Schedule {
	const op = "optim: Milestones"
	checkFrom0(op, "the rate", rate)
	checkFactor(op, "the factor", factor)
	at = slices.Clone(at)
	return schedule(func(n int) float64 {
		passed := 0
		for _, step := range at {
			if step <= n {
				passed++
			}
		}
		return rate * math.Pow(factor, float64(passed))
	})
}

// Exponential returns the schedule whose rate is multiplied by a factor after
// every step:
//
//	rate · factorⁿ
func Exponential(rate, factor float64) Schedule {
	const op = "optim: Exponential"
	checkFrom0(op, "the rate", rate)
	checkFactor(op, "the factor", factor)
	return schedule(func(n int) float64 { return rate * math.Pow(factor, float64(n)) })
}

// Polynomial returns the schedule whose rate falls to 0 over some steps, and
// stays there; with a power of 1 in a straight line:
//
//	rate · (1 − n/steps)^power
func Polynomial(rate float64, steps int, power float64) Schedule {
	const op = "optim: Polynomial"
	checkSchedule(op, rate, steps)
	checkFactor(op, "the power", power)
	return schedule(func(n int) float64 { return rate * math.Pow(1-part(n, steps), power) })
}

// Cosine returns the schedule whose rate falls to 0 over some steps along half
// a wave of the cosine, and stays there (Loshchilov and Hutter, SGDR, 2017):
//
//	rate · (1 + cos(π·n/steps)) / 2
func Cosine(rate float64, steps int) Schedule {
	return cosine("optim: Cosine", rate, steps, CosineOptions{})
}

// CosineOptions are what [Cosine] leaves at its defaults.
type CosineOptions struct {
	End      float64 // what the rate falls to, in place of 0
	Restarts bool    // it begins anew once it is there, again and again
	Growth   int     // each time in so many times the steps of the time before; 0: 1
}

// CosineWith is [Cosine] with other options.
func CosineWith(rate float64, steps int, options CosineOptions) Schedule {
	return cosine("optim: CosineWith", rate, steps, options)
}

func cosine(op string, rate float64, steps int, o CosineOptions) Schedule {
	checkSchedule(op, rate, steps)
	checkFrom0(op, "End", o.End)
	if o.Growth < 0 {
		panic(autograd.NewArgumentError(op, "Growth is %d", o.Growth))
	}
	return schedule(func(n int) float64 {
		length := steps
		for o.Restarts && n >= length {
			if o.Growth < 2 {
				n %= length
				break
			}
			n -= length
			if length > math.MaxInt/o.Growth { // longer than any n
				length = math.MaxInt
			} else {
				length *= o.Growth
			}
		}
		return wave(rate, o.End, part(n, length))
	})
}

// part returns how much of the steps n are, at most 1.
func part(n, steps int) float64 { return min(1, float64(n)/float64(steps)) }

// wave returns where half a wave from start to end is at a part of it.
func wave(start, end, part float64) float64 {
	return end + (start-end)*(1+math.Cos(math.Pi*part))/2
}

// line is wave in a straight line.
func line(start, end, part float64) float64 { return start + (end-start)*part }

// OneCycle returns the schedule that rises to a peak and falls to almost
// nothing, in so many steps in all (Smith and Topin, Super-convergence, 2018),
// with PyTorch's settings. The momentum does not change.
func OneCycle(peak float64, steps int) Schedule {
	return oneCycle("optim: OneCycle", peak, steps, OneCycleOptions{Rise: 0.3, Start: 1. / 25, End: 1. / 25e4})
}

// OneCycleOptions are the settings of [OneCycleWith]: a zero means zero.
type OneCycleOptions struct {
	Rise      float64 // the part of the steps that the rate rises in, above 0 and below 1; [OneCycle] has 0.3
	Start     float64 // of the peak; OneCycle has 1/25
	End       float64 // of the peak; OneCycle has 1/250,000
	Straight  bool    // it rises and falls in straight lines, not along a cosine
	Symmetric bool    // it falls to Start in as many steps as it rose in, and goes on to End
}

// OneCycleWith is [OneCycle] with settings of one's own. It panics with an
// *[autograd.ArgumentError] if they leave less than a step for a part of the
// cycle.
func OneCycleWith(peak float64, steps int, options OneCycleOptions) Schedule {
	return oneCycle("optim: OneCycleWith", peak, steps, options)
}

func oneCycle(op string, peak float64, steps int, o OneCycleOptions) Schedule {
	checkSchedule(op, peak, steps)
	checkFrom0(op, "Start", o.Start)
	checkFrom0(op, "End", o.End)
	between := wave
	if o.Straight {
		between = line
	}
	top, last := o.Rise*float64(steps)-1, float64(steps-1)
	times, rates := []float64{0, top, last}, []float64{o.Start * peak, peak, o.End * peak}
	if o.Symmetric {
		times, rates = []float64{0, top, 2 * top, last}, []float64{o.Start * peak, peak, o.Start * peak, o.End * peak}
	}
	for i, t := range times[1:] {
		if !(t > times[i]) {
			panic(autograd.NewArgumentError(op, "Rise is %v of %d steps: a part of the cycle has no step", o.Rise, steps))
		}
	}
	return schedule(func(n int) float64 {
		at := min(float64(n), last)
		i := 1
		for at > times[i] {
			i++
		}
		return between(rates[i-1], rates[i], (at-times[i-1])/(times[i]-times[i-1]))
	})
}

// WarmUp puts steps in front of a schedule in which the rate rises in a
// straight line to the one that the schedule begins with. The schedule's own
// steps count from the end of the warm-up:
//
//	(n+1)/steps · then(0)    for n < steps
//	then(n − steps)          from there on
func WarmUp(steps int, then Schedule) Schedule {
	const op = "optim: WarmUp"
	if then == nil {
		panic(autograd.NewArgumentError(op, "there is no schedule to warm up for"))
	}
	if steps < 0 {
		panic(autograd.NewArgumentError(op, "%d steps", steps))
	}
	return &warmUp{steps, then}
}

type warmUp struct {
	steps int
	then  Schedule
}

// At returns the rate of step n.
func (w *warmUp) At(n int) float64 {
	checkStep("optim: Schedule.At", n)
	if n < w.steps {
		return w.then.At(0) * float64(n+1) / float64(w.steps)
	}
	return w.then.At(n - w.steps)
}

// Observe passes a loss on.
func (w *warmUp) Observe(loss float64) {
	if o, ok := w.then.(interface{ Observe(loss float64) }); ok {
		o.Observe(loss)
	}
}

// RateOf returns where the learning rate of an optimizer is: the field
// LearningRate of the struct that it points to, a float64, which every
// optimizer of this package has. It returns nil if there is none.
//
//	*optim.RateOf(optimizer) = schedule.At(n)
func RateOf(optimizer Optimizer) *float64 {
	v := reflect.ValueOf(optimizer)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return nil
	}
	field := v.Elem().FieldByName("LearningRate")
	if !field.IsValid() || !field.CanSet() {
		return nil
	}
	rate, _ := field.Addr().Interface().(*float64)
	return rate
}

// Anew returns an optimizer with the settings of another one, its exported
// fields, that remembers nothing of earlier steps. Of an optimizer in one of
// the fields, it has a new one too. It panics with an
// *[autograd.ArgumentError] if the optimizer is not a pointer to a struct.
func Anew(optimizer Optimizer) Optimizer {
	v := reflect.ValueOf(optimizer)
	if !isPointerToStruct(v) {
		panic(autograd.NewArgumentError("optim: Anew", "%T is no pointer to a struct", optimizer))
	}
	from, to := v.Elem(), reflect.New(v.Elem().Type())
	for i := range from.NumField() {
		if !from.Type().Field(i).IsExported() {
			continue
		}
		field := from.Field(i)
		if inner, ok := field.Interface().(Optimizer); ok && isPointerToStruct(reflect.ValueOf(inner)) {
			field = reflect.ValueOf(Anew(inner))
		}
		to.Elem().Field(i).Set(field)
	}
	return to.Interface().(Optimizer)
}

func isPointerToStruct(v reflect.Value) bool {
	return v.Kind() == reflect.Pointer && !v.IsNil() && v.Elem().Kind() == reflect.Struct
}
