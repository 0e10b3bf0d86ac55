package autograd_test

import (
	"slices"

	"nabla/autograd"
)

// pixels are labels of two images of 1×3, one of them to ignore.
var pixels = autograd.NewInts([]int{2, 0, 255, 1, 3, 0}, 2, 1, 3)

// labelRows are what labels choose along any axis, some of them ignored.
var labelRows = []opRow{
	{op: "pick along", shapes: [][]int{{2, 4, 1, 3}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return in[0].PickAlong(1, pixels, 255) },
		twin: func(in ...grid) grid {
			return build(pixels.Shape(), func(at []int) float64 {
				label := pixels.Values()[at[0]*3+at[2]]
				if label == 255 {
					return 0
				}
				return in[0].at(at[0], label, at[1], at[2])
			})
		}},
	{op: "pick along", note: "none ignored", shapes: [][]int{{3, 2}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].PickAlong(0, autograd.NewInts([]int{2, 1})) },
		twin: func(in ...grid) grid { return grid{[]int{2}, []float64{in[0].at(2, 0), in[0].at(1, 1)}} }},
	{op: "pick along", note: "all ignored", shapes: [][]int{{3, 2}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value {
			return in[0].PickAlong(-2, autograd.NewInts([]int{7, 7}), 3, 7)
		},
		twin: func(in ...grid) grid { return zeros([]int{2}) }},
	{op: "pick along", note: "a vector", shapes: [][]int{{4}}, lo: -3, hi: 3,
		f: func(in ...autograd.Value) autograd.Value { return in[0].PickAlong(0, pixels, 255) },
		twin: func(in ...grid) grid {
			return build(pixels.Shape(), func(at []int) float64 {
				label := pixels.Values()[at[0]*3+at[2]]
				if label == 255 {
					return 0
				}
				return in[0].at(label)
			})
		}},
	{op: "pick along", note: "none", shapes: [][]int{{0, 3}}, lo: -3, hi: 3,
		f:    func(in ...autograd.Value) autograd.Value { return in[0].PickAlong(1, autograd.NewInts([]int{})) },
		twin: func(in ...grid) grid { return zeros([]int{0}) }},
	{op: "one hot along", shapes: [][]int{{2, 4, 1, 3}}, lo: -3, hi: 3, mask: true,
		f: func(in ...autograd.Value) autograd.Value {
			return in[0].Graph().OneHotAlong(1, pixels, 4, 255)
		},
		twin: func(in ...grid) grid {
			return build([]int{2, 4, 1, 3}, func(at []int) float64 { return truth(at[1] == pixels.Values()[at[0]*3+at[3]]) })
		}},
	{op: "one hot along", note: "all ignored, in front", shapes: [][]int{{2, 3}}, lo: -3, hi: 3, mask: true,
		f: func(in ...autograd.Value) autograd.Value {
			return in[0].Graph().OneHotAlong(0, autograd.NewInts(slices.Repeat([]int{-1}, 3)), 2, -1)
		},
		twin: func(in ...grid) grid { return zeros([]int{2, 3}) }},
}
