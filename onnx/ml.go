package onnx

import "nabla/onnx/internal/message"

// ml are operators of the domain ai.onnx.ml that scikit-learn's networks need.
func ml() map[string]operator {
	return map[string]operator{
		"ArrayFeatureExtractor": {since(1), 2, 2, 1, buildArrayFeatureExtractor},
		"Binarizer":             {since(1), 1, 1, 1, buildBinarizer},
		"LabelEncoder":          {since(1, 2, 4), 1, 1, 1, buildLabelEncoder},
		"Normalizer":            {since(1), 1, 1, 1, buildNormalizer},
		"Scaler":                {since(1), 1, 1, 1, buildScaler},
	}
}

// buildArrayFeatureExtractor takes elements along the last axis.
func buildArrayFeatureExtractor(*node) func(*call) {
	return func(c *call) {
		x := c.tensor(0)
		if x.rank() == 0 {
			c.failShapes("x is a scalar", x.shape())
		}
		axis := x.rank() - 1
		index := c.indices(1, x.shape()[axis])
		y := c.along(x, axis, index.Values())
		if x.rank() == 1 {
			y = c.reshape(y, []int{1, index.Size()})
		}
		c.set(0, y)
	}
}

func buildBinarizer(n *node) func(*call) {
	threshold := n.float("threshold", 0)
	return func(c *call) { c.setLike(0, c.value(0).GreaterScalar(threshold)) }
}

// buildScaler returns (x − offset)·scale, by columns.
func buildScaler(n *node) func(*call) {
	offset, scale := n.floats("offset"), n.floats("scale")
	return func(c *call) {
		x := c.numbers(0)
		for _, list := range [][]float64{offset, scale} {
			if len(list) != 1 && (x.Rank() == 0 || len(list) != x.Dim(-1)) {
				c.failShapes("there is not one offset and scale for each column", x.Shape(), []int{len(list)})
			}
		}
		g := c.graph()
		y := x.Sub(g.Constant(newTensor(offset, []int{len(offset)}))).Mul(g.Constant(newTensor(scale, []int{len(scale)})))
		c.set(0, ofValue(message.Float, y))
	}
}

// buildNormalizer divides rows by a norm.
func buildNormalizer(n *node) func(*call) {
	norm := n.oneOf("norm", "MAX", "MAX", "L1", "L2")
	return func(c *call) {
		x := c.numbers(0)
		var by value
		switch norm {
		case "MAX":
			by = x.KeepDims().Max(-1)
		case "L1":
			by = x.Abs().KeepDims().Sum(-1)
		default:
			by = x.KeepDims().Norm(2, -1)
		}
		c.set(0, ofValue(message.Float, x.Div(by)))
	}
}

// buildLabelEncoder looks labels up in a table.
func buildLabelEncoder(n *node) func(*call) {
	var keys, values *datum
	if n.version == 1 {
		keys, values = n.classes()
	} else {
		keys, values = n.labels("keys"), n.labels("values")
	}
	otherwise := []datum{
		ofStrings([]string{n.string("default_string", "_Unused")}, 1), ofInts(message.Int64, []int64{int64(n.int("default_int64", -1))}, 1),
		ofFloats(message.Float, []float64{n.float("default_float", 0)}, 1),
	}
	if d := n.tensor("default_tensor"); d != nil {
		otherwise = append(otherwise, *d)
	}
	if keys == nil || values == nil || keys.size() != values.size() {
		n.unsupported("keys and values that do not fit each other")
		return nil
	}
	return func(c *call) {
		x := c.tensor(0)
		table := map[string]int{}
		for i, k := range c.labelsOf(*keys) {
			if _, ok := table[k]; !ok {
				table[k] = i
			}
		}
		from := make([]int, x.size())
		for i, k := range c.labelsOf(x) {
			at, ok := table[k]
			if !ok {
				at = values.size()
			}
			from[i] = at
		}
		for _, d := range otherwise {
			if d.elem == values.elem && d.size() == 1 {
				all := c.concat(0, []datum{c.reshape(*values, []int{-1}), c.reshape(d, []int{1})})
				c.set(0, c.pick(all, from, x.shape()))
			}
		}
	}
}

// labelsOf returns labels as texts, by which they are compared.
func (c *call) labelsOf(x datum) []string {
	if x.elem == message.String {
		return x.host.strings
	}
	return c.castToStrings(x).host.strings
}

// labels returns the keys or values of a table, nil if there are none.
func (n *node) labels(which string) *datum {
	var d datum
	if t := n.tensor(which + "_tensor"); t != nil {
		return t
	}
	if list := n.strings(which + "_strings"); list != nil {
		d = ofStrings(list, len(list))
	} else if list := n.ints(which + "_int64s"); list != nil {
		d = ofInts(message.Int64, converted(list, func(v int) int64 { return int64(v) }), len(list))
	} else if list := n.floats(which + "_floats"); list != nil {
		d = ofFloats(message.Float, list, len(list))
	} else {
		return nil
	}
	return &d
}

// classes returns the table of the first version, which gives names their
// place.
func (n *node) classes() (keys, values *datum) {
	list := n.strings("classes_strings")
	names, places := ofStrings(list, len(list)), make([]int64, len(list))
	for i := range places {
		places[i] = int64(i)
	}
	numbers := ofInts(message.Int64, places, len(list))
	return &names, &numbers
}
