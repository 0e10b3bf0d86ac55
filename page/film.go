package page

import (
	"fmt"
	"io"
	"slices"

	"nabla/autograd"
	"nabla/explain"
	"nabla/internal/file"
	"nabla/internal/recording"
)

// A Film is a page that shows a network learning: the forward pass, the loss,
// the backward pass and the update of each recorded epoch.
//
//	film := page.NewFilm(page.Options{Title: "One weight learns"})
//	film.Keep = page.Every(40)
//	for epoch := range 800 {
//		g.Reset()
//		loss := g.Param(w).Mul(g.Scalar(3)).Sub(g.Scalar(2)).Square()
//		gradients := loss.Backward()
//		film.Record(epoch, loss, gradients)
//		optimizer.Step(gradients)
//		film.Adjusted(optimizer.LearningRate)
//	}
//	err := film.WriteFile("weight.html")
//
// The first error of Record, such as a change of the network's structure, is
// kept and returned by Write and WriteFile, as bufio.Writer does, so that the
// loop need not check it.
type Film struct {
	// Keep chooses which of the recorded epochs the page shows; nil means all.
	// The loss of every epoch is kept. The last epoch is always shown, unless
	// its graph has been Reset before the page is written.
	Keep func(epoch int) bool

	op      string // the function that errors name
	options Options
	plan    *plan // of the first kept epoch, and so of all
	frames  []frame
	losses  lossCurve
	pending bool // the last recorded epoch is kept, and its update may follow
	params  []updated
	last    *spare // the last recorded epoch, if Keep leaves it out
	err     error
}

// A spare is an epoch that becomes the film's last one if no other follows: its
// recording and the parameters at that time.
type spare struct {
	epoch     int
	loss      autograd.Value
	gradients autograd.Gradients
	params    []*autograd.Param
	versions  []uint64
	before    []autograd.Tensor
	rate      float64
	adjusted  bool
}

// An updated is a drawn parameter or one element of it.
type updated struct {
	node    int
	param   *autograd.Param
	element int
	before  recording.Node
}

// Every returns a Keep function that keeps every n-th epoch, starting with 0.
// It panics with an *[autograd.ArgumentError] if n is not positive.
func Every(n int) func(epoch int) bool {
	if n <= 0 {
		panic(autograd.NewArgumentError("page: Every", "%d is not positive", n))
	}
	return func(epoch int) bool { return epoch%n == 0 }
}

// NewFilm returns an empty film. The options say what is drawn of each epoch. A
// Selection with a Value, such as Focus, is valid for one recording only, so it
// can be used in a film of one epoch only. It panics with an
// *[autograd.ArgumentError] if an option is invalid.
func NewFilm(o Options) *Film {
	return &Film{op: "page: Film", options: o.checked()}
}

// A StructureError says that a film's network differed between two epochs.
type StructureError struct {
	Epoch int
	What  string // what differs
}

func (e *StructureError) Error() string {
	return fmt.Sprintf("the network of epoch %d has another structure: %s", e.Epoch, e.What)
}

// A TraceError says that gradients were recorded on a graph without Trace,
// whose backward pass the page could not show.
type TraceError struct{ Epoch int }

func (e *TraceError) Error() string {
	return fmt.Sprintf("the graph of epoch %d has no Trace, so that its backward pass cannot be shown: make it with autograd.Options{Trace: true}", e.Epoch)
}

// Record copies what an epoch computed. Call it after Backward and before the
// optimizer's step. epoch is the number that the reader sees: the loss before
// any training is that of epoch 0.
//
// It returns a *[TraceError], a *[StructureError], a
// *[graphviz.TooManyNodesError] or the error of a Selection. Write also returns
// the first of these errors, so a loop need not check them. It panics with an
// *[autograd.ShapeError] if the loss is not a single number.
func (f *Film) Record(epoch int, loss autograd.Value, gradients autograd.Gradients) error {
	f.pending, f.last = false, nil
	if loss.Size() != 1 {
		panic(autograd.NewShapeError(f.op, "the loss is no single number", loss.Shape()))
	}
	f.losses.add(epoch, loss.Item())
	if f.err != nil {
		return f.err
	}
	switch {
	case gradients != autograd.Gradients{} && !loss.Graph().Options().Trace:
		f.err = &TraceError{epoch}
	case f.Keep != nil && !f.Keep(epoch):
		f.last = newSpare(epoch, loss, gradients)
	default:
		f.err = f.shoot(epoch, loss, gradients)
		f.pending = f.err == nil
	}
	return f.err
}

// shoot keeps an epoch.
func (f *Film) shoot(epoch int, loss autograd.Value, gradients autograd.Gradients) error {
	m, err := recording.New(loss, gradients, f.options.Elements).WithTroubles(explain.Note).SelectAll(f.options.Select)
	if err == nil {
		err = m.AtMost(f.options.MaxNodes)
	}
	if err != nil {
		return err
	}
	return f.add(epoch, m)
}

func newSpare(epoch int, loss autograd.Value, gradients autograd.Gradients) *spare {
	s := &spare{epoch: epoch, loss: loss, gradients: gradients}
	for n := range loss.Ancestors() {
		if n.Kind == autograd.KindParam {
			s.params, s.before = append(s.params, n.Param), append(s.before, n.Param.Tensor())
			s.versions = append(s.versions, n.Param.Version())
		}
	}
	return s
}

