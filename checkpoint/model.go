package checkpoint

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"nabla/autograd"
)

// A Model is what a file keeps the parameters and running statistics of. Every
// layer is one. A struct of your own becomes one by a line, and layers.Name
// gives its Params names that follow from its fields:
//
//	func (m *autoencoder) Params() []*autograd.Param { return layers.ParamsOf(m) }
type Model interface {
	Params() []*autograd.Param
}

// Params are parameters as a [Model].
type Params []*autograd.Param

// Params returns p.
func (p Params) Params() []*autograd.Param { return p }

// Save writes the Params of a model, by their names, into the safetensors file
// at path: in their precision, bit by bit. The file is written beside the old
// one, synced and renamed, so that after an error, or if the machine stops, the
// old one stands.
//
// It panics with an *[autograd.NameError] if two Params have the same name, and
// with an *[autograd.ArgumentError] for a name that the format cannot have. The
// error says why the file could not be written.
func Save(path string, model Model) error {
	const op = "checkpoint: Save"
	return save(path, tensorsOf(paramsOf(op, model)), metadata("model"))
}

// paramsOf returns the Params of a model, each once.
func paramsOf(op string, model Model) []*autograd.Param {
	if model == nil {
		panic(autograd.NewArgumentError(op, "there is no model"))
	}
	seen := map[*autograd.Param]bool{nil: true}
	var all []*autograd.Param
	for _, p := range model.Params() {
		if !seen[p] {
			seen[p] = true
			all = append(all, p)
		}
	}
	autograd.CheckNames(op, all...)
	for _, p := range all {
		checkName(op, p.Name())
	}
	return all
}

// checkName panics for what a parameter cannot be called in a file.
func checkName(op, name string) {
	if name == metadataKey || !utf8.ValidString(name) || strings.HasPrefix(name, reserved) {
		panic(autograd.NewArgumentError(op, "a parameter must not be called %q in a file", name))
	}
}

// reserved is how names in a file begin that are not the model's.
const reserved = "nabla/"

// tensorsOf returns the numbers of Params, not copied.
func tensorsOf(params []*autograd.Param) []named {
	tensors := make([]named, len(params))
	for i, p := range params {
		tensors[i] = namedTensor(p.Name(), view(p))
	}
	return tensors
}

// view returns the numbers of a Param, not to be written to.
func view(p *autograd.Param) autograd.Tensor {
	g := autograd.NewGraph(autograd.Options{NoGrad: true, Precision: p.Precision()})
	return g.Param(p).View()
}

// SaveWith is [Save] in the names and the layout of another framework: what it
// writes, [LoadWith] reads with the same options. The file of a network as
// PyTorch has it is one that load_state_dict takes. Ignore and Partial, which
// are about reading, mean nothing here.
//
// It panics as LoadWith does, and with an *[autograd.ArgumentError] if two
// Params have the same name in the file.
func SaveWith(path string, model Model, options Options) error {
	const op = "checkpoint: SaveWith"
	params := paramsOf(op, model)
	options.check(op, params)
	tensors := tensorsOf(params)
	of := map[string]string{}
	for i, p := range params {
		t := &tensors[i]
		t.name = options.in(p)
		if other, ok := of[t.name]; ok {
			panic(autograd.NewArgumentError(op, "the parameters %s and %s are both %q in the file", other, p.Name(), t.name))
		}
		of[t.name] = p.Name()
		checkName(op, t.name)
		if options.Transpose.of(p) {
			t.transpose()
		}
	}
	return save(path, tensors, metadata("model"))
}

// Load reads the Params of a model from the safetensors file at path, which may
// be one of [Save], [Training.Save], PyTorch or Hugging Face. Names and shapes
// are all compared before the first number is changed. Numbers of another type
// are widened or rounded to the Params' precision.
//
// The error is a *[MismatchError] that lists all differences, a *[FormatError]
// if the file is not whole, or says why it could not be read. Only if the disk
// fails while numbers are read are some Params changed and others not. Load
// panics as [Save] does.
func Load(path string, model Model) error {
	return load("checkpoint: Load", path, model, Options{})
}

