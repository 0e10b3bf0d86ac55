package optim

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"nabla/autograd"
	"nabla/internal/weakmap"
)

// A State is all that an optimizer has besides the Params: its settings, and
// what it remembers of each Param by its name. With it an optimizer goes on as
// if it had never stopped.
type State struct {
	Type     string            // of the optimizer: "optim.Adam"
	Settings map[string]string // its exported fields, numbers in hexadecimal
	Matched  bool              // whether Groups have been found to have Params, at the first step
	Params   []ParamState      // of those that it has made a step with
}

// A ParamState is what an optimizer remembers of a Param.
type ParamState struct {
	Name    string
	Steps   int     // made with the Param
	Product float64 // of NAdam's momenta so far
	Kept    []Kept
}

// Kept are numbers of an optimizer for each one of a Param's, in its precision:
// one of the slices is nil.
type Kept struct {
	Kind string // "mean", "square", "velocity", …
	F64  []float64
	F32  []float32
}

// A Stateful is an optimizer of your own that [StateOf] and [SetState] ask for
// its state. One around another optimizer returns that of the other.
type Stateful interface {
	State(params []*autograd.Param) (State, error)
	SetState(params []*autograd.Param, s State) error
}

// StateOf returns the state of an optimizer, as far as it is about these
// Params. Its numbers are the optimizer's own: they are valid until its next
// step, and must not be changed.
//
// An optimizer of another package must be a [Stateful]; that it is not is the
// error.
func StateOf(o Optimizer, params ...*autograd.Param) (State, error) {
	if s, ok := o.(Stateful); ok {
		return s.State(params)
	}
	m, err := memoryOf(o)
	if err != nil {
		return State{}, err
	}
	s := State{Type: typeName(o), Settings: settingsOf(o), Matched: len(m.groups.groups) > 0}
	for _, p := range params {
		if known := m.of(p); known != nil {
			s.Params = append(s.Params, known.export(p.Name()))
		}
	}
	return s, nil
}

// SetState makes an optimizer go on from a state that another one of the same
// type had with these Params: Params are found by their names. The optimizer
// gets the settings of the state, and takes its numbers over.
//
// It returns an error, and changes nothing, if the state is that of another
// type, or does not fit the Params.
func SetState(o Optimizer, s State, params ...*autograd.Param) error {
	if own, ok := o.(Stateful); ok {
		return own.SetState(params, s)
	}
	set, err := setterOf(o, s, params)
	if err == nil {
		set()
	}
	return err
}

// CheckState returns the error that [SetState] would return, and changes
// nothing. A [Stateful] is not asked.
func CheckState(o Optimizer, s State, params ...*autograd.Param) error {
	if _, ok := o.(Stateful); ok {
		return nil
	}
	_, err := setterOf(o, s, params)
	return err
}

// setterOf returns what sets the state of an optimizer, if it fits.
func setterOf(o Optimizer, s State, params []*autograd.Param) (set func(), err error) {
	m, err := memoryOf(o)
	if err != nil {
		return nil, err
	}
	if s.Type != typeName(o) {
		return nil, fmt.Errorf("optim: the state is of %s, the optimizer is %s", s.Type, typeName(o))
	}
	byName := map[string]*autograd.Param{}
	for _, p := range params {
		byName[p.Name()] = p
	}
	var states weakmap.Map[autograd.Param, *state]
	for _, kept := range s.Params {
		p := byName[kept.Name]
		if p == nil {
			return nil, fmt.Errorf("optim: the state has a parameter %q, which is not here", kept.Name)
		}
		known, err := kept.state(p)
		if err != nil {
			return nil, err
		}
		states.Set(p, known)
	}
	setFields, err := readSettings(o, s.Settings)
	if err != nil {
		return nil, err
	}
	return func() {
		setFields()
		m.states, m.groups = states, matcher{}
		if groups := settings(o)["Groups"]; s.Matched && groups.IsValid() {
			m.groups.groups = slices.Clone(groups.Interface().([]Group))
		}
	}, nil
}

// keeper is what every optimizer of this package is: memory has the method.
type keeper interface{ remembered() *memory }

func (m *memory) remembered() *memory { return m }

// memoryOf returns the memory of an optimizer of this package. A struct around
// one has its methods, and may have settings that nothing here knows of.
func memoryOf(o Optimizer) (*memory, error) {
	k, ok := o.(keeper)
	v := reflect.ValueOf(o)
	if !ok || v.Kind() != reflect.Pointer || v.IsNil() || v.Type().Elem().PkgPath() != reflect.TypeFor[memory]().PkgPath() {
		return nil, fmt.Errorf("optim: %T has no state to keep: it needs the methods of optim.Stateful", o)
	}
	return k.remembered(), nil
}

func typeName(o Optimizer) string { return strings.TrimPrefix(fmt.Sprintf("%T", o), "*") }

// names are what kinds are called in files: they must not change.
var names = [kinds]string{
	mean: "mean", square: "square", most: "most", velocity: "velocity", change: "change", last: "last", size: "size",
}