// asItWas calls f with the parameters set to the numbers of the epoch.
func (s *spare) asItWas(f func()) {
	for i, p := range s.params {
		inner := f
		f = func() { p.AsAt(s.versions[i], s.before[i], inner) }
	}
	f()
}

// withLast returns the film with the last recorded epoch, if it is still
// available.
func (f *Film) withLast() *Film {
	if f.last == nil || f.err != nil {
		return f
	}
	full := *f
	full.frames = slices.Clip(f.frames)
	if f.plan != nil {
		plan := *f.plan
		plan.Nodes = slices.Clone(plan.Nodes)
		full.plan = &plan
	}
	full.params = nil
	if err := autograd.Try(func() { f.last.asItWas(func() { full.err = full.shoot(f.last.epoch, f.last.loss, f.last.gradients) }) }); err != nil || full.err != nil {
		return f
	}
	if full.pending = true; f.last.adjusted {
		full.Adjusted(f.last.rate)
	}
	return &full
}

// add keeps the numbers of an epoch's model.
func (f *Film) add(epoch int, m *recording.Model) error {
	p := planOf(m)
	p.addFeatures(m, f.options.inputs, f.options.targets)
	if f.plan == nil {
		f.plan = p
	} else if what := f.plan.differs(p); what != "" {
		return &StructureError{epoch, what}
	}
	if p.Row == nil {
		f.plan.Row = nil
	}
	for i := range p.Nodes { // a constant that differs from before
		if p.Nodes[i].Computed != f.plan.Nodes[i].Computed {
			f.plan.Nodes[i].Computed = ""
		}
	}
	shot := frameOf(m)
	shot.Epoch, shot.Rows = epoch, f.plan.rowsBeside(p)
	if f.options.Fit != nil {
		shot.Fit = f.options.Fit.shoot()
	}
	f.frames = append(f.frames, shot)
	f.params = f.params[:0]
	for i := range m.Nodes {
		if n := &m.Nodes[i]; n.Kind == autograd.KindParam && n.Source.Param != nil {
			f.params = append(f.params, updated{i, n.Source.Param, n.Element, *n})
		}
	}
	return nil
}

// Adjusted copies the parameters' new values. Call it after the optimizer's
// step. The page writes w − α·dw = new if that is what happened, and w + Δ =
// new for rules other than plain gradient descent.
//
// It panics with an *[autograd.ArgumentError] if Record was not called before.
func (f *Film) Adjusted(learningRate float64) {
	if len(f.losses.Epochs) == 0 {
		panic(autograd.NewArgumentError("page: Film", "Adjusted without Record before it"))
	}
	if f.last != nil {
		f.last.rate, f.last.adjusted = learningRate, true
	}
	if !f.pending {
		return
	}
	f.pending = false
	last := &f.frames[len(f.frames)-1]
	last.Rate = number64(learningRate)
	for _, u := range f.params {
		last.Updates = append(last.Updates, u.next(f, learningRate))
	}
}

// next returns the new numbers, or computed if they are w − α·dw to the last
// bit.
func (u updated) next(f *Film, rate float64) any {
	n := u.numbers(f.options.Elements)
	if w, dw := u.before.Value, u.before.Gradient; n.Size == 1 && dw.Size == 1 && sameBits(n.Few[0], w.Few[0]-float64(rate*dw.Few[0])) {
		return computed
	}
	return encoded(n)
}

// numbers returns a parameter's present numbers.
func (u updated) numbers(limit int) recording.Numbers {
	n := recording.NewNumbers(u.param.Tensor(), limit)
	if u.element == recording.Whole {
		return n
	}
	return recording.NewNumbers(autograd.Scalar(recording.ElementsOf(u.param.Tensor())[u.element]), limit)
}

// Write writes the page: one self-contained file that needs no network.
//
// It returns the error of w, the first error of [Film.Record], or an error if
// no epoch was kept.
func (f *Film) Write(w io.Writer) error {
	text, err := f.render()
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return nil
}

// WriteFile writes the page to a file, replaced as a whole: it writes a
// temporary file and renames it.
func (f *Film) WriteFile(path string) error {
	text, err := f.render()
	if err == nil {
		err = file.Replace(path, text)
	}
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return nil
}

func (f *Film) render() ([]byte, error) {
	if f.err != nil {
		return nil, f.err
	}
	full := f.withLast()
	if len(full.frames) == 0 {
		return nil, fmt.Errorf("the film has no epoch: none was recorded, or Keep kept none and the last one's graph has been Reset")
	}
	return pageText(full)
}

// Write writes a page that steps through the forward and the backward pass of
// root, with the arithmetic written out: predict, measure, feedback, and, with
// Options.LearningRate, adjust. grads is the result of a backward pass of the
// same recording, or zero Gradients if there was none yet. The page is a [Film]
// of one epoch.
//
// The errors and panics are those of [Film.Write] and [Film.Record].
func Write(w io.Writer, root autograd.Value, grads autograd.Gradients, o Options) error {
	return filmOf(root, grads, o).Write(w)
}

// WriteFile writes the page to a file, replaced as a whole: it writes a
// temporary file and renames it.
func WriteFile(path string, root autograd.Value, grads autograd.Gradients, o Options) error {
	return filmOf(root, grads, o).WriteFile(path)
}

// filmOf returns the film of one recording.
func filmOf(root autograd.Value, grads autograd.Gradients, o Options) *Film {
	f := NewFilm(o)
	f.op = "page: Write"
	f.Record(0, root, grads)
	return f
}