// Options are what [Load] and [Save] leave at their defaults: what to do with a
// file whose names or layout are others. A tensor's name in the file is that in
// Names, or else what Rename returns, or else the Param's own.
//
//	err := checkpoint.LoadWith("bert.safetensors", model, checkpoint.Options{
//		Names:     map[string]string{"head.weight": "classifier.weight", "head.bias": "classifier.bias"},
//		Rename:    strings.NewReplacer("hidden.", "encoder.layer.").Replace,
//		Transpose: checkpoint.OutIn("embedding.weight"),
//		Ignore:    []string{"*.num_batches_tracked"},
//	})
type Options struct {
	Names     map[string]string        // from the name of a Param to the name in the file
	Rename    func(name string) string // the same as a function
	Transpose Transposition            // which matrices are the other way round in the file
	Ignore    []string                 // patterns, as path.Match has them, of names in the file that the model need not have

	// Partial loads what file and model have in common. Params that are not in
	// the file keep their numbers. There must be something in common, in the
	// same shape.
	Partial bool
}

// A Transposition says which matrices are the other way round in a file. The
// zero Transposition is none.
type Transposition struct {
	patterns []string
	except   bool
	given    bool
}

// OutIn is for files whose weights are [out, in], as those of PyTorch are,
// where Nabla's layers have [in, out]: it transposes all matrices of the model,
// except for those whose names match a pattern, as path.Match has it. Tables of
// embeddings are [words, width] in both.
func OutIn(except ...string) Transposition { return Transposition{except, true, true} }

// Transposed transposes the matrices whose names match a pattern, as path.Match
// has it.
func Transposed(patterns ...string) Transposition { return Transposition{patterns, false, true} }

// of reports whether the tensor of a Param is the other way round.
func (t *Transposition) of(p *autograd.Param) bool {
	return t.given && p.Rank() == 2 && matches(t.patterns, p.Name()) != t.except
}

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, _ := path.Match(pattern, name)
		return ok
	})
}

// LoadWith is [Load] for files that differ from the model in names or layout.
// It also panics with an *[autograd.ArgumentError] for options that make no
// sense: a key of Names that is no Param's, or a pattern that no matrix
// matches, such as a misspelled one.
func LoadWith(path string, model Model, options Options) error {
	return load("checkpoint: LoadWith", path, model, options)
}

func load(op, path string, model Model, options Options) error {
	params := paramsOf(op, model)
	options.check(op, params)
	f, err := Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.load(params, &options)
}

func (f *File) load(params []*autograd.Param, options *Options) error {
	if err := f.checkVersion(); err != nil {
		return err
	}
	plan, err := f.plan(params, options)
	if err != nil {
		return err
	}
	for _, m := range plan {
		if err := f.fill(m); err != nil {
			return err
		}
	}
	return nil
}

// check panics for options that make no sense.
func (o *Options) check(op string, params []*autograd.Param) {
	byName := map[string]*autograd.Param{}
	for _, p := range params {
		byName[p.Name()] = p
	}
	for name := range o.Names {
		if byName[name] == nil {
			panic(autograd.NewArgumentError(op, "Names has %q, and the model has no such parameter", name))
		}
	}
	for _, pattern := range slices.Concat(o.Ignore, o.Transpose.patterns) {
		if _, err := path.Match(pattern, ""); err != nil {
			panic(autograd.NewArgumentError(op, "%q is no pattern: see path.Match", pattern))
		}
	}
	for _, pattern := range o.Transpose.patterns {
		used := func(p *autograd.Param) bool { return p.Rank() == 2 && matches([]string{pattern}, p.Name()) }
		if !slices.ContainsFunc(params, used) {
			panic(autograd.NewArgumentError(op, "Transpose has %q, and the model has no such matrix", pattern))
		}
	}
}

