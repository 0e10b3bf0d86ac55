package autograd_test

import (
	"math"

	"nabla/autograd"
)

// normEpsilon is large, so that its place in the formula shows.
const normEpsilon = 0.25

var none autograd.Value

// batchResult returns what f gives of a batch norm's three results.
func batchResult(i int) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value {
		y, mean, variance := in[0].BatchNorm(argument(in, 1), argument(in, 2), normEpsilon)
		return [3]autograd.Value{y, mean, variance}[i]
	}
}

// argument returns an input, or the zero Value.
func argument(in []autograd.Value, i int) autograd.Value {
	if i < len(in) {
		return in[i]
	}
	return none
}

func layerNorm(axes int) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value {
		return in[0].LayerNorm(axes, argument(in, 1), argument(in, 2), normEpsilon)
	}
}

func rmsNorm(axes int) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value { return in[0].RMSNorm(axes, argument(in, 1), normEpsilon) }
}

func groupNorm(groups int) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value {
		return in[0].GroupNorm(groups, argument(in, 1), argument(in, 2), normEpsilon)
	}
}

func instanceNorm(in ...autograd.Value) autograd.Value {
	return in[0].InstanceNorm(argument(in, 1), argument(in, 2), normEpsilon)
}

func normalize(in ...autograd.Value) autograd.Value {
	return in[0].Normalize(in[1], in[2], argument(in, 3), argument(in, 4), normEpsilon)
}

// A share says what group an element belongs to.
type share func(shape, at []int) int

func ofChannel(_, at []int) int { return at[1] }

func ofRow(axes int) share {
	return func(shape, at []int) int { return offset(shape[:len(shape)-axes], at[:len(at)-axes]) }
}

func ofGroup(groups int) share {
	return func(shape, at []int) int { return at[0]*groups + at[1]/(shape[1]/groups) }
}

// normTwin is the twin of a normalization in groups: about their mean, or about
// 0 if plain is set. scale and shift are broadcast to the axes from first on.
func normTwin(group share, first func(rank int) int, plain bool) func(in ...grid) grid {
	return func(in ...grid) grid {
		x := in[0]
		lists := map[int][]float64{}
		for i, v := range x.data {
			k := group(x.shape, indexOf(x.shape, i))
			lists[k] = append(lists[k], v)
		}
		return build(x.shape, func(at []int) float64 {
			list := lists[group(x.shape, at)]
			mean := meanOf(list)
			spread := variance(list, 0)
			if plain {
				mean, spread = 0, spread+mean*mean
			}
			y := (x.at(at...) - mean) / math.Sqrt(spread+normEpsilon)
			return affineTwin(y, in[1:], at, first(len(at)))
		})
	}
}

// affineTwin multiplies y by a scale and adds a shift, which lie along the axes
// from first on.
func affineTwin(y float64, in []grid, at []int, first int) float64 {
	if len(in) > 0 {
		y *= in[0].at(at[first : first+len(in[0].shape)]...)
	}
	if len(in) > 1 {
		y += in[1].at(at[first : first+len(in[1].shape)]...)
	}
	return y
}

func fromAxis1(int) int { return 1 }

func fromLast(axes int) func(rank int) int { return func(rank int) int { return rank - axes } }

func normalizeTwin(in ...grid) grid {
	return build(in[0].shape, func(at []int) float64 {
		c := at[1]
		y := (in[0].at(at...) - in[1].at(c)) / math.Sqrt(in[2].at(c)+normEpsilon)
		return affineTwin(y, in[3:], at, 1)
	})
}

// perChannel is the twin of a number for each channel.
func perChannel(f func(x []float64) float64) func(in ...grid) grid {
	return func(in ...grid) grid {
		x := in[0]
		lists := make([][]float64, x.shape[1])
		for i, v := range x.data {
			c := indexOf(x.shape, i)[1]
			lists[c] = append(lists[c], v)
		}
		y := zeros(x.shape[1:2])
		for c, list := range lists {
			y.data[c] = f(list)
		}
		return y
	}
}

func varianceTwin(x []float64) float64 { return variance(x, 1) }

// gradientOf is the gradient of f at input i under the last input.
func gradientOf(i int, f func(in ...autograd.Value) autograd.Value) func(in ...autograd.Value) autograd.Value {
	return func(in ...autograd.Value) autograd.Value {
		last := len(in) - 1
		return autograd.VJP(f(in[:last]...), in[last], in[i])[0]
	}
}

