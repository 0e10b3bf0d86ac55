package onnx

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// ImportOptions are what [Import] leaves at its defaults. The zero
// ImportOptions are these defaults.
type ImportOptions struct {
	// Folder has the files of external data, which large networks keep their
	// weights in. Only what lies in it is read: a path that leads out, or a
	// link that does, is an error. "": external data are an error.
	Folder string

	// Train says whether an initializer of floating-point numbers is a Param,
	// which a file does not: nil decides as Import says. What operators read
	// as settings, such as the bounds of Clip, never is.
	Train func(name string, shape []int) bool

	// MaxElements bounds how many elements the results of all nodes of one run
	// may have together, so that a few bytes of a file cannot ask for all
	// memory; 0: 2²⁹, which are 2 GiB in Float32 and 4 GiB of others.
	MaxElements int

	// MaxSteps bounds how many nodes one run may run, those in loops each time;
	// 0: 10,000,000.
	MaxSteps int
}

const (
	defaultMaxElements = 1 << 29
	defaultMaxSteps    = 10_000_000
)

// Import reads a network from a file in the ONNX format.
//
// It returns an *[UnsupportedError] that names all nodes whose operators have
// no counterpart here, and another error for what is not a valid network: wrong
// counts, names that are defined twice or never, cycles, a function that calls
// itself. External data need [ImportFile] or a Folder.
//
// Initializers of floating-point numbers become Params under their names, in
// the precision of the file: Float64 for double, else Float32. They stay
// constants if operators read them as settings (scales of Resize, bounds of
// Clip), or if they are what PyTorch's exporter makes of a constant in the
// program (one element called val_ and a number, or a first state of a
// recurrent network of such a name) or what Nabla's makes of one. Running means
// and variances become statistics: those of BatchNormalization, and what is
// called running_mean or running_var. ImportOptions.Train decides otherwise,
// and a Param that shall not be trained can be Frozen.
func Import(r io.Reader) (*Model, error) { return ImportWith(r, ImportOptions{}) }

// ImportWith is [Import] with options.
func ImportWith(r io.Reader, options ImportOptions) (*Model, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	return importBytes(b, options)
}

// ImportFile is [Import] for a file with external data beside it.
func ImportFile(path string) (*Model, error) { return ImportFileWith(path, ImportOptions{}) }

// ImportFileWith is [ImportFile] with options. Their Folder, if it is not "",
// stands for that of the file.
func ImportFileWith(path string, options ImportOptions) (*Model, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	if options.Folder == "" {
		options.Folder = filepath.Dir(path)
	}
	return importBytes(b, options)
}

func importBytes(b []byte, options ImportOptions) (*Model, error) {
	if options.MaxElements < 0 || options.MaxSteps < 0 {
		panic(autograd.NewArgumentError("onnx: Import", "a limit is negative"))
	}
	if options.MaxElements == 0 {
		options.MaxElements = defaultMaxElements
	}
	if options.MaxSteps == 0 {
		options.MaxSteps = defaultMaxSteps
	}
	file, err := message.Unmarshal(b)
	if err != nil {
		return nil, err
	}
	var outside *external
	if options.Folder != "" {
		if outside, err = openExternal(options.Folder); err != nil {
			return nil, err
		}
		defer outside.close()
	}
	m, err := compileModel(file, outside, options)
	if err != nil && !errors.As(err, new(*UnsupportedError)) {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	return m, err
}

func compileModel(file *message.Model, outside *external, options ImportOptions) (*Model, error) {
	c, err := newCompiler(file, outside, options.MaxElements)
	if err != nil {
		return nil, err
	}
	if v := c.opsets[""]; v > newestOpset {
		c.unsupported = append(c.unsupported, Unsupported{Op: "opset_import", Opset: v, Reason: fmt.Sprintf("the newest that is known is %d", newestOpset)})
	}
	p, err := c.graph(file.Graph, nil, nil)
	if err != nil {
		return nil, err
	}
	if len(c.unsupported) > 0 {
		return nil, &UnsupportedError{c.unsupported}
	}
	m := &Model{program: p, options: options, name: file.Graph.Name}
	if err := m.describe(file.Graph); err != nil {
		return nil, err
	}
	if err := m.makeParams(c); err != nil {
		return nil, err
	}
	return m, nil
}

// makeParams decodes the initializers of the main graph, and makes Params of
// some.
func (m *Model) makeParams(c *compiler) error {
	for i := range m.program.initial {
		d := &m.program.initial[i].datum
		t, ok := c.later[d.host]
		if !ok {
			continue
		}
		role := c.roleOf(t.Name, d.host, m.options.Train)
		decoded, err := decodeTensor(t, c.outside)
		if err != nil {
			return err
		}
		switch *d = decoded; role {
		case usedAsNumbers:
			d.param = autograd.NewParam(t.Name, tensorOf(*d))
		case usedAsStatistic:
			d.param = autograd.NewStatistic(t.Name, tensorOf(*d))
		default:
			continue
		}
		d.host = nil
		m.params = append(m.params, d.param)
	}
	return nil
}

// Names that exporters give to what has none in the program.
var (
	anonymous = regexp.MustCompile(`^val_\d+$`)                   // PyTorch's
	constant  = regexp.MustCompile(`^(constant|variable)(_.*)?$`) // Nabla's own
	running   = regexp.MustCompile(`\.running_(mean|var)$`)       // of both, where a normalization is written in other operators
)

// roleOf decides what becomes of an initializer.
func (c *compiler) roleOf(name string, a *array, train func(string, []int) bool) use {
	uses := c.uses[a]
	switch {
	case uses == usedAsStatistic || uses == usedAsNumbers && running.MatchString(name):
		return usedAsStatistic
	case uses&(usedAsSetting|usedAsStatistic) != 0 || uses == 0:
		return usedAsSetting
	case train != nil:
		if !train(name, append([]int(nil), a.shape...)) {
			return usedAsSetting
		}
	case c.model.ProducerName == "nabla" && constant.MatchString(name):
		return usedAsSetting
	case anonymous.MatchString(name) && (uses&usedAsState != 0 || product(a.shape) <= 1):
		return usedAsSetting
	}
	return usedAsNumbers
}

// tensorOf returns an array of floating-point numbers as a Tensor of the
// file's precision.
func tensorOf(d datum) autograd.Tensor {
	t := newTensor(d.host.floats, d.host.shape)
	if d.elem == message.Double {
		return t
	}
	return t.In(autograd.Float32)
}
