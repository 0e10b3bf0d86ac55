package checkpoint

import (
	"fmt"
	"runtime"
	"strconv"

	"nabla/internal/kernel"
)

// version is the number of the format of what Nabla puts into its files: which
// names there are beside the Params', and what they mean. A reader knows its
// own number and all below.
const version = 1

// Keys of the metadata.
const (
	versionKey   = "nabla.format"
	kindKey      = "nabla.kind"    // "model" or "training"
	builtKey     = "nabla.built"   // with which Go, for which processor
	kernelsKey   = "nabla.kernels" // the set of kernels that computed
	epochKey     = "nabla.epoch"
	batchKey     = "nabla.batch"
	frozenKey    = "nabla.frozen"    // a list of names
	optimizerKey = "nabla.optimizer" // a keptOptimizer
)

// metadata returns what every file says.
func metadata(kind string) map[string]string {
	return map[string]string{
		versionKey: strconv.Itoa(version), kindKey: kind,
		builtKey: runtime.Version() + " " + runtime.GOARCH, kernelsKey: kernel.Set(),
	}
}

// checkVersion returns an error for files of a later Nabla. Files of others
// have no version.
func (f *File) checkVersion() error {
	text, ok := f.header.metadata[versionKey]
	if !ok {
		return nil
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < 1 {
		return &FormatError{Path: f.path, Reason: fmt.Sprintf("the format %q is unknown", text)}
	}
	if v > version {
		return &FormatError{Path: f.path, Later: true, Reason: fmt.Sprintf("it has format %d and needs a later version of Nabla: this one reads formats up to %d", v, version)}
	}
	return nil
}