var normRows = []opRow{
	{op: "batch norm", shapes: [][]int{{3, 2, 2}, {2}, {2}}, more: [][][]int{{{2, 1}, {1}, {1}}, {{4, 0}, {0}, {0}}, {{5, 3, 2, 4}, {3}, {3}}, {{5, 3, 2, 5}, {3}, {3}}, {{3, 70}, {70}, {70}}, {{2, 35, 3}, {35}, {35}}, {{2, 2, 3, 3, 3}, {2}, {2}}},
		lo: -2, hi: 2, f: batchResult(0), twin: normTwin(ofChannel, fromAxis1, false)},
	{op: "batch norm", note: "long runs", shapes: [][]int{{2, 2, 9}, {2}, {2}}, lo: -2, hi: 2, f: batchResult(0), twin: normTwin(ofChannel, fromAxis1, false)},
	{op: "batch norm", note: "scale alone", shapes: [][]int{{3, 2}, {2}}, more: [][][]int{{{1, 2, 20}, {2}}}, lo: -2, hi: 2, f: batchResult(0), twin: normTwin(ofChannel, fromAxis1, false)},
	{op: "batch norm", note: "plain", shapes: [][]int{{3, 2}}, more: [][][]int{{{1, 2, 20}}, {{200, 3}}}, lo: -2, hi: 2, f: batchResult(0), twin: normTwin(ofChannel, fromAxis1, false)},
	{op: "batch norm", note: "shift alone", shapes: [][]int{{3, 2}, {2}}, more: [][][]int{{{2, 2, 9}, {2}}}, lo: -2, hi: 2,
		f: func(in ...autograd.Value) autograd.Value {
			y, _, _ := in[0].BatchNorm(none, in[1], normEpsilon)
			return y
		},
		twin: func(in ...grid) grid {
			return normTwin(ofChannel, fromAxis1, false)(in[0], filled(in[1].shape, 1), in[1])
		}},
	{op: "batch mean", shapes: [][]int{{3, 2, 2}}, more: [][][]int{{{2, 1}}, {{4, 3, 10}}}, lo: -2, hi: 2, f: batchResult(1), twin: perChannel(meanOf)},
	{op: "batch variance", shapes: [][]int{{3, 2, 2}}, more: [][][]int{{{2, 1}}, {{4, 3, 10}}}, lo: -2, hi: 2, f: batchResult(2), twin: perChannel(varianceTwin)},
	{op: "normalize", shapes: [][]int{{3, 2, 2}, {2}, {2}, {2}, {2}}, more: [][][]int{{{1, 1}, {1}, {1}, {1}, {1}}, {{0, 2}, {2}, {2}, {2}, {2}}, {{2, 0}, {0}, {0}, {0}, {0}}, {{2, 3, 10}, {3}, {3}, {3}, {3}}},
		lo: 0.5, hi: 2, f: normalize, twin: normalizeTwin},
	{op: "normalize", note: "plain", shapes: [][]int{{3, 2}, {2}, {2}}, lo: 0.5, hi: 2, f: normalize, twin: normalizeTwin},
	{op: "normalize", note: "scale alone", shapes: [][]int{{3, 2}, {2}, {2}, {2}}, lo: 0.5, hi: 2, f: normalize, twin: normalizeTwin},

	{op: "layer norm", shapes: [][]int{{3, 4}, {4}, {4}}, more: [][][]int{{{4}, {4}, {4}}, {{2, 1}, {1}, {1}}, {{0, 3}, {3}, {3}}, {{2, 0}, {0}, {0}}, {{2, 3, 70}, {70}, {70}}},
		lo: -2, hi: 2, f: layerNorm(1), twin: normTwin(ofRow(1), fromLast(1), false)},
	{op: "layer norm", note: "two axes", shapes: [][]int{{2, 2, 3}, {2, 3}, {2, 3}}, more: [][][]int{{{2, 3}, {2, 3}, {2, 3}}}, lo: -2, hi: 2, f: layerNorm(2), twin: normTwin(ofRow(2), fromLast(2), false)},
	{op: "layer norm", note: "scale alone", shapes: [][]int{{3, 4}, {4}}, more: [][][]int{{{4, 2, 9}, {9}}}, lo: -2, hi: 2, f: layerNorm(1), twin: normTwin(ofRow(1), fromLast(1), false)},
	{op: "layer norm", note: "shift alone", shapes: [][]int{{3, 4}, {4}}, lo: -2, hi: 2,
		f: func(in ...autograd.Value) autograd.Value { return in[0].LayerNorm(1, none, in[1], normEpsilon) },
		twin: func(in ...grid) grid {
			return normTwin(ofRow(1), fromLast(1), false)(in[0], filled(in[1].shape, 1), in[1])
		}},
	{op: "layer norm", note: "plain", shapes: [][]int{{3, 4}}, lo: -2, hi: 2, f: layerNorm(1), twin: normTwin(ofRow(1), fromLast(1), false)},
	{op: "rms norm", shapes: [][]int{{3, 4}, {4}}, more: [][][]int{{{4}, {4}}, {{2, 1}, {1}}, {{0, 3}, {3}}, {{2, 0}, {0}}, {{2, 3, 70}, {70}}},
		lo: -2, hi: 2, f: rmsNorm(1), twin: normTwin(ofRow(1), fromLast(1), true)},
	{op: "rms norm", note: "two axes", shapes: [][]int{{2, 2, 3}, {2, 3}}, lo: -2, hi: 2, f: rmsNorm(2), twin: normTwin(ofRow(2), fromLast(2), true)},
	{op: "rms norm", note: "plain", shapes: [][]int{{3, 4}}, lo: -2, hi: 2, f: rmsNorm(1), twin: normTwin(ofRow(1), fromLast(1), true)},
	{op: "group norm", shapes: [][]int{{2, 4, 2}, {4}, {4}}, more: [][][]int{{{3, 2}, {2}, {2}}, {{0, 2, 3}, {2}, {2}}, {{2, 0, 3}, {0}, {0}}, {{2, 2, 0}, {2}, {2}}, {{2, 4, 3, 5}, {4}, {4}}},
		lo: -2, hi: 2, f: groupNorm(2), twin: normTwin(ofGroup(2), fromAxis1, false)},
	{op: "group norm", note: "of features", shapes: [][]int{{3, 6}, {6}, {6}}, more: [][][]int{{{3, 140}, {140}, {140}}}, lo: -2, hi: 2, f: groupNorm(2), twin: normTwin(ofGroup(2), fromAxis1, false)},
	{op: "group norm", note: "scale alone", shapes: [][]int{{2, 4, 2}, {4}}, lo: -2, hi: 2, f: groupNorm(2), twin: normTwin(ofGroup(2), fromAxis1, false)},
	{op: "group norm", note: "plain", shapes: [][]int{{2, 4, 2}}, lo: -2, hi: 2, f: groupNorm(2), twin: normTwin(ofGroup(2), fromAxis1, false)},
	{op: "instance norm", shapes: [][]int{{2, 2, 3}, {2}, {2}}, more: [][][]int{{{0, 2, 3}, {2}, {2}}, {{2, 0, 3}, {0}, {0}}, {{1, 1, 2, 9}, {1}, {1}}},
		lo: -2, hi: 2, f: instanceNorm, twin: func(in ...grid) grid { return normTwin(ofGroup(in[0].shape[1]), fromAxis1, false)(in...) }},

	{op: "normalization gradient", note: "of batch norm", shapes: [][]int{{3, 2, 2}, {2}, {2}, {3, 2, 2}}, more: [][][]int{{{2, 2, 9}, {2}, {2}, {2, 2, 9}}}, lo: -1, hi: 1, f: gradientOf(0, batchResult(0))},
	{op: "normalization gradient", note: "of plain batch norm", shapes: [][]int{{4, 2}, {4, 2}}, lo: -1, hi: 1, f: gradientOf(0, batchResult(0))},
	{op: "normalization gradient", note: "of layer norm", shapes: [][]int{{3, 4}, {4}, {4}, {3, 4}}, lo: -1, hi: 1, f: gradientOf(0, layerNorm(1))},
	{op: "normalization gradient", note: "of plain layer norm", shapes: [][]int{{3, 4}, {3, 4}}, lo: -1, hi: 1, f: gradientOf(0, layerNorm(1))},
	{op: "normalization gradient", note: "of rms norm", shapes: [][]int{{3, 4}, {4}, {3, 4}}, lo: -1, hi: 1, f: gradientOf(0, rmsNorm(1))},
	{op: "normalization gradient", note: "of group norm", shapes: [][]int{{2, 4, 2}, {4}, {4}, {2, 4, 2}}, lo: -1, hi: 1, f: gradientOf(0, groupNorm(2))},
	{op: "scale gradient", note: "of batch norm", shapes: [][]int{{3, 2, 2}, {2}, {2}, {3, 2, 2}}, lo: -1, hi: 1, f: gradientOf(1, batchResult(0))},
	{op: "scale gradient", note: "of layer norm", shapes: [][]int{{3, 4}, {4}, {4}, {3, 4}}, lo: -1, hi: 1, f: gradientOf(1, layerNorm(1))},
	{op: "scale gradient", note: "of rms norm", shapes: [][]int{{3, 4}, {4}, {3, 4}}, lo: -1, hi: 1, f: gradientOf(1, rmsNorm(1))},
	{op: "scale gradient", note: "of group norm", shapes: [][]int{{2, 4, 2}, {4}, {4}, {2, 4, 2}}, lo: -1, hi: 1, f: gradientOf(1, groupNorm(2))},
	{op: "shift gradient", shapes: [][]int{{3, 2, 2}, {2}, {2}, {3, 2, 2}}, lo: -1, hi: 1, f: gradientOf(2, batchResult(0))},
}
