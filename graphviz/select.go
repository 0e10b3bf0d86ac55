package graphviz

import "fmt"

// A Selection chooses what is drawn of a recording, or takes it apart or
// together. Options.Select has those of a drawing, which are applied in order.
// The zero Selection changes nothing.
type Selection struct {
	apply func(m *model) (*model, error)
}

// A TooManyNodesError says that a drawing would have more boxes than
// Options.MaxNodes allows: Graphviz takes minutes for some thousand, and
// nobody can read them.
type TooManyNodesError struct {
	Nodes, Max int
}

func (e *TooManyNodesError) Error() string {
	return fmt.Sprintf("%d boxes are more than MaxNodes, %d: draw fewer with a Selection "+
		"(Depth, Collapse, Fold, Focus, Path) or with View: Layers, or raise MaxNodes", e.Nodes, e.Max)
}