// in returns what a Param is called in the file.
func (o *Options) in(p *autograd.Param) string {
	if name, ok := o.Names[p.Name()]; ok {
		return name
	}
	if o.Rename != nil {
		return o.Rename(p.Name())
	}
	return p.Name()
}

// A move is a tensor of the file and the Param that it goes to.
type move struct {
	info       *Info
	param      *autograd.Param
	transposed bool
}

// plan compares a file with Params and returns what goes where.
func (f *File) plan(params []*autograd.Param, o *Options) ([]move, error) {
	wrong := &MismatchError{Path: f.path}
	taken := map[string]bool{}
	var plan []move
	for _, p := range params {
		name := o.in(p)
		taken[name] = true
		info := f.byName[name]
		if info == nil {
			wrong.Missing = append(wrong.Missing, p.Name())
			continue
		}
		if _, err := f.find(name, isFloat, "numbers with a fraction"); err != nil {
			return nil, err
		}
		m := move{info, p, o.Transpose.of(p)}
		shape := slices.Clone(info.Shape)
		if m.transposed {
			slices.Reverse(shape)
		}
		if !slices.Equal(shape, p.Shape()) {
			wrong.Shapes = append(wrong.Shapes, ShapeMismatch{p.Name(), shape, p.Shape()})
		}
		plan = append(plan, m)
	}
	for _, info := range f.header.infos {
		if !taken[info.Name] && !strings.HasPrefix(info.Name, reserved) && !matches(o.Ignore, info.Name) {
			wrong.Surplus = append(wrong.Surplus, info.Name)
		}
	}
	if o.Partial && len(plan) > 0 {
		wrong.Missing, wrong.Surplus = nil, nil
	}
	slices.Sort(wrong.Missing)
	slices.Sort(wrong.Surplus)
	slices.SortFunc(wrong.Shapes, func(a, b ShapeMismatch) int { return cmp.Compare(a.Name, b.Name) })
	if !wrong.isNone() {
		return nil, wrong
	}
	return plan, nil
}

// fill reads the numbers of a Param.
func (f *File) fill(m move) error {
	if m.param.Precision() == autograd.Float32 {
		return fill(f, m, m.param.Writable().Raw32())
	}
	return fill(f, m, m.param.Writable().Raw64())
}

func fill[T float32 | float64](f *File, m move, dst []T) error {
	if !m.transposed {
		return read(f, m.info, dst)
	}
	whole := make([]T, len(dst))
	if err := read(f, m.info, whole); err != nil {
		return err
	}
	transpose(dst, whole, m.info.Shape[0], m.info.Shape[1])
	return nil
}

// transpose writes the matrix src [rows, columns] the other way round. It goes
// through blocks, so that what is near in either stays in the cache.
func transpose[T any](dst, src []T, rows, columns int) {
	const block = 32
	for top := 0; top < rows; top += block {
		for left := 0; left < columns; left += block {
			for i := top; i < min(top+block, rows); i++ {
				for j := left; j < min(left+block, columns); j++ {
					dst[j*rows+i] = src[i*columns+j]
				}
			}
		}
	}
}

// Marshal returns what [Save] writes.
func Marshal(model Model) ([]byte, error) {
	var b bytes.Buffer
	err := write(&b, tensorsOf(paramsOf("checkpoint: Marshal", model)), metadata("model"))
	return b.Bytes(), err
}

// Unmarshal is [Load] for what [Marshal] returned.
func Unmarshal(text []byte, model Model) error {
	params := paramsOf("checkpoint: Unmarshal", model)
	f, err := newFile("memory", bytes.NewReader(text), int64(len(text)))
	if err != nil {
		return err
	}
	return f.load(params, &Options{})
}

// String lists a file's tensors, a line each: name, type and shape.
func (f *File) String() string {
	var b strings.Builder
	for _, t := range f.header.infos {
		fmt.Fprintf(&b, "%s %s %v\n", t.Name, t.Type, t.Shape)
	}
	return b.String()
}