// export returns what is remembered of a Param of that name.
func (s *state) export(name string) ParamState {
	p := ParamState{Name: name, Steps: s.steps, Product: s.product}
	for kind, n := range s.kept {
		if name := names[kind]; name != "" && !n.isNone() {
			p.Kept = append(p.Kept, Kept{name, n.f64, n.f32})
		}
	}
	return p
}

// state returns what is remembered of a Param, if it fits.
func (s *ParamState) state(p *autograd.Param) (*state, error) {
	made := &state{shape: p.Shape(), precision: p.Precision(), steps: s.Steps, product: s.Product}
	if s.Steps < 0 {
		return nil, fmt.Errorf("optim: %d steps with parameter %q", s.Steps, s.Name)
	}
	for _, kept := range s.Kept {
		kind := slices.Index(names[:], kept.Kind)
		if kind < 0 || kept.Kind == "" {
			return nil, fmt.Errorf("optim: the state has an unknown %q of parameter %q", kept.Kind, s.Name)
		}
		size := len(kept.F64)
		if p.Precision() == autograd.Float32 {
			size = len(kept.F32)
		}
		if size != p.Size() || size != len(kept.F64)+len(kept.F32) {
			return nil, fmt.Errorf("optim: the state's %s of parameter %q does not fit its %d numbers of %v", kept.Kind, s.Name, p.Size(), p.Precision())
		}
		made.kept[kind] = numbers{kept.F64, kept.F32}
	}
	return made, nil
}

// settingsOf returns the exported fields of an optimizer as texts.
func settingsOf(o Optimizer) map[string]string {
	all := map[string]string{}
	for name, field := range settings(o) {
		switch v := field.Addr().Interface().(type) {
		case *float64:
			all[name] = hex(*v)
		case *bool:
			all[name] = strconv.FormatBool(*v)
		case *[]Group:
			all[name] = groupsText(*v)
		}
	}
	return all
}

// settings returns the exported fields by their names.
func settings(o Optimizer) map[string]reflect.Value {
	v, all := reflect.ValueOf(o).Elem(), map[string]reflect.Value{}
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() {
			all[f.Name] = v.Field(i)
		}
	}
	return all
}

// readSettings returns what sets the fields of an optimizer to texts, which
// must be about all of them.
func readSettings(o Optimizer, texts map[string]string) (func(), error) {
	fields, values := settings(o), map[string]reflect.Value{}
	for name, field := range fields {
		text, ok := texts[name]
		if !ok {
			return nil, fmt.Errorf("optim: the state lacks the setting %s", name)
		}
		var v any
		var err error
		switch field.Interface().(type) {
		case float64:
			v, err = strconv.ParseFloat(text, 64)
		case bool:
			v, err = strconv.ParseBool(text)
		case []Group:
			v, err = readGroups(text)
		}
		if err != nil {
			return nil, fmt.Errorf("optim: the state's setting %s: %w", name, err)
		}
		values[name] = reflect.ValueOf(v)
	}
	for name := range texts {
		if _, ok := fields[name]; !ok {
			return nil, fmt.Errorf("optim: the state has an unknown setting %s", name)
		}
	}
	return func() {
		for name, v := range values {
			fields[name].Set(v)
		}
	}, nil
}

func hex(v float64) string { return strconv.FormatFloat(v, 'x', -1, 64) }

// A groupText is a Group as it stands in files.
type groupText struct {
	Params       string
	LearningRate string `json:",omitempty"`
	WeightDecay  string `json:",omitempty"`
	Frozen       bool   `json:",omitempty"`
}

func groupsText(groups []Group) string {
	texts := make([]groupText, len(groups))
	for i, g := range groups {
		texts[i] = groupText{g.Params, g.LearningRate.text(), g.WeightDecay.text(), g.Frozen}
	}
	text, _ := json.Marshal(texts) // texts always can be
	return string(text)
}

func readGroups(text string) ([]Group, error) {
	var texts []groupText
	if err := json.Unmarshal([]byte(text), &texts); err != nil {
		return nil, err
	}
	var groups []Group
	for _, t := range texts {
		rate, err := readSetting(t.LearningRate)
		if err != nil {
			return nil, err
		}
		decay, err := readSetting(t.WeightDecay)
		if err != nil {
			return nil, err
		}
		groups = append(groups, Group{t.Params, rate, decay, t.Frozen})
	}
	return groups, nil
}

// text returns a Setting as it stands in files: "= 0x1p-3" or "× 0x1p-3".
func (s Setting) text() string {
	switch s.how {
	case fixed:
		return "= " + hex(s.v)
	case times:
		return "× " + hex(s.v)
	}
	return ""
}

func readSetting(text string) (Setting, error) {
	if text == "" {
		return Setting{}, nil
	}
	how, number, _ := strings.Cut(text, " ")
	v, err := strconv.ParseFloat(number, 64)
	switch {
	case err != nil:
		return Setting{}, err
	case how == "=":
		return Fixed(v), nil
	case how == "×":
		return Times(v), nil
	}
	return Setting{}, fmt.Errorf("%q is no setting", text)
}
