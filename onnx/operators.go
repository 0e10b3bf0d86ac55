package onnx

import "slices"

// An operator is one of ONNX's: the versions of the opset at which its
// definition changed, as far as they are known here, the numbers of inputs and
// outputs (−1: any), and the function that reads a node's attributes and
// returns what the node does.
type operator struct {
	versions    []int64
	least, most int
	outputs     int
	build       func(n *node) func(c *call)
}

// version returns which of the operator's definitions an opset has, 0 for none.
func (o operator) version(opset int64) int64 {
	if opset > newestOpset {
		return 0
	}
	v := int64(0)
	for _, since := range o.versions {
		if since <= opset {
			v = since
		}
	}
	return v
}

// since lists versions of an opset.
func since(versions ...int64) []int64 { return versions }

// operatorOf returns an operator by its domain and name.
func operatorOf(domain, name string) (operator, bool) {
	if domain != "" {
		op, ok := foreign[domain][name]
		return op, ok
	}
	for _, family := range families {
		if op, ok := family[name]; ok {
			return op, true
		}
	}
	return operator{}, false
}

// families are the tables of ONNX's own operators, by file.
var families []map[string]operator

// foreign are the tables of other domains.
var foreign map[string]map[string]operator

// The tables hold functions that compile subgraphs, which look operators up:
// only init breaks this cycle.
func init() {
	families = []map[string]operator{
		activations(), arithmetic(), comparisons(), casts(), reductions(), shaping(), indexing(), convolutions(), pooling(),
		normalizations(), products(), recurrent(), attentions(), resizing(), losses(), constants(), control(), sequences(), sorting(), sampling(), quantizing(), signals(), detection(), integers(),
	}
	foreign = map[string]map[string]operator{"ai.onnx.ml": ml()}
}

// supported returns the names of ONNX's own operators that are known, sorted.
func supported() []string {
	var names []string
	for _, family := range families {
		for name := range family {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
