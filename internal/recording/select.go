package recording

import (
	"fmt"
)

// A Selection chooses what is drawn of a recording, takes tensors apart, or
// joins values. A drawing or page has a list of them, applied in order. The
// zero Selection changes nothing.
type Selection struct {
	apply func(m *Model) (*Model, error)
}

// WithTroubles lets note add the nodes' troubles, now and again after a
// Selection has taken the recording apart.
func (m *Model) WithTroubles(note func(*Model)) *Model {
	m.note = note
	note(m)
	return m
}

// SelectAll applies the selections in order.
func (m *Model) SelectAll(selections []Selection) (*Model, error) {
	for _, s := range selections {
		if s.apply == nil {
			continue
		}
		var err error
		if m, err = s.apply(m); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// AtMost returns a *[TooManyNodesError] if the model has more nodes than most;
// 0 or less means no limit.
func (m *Model) AtMost(most int) error {
	if most > 0 && len(m.Nodes) > most {
		return &TooManyNodesError{len(m.Nodes), most}
	}
	return nil
}

// A TooManyNodesError says that a drawing would have more boxes than
// Options.MaxNodes allows: Graphviz takes minutes for a few thousand, and
// nobody can read them.
type TooManyNodesError struct {
	Nodes, Max int
}

func (e *TooManyNodesError) Error() string {
	return fmt.Sprintf("%d boxes are more than MaxNodes, %d: draw fewer with a Selection "+
		"(Depth, Collapse, Fold, Focus, Path) or with View: Layers, or raise MaxNodes", e.Nodes, e.Max)
}

// A ViewError says why a recording does not fit a view, and what to do.
type ViewError struct {
	View   string
	Reason string
}

func (e *ViewError) Error() string { return "the view " + e.View + ": " + e.Reason }
