package graphviz

// A trouble is something wrong with a value or its gradient, in words.
type trouble struct {
	kind troubleKind
	text string
}

// A troubleKind tells troubles apart.
type troubleKind uint8

const (
	troubleNonFinite troubleKind = iota // a NaN or an infinity
)

// diagnose notes at each node what is wrong with it.
func (m *model) diagnose() {
	for i := range m.nodes {
		n := &m.nodes[i]
		switch {
		case n.value.broken():
			n.troubles = append(n.troubles, trouble{troubleNonFinite, "NaN or Inf in its value"})
		case n.state == reached && n.gradient.broken():
			n.troubles = append(n.troubles, trouble{troubleNonFinite, "NaN or Inf in its gradient"})
		}
	}
}
