package autograd

import "fmt"

// A NameError says that two Params that are used together have the same name,
// so that a file, a group or a drawing could not tell them apart.
type NameError struct {
	Op   string
	Name string // of both
	Location
}

func (e *NameError) Error() string {
	what := fmt.Sprintf("two parameters are called %q", e.Name)
	if e.Name == "" {
		what = "two parameters have no name"
	}
	return fmt.Sprintf("%s: %s: layers.Name(model) names a struct's by its fields, layers.NewSequential by their place, at %v",
		qualified(e.Op), what, e.Location)
}

func (*NameError) fault() {}

// CheckNames panics with a [*NameError] if two different parameters have the
// same name. Op is the operation that needs to tell them apart and begins with
// the package: "train: Run".
func CheckNames(op string, params ...*Param) {
	named := make(map[string]*Param, len(params))
	for _, p := range params {
		if p == nil {
			continue
		}
		if other := named[p.name]; other != nil && other != p {
			panic(&NameError{op, p.name, callSite()})
		}
		named[p.name] = p
	}
}
