package graphviz

import (
	"fmt"
	"slices"
	"strings"

	"github.com/emicklei/dot"

	"nabla/internal/recording"
)

// sharedColors are the borders of shared weights: each has one colour at all
// its places. A name and "shared ×4" say the same without colours.
var sharedColors = [...]string{"#b45309", "#1d4ed8", "#15803d", "#7e22ce", "#0e7490", "#be185d"}

// sharedWidth is the width of their borders.
const sharedWidth = 3

// findShared finds the weights that are used at several places.
func (l *lesson) findShared() {
	l.places = make([][]int, len(l.Nodes))
	for i := range l.Nodes {
		if n := &l.Nodes[i]; n.Learned() {
			if places := slices.DeleteFunc(l.Places(n), func(to int) bool { return l.loss[to] }); len(places) > 1 {
				l.places[i] = places
			}
		}
	}
}

// sharedColor returns the colour of a shared weight; "" if the node is none.
func (l *lesson) sharedColor(node int) string {
	if l.places[node] == nil {
		return ""
	}
	count := 0
	for _, places := range l.places[:node] {
		if places != nil {
			count++
		}
	}
	return sharedColors[count%len(sharedColors)]
}

// spotOf returns the box that an arrow leads from to another node. The loss
// uses the last box of what is shared.
func (l *lesson) spotOf(node, to int) spot {
	all := l.spotsOf(node)
	if i := slices.Index(l.places[node], to); i >= 0 {
		return all[i]
	}
	return all[len(all)-1]
}

// spotsOf returns the boxes of a node.
func (l *lesson) spotsOf(node int) []spot {
	if l.places[node] == nil {
		return []spot{{node, hidden}}
	}
	var all []spot
	for _, by := range l.places[node] {
		all = append(all, spot{node, by})
	}
	return all
}

// columnOf returns the column of a box.
func (l *lesson) columnOf(s spot) int {
	if s.by == hidden {
		return l.columns[s.node]
	}
	return l.columns[s.by] - 1
}

// keyOf returns the id of a box, but for its row.
func (l *lesson) keyOf(s spot) string {
	if s.by == hidden {
		return l.Nodes[s.node].Key()
	}
	return l.Nodes[s.node].Key() + l.Nodes[s.by].Key()
}

// A share is what a shared weight received at a place.
type share struct {
	from  string // the gradient that was handed back: dz2
	value float64
}

// shares returns what each place added to the gradient of a shared weight, the
// latest use first, as it was added up: with time, from the last step to the
// first.
func (l *lesson) shares(node int) []share {
	var all []share
	if sum, leads := l.fromLoss(node); leads {
		all = append(all, share{l.Nodes[l.Root].GradientTitle(), sum})
	}
	for _, by := range slices.Backward(l.places[node]) {
		all = append(all, share{l.Nodes[by].GradientTitle(), l.shareOf(spot{node, by})})
	}
	return all
}

// shareOf returns what a place added.
func (l *lesson) shareOf(s spot) (sum float64) {
	for _, use := range l.Nodes[s.node].Uses {
		if e := &l.Edges[use]; e.To == s.by && e.Received {
			sum += e.Contribution.Few[0]
		}
	}
	return sum
}

// part writes what a place adds to a sum; the last one also what the loss adds.
func (l *lesson) part(text *label, s spot) {
	color, share := gradientColor, l.shareOf(s)
	if s == l.spotOf(s.node, l.Root) {
		direct, _ := l.fromLoss(s.node)
		share += direct
	}
	if share == 0 {
		color = zeroColor
	}
	text.row("adds", text.element(share, color))
}

// mostShares is how many terms of a sum the box of a shared weight writes out.
const mostShares = 8

// sum writes out what the places of a shared weight add up to.
func (l *lesson) sum(text *label, node int) {
	all := l.shares(node)
	for _, s := range all[:min(len(all), mostShares)] {
		color := gradientColor
		if s.value == 0 {
			color = zeroColor
		}
		text.row("from "+s.from, text.element(s.value, color))
	}
	if more := len(all) - mostShares; more > 0 {
		rest := 0.0
		for _, s := range all[mostShares:] {
			rest += s.value
		}
		text.row(fmt.Sprintf("from %d more", more), text.element(rest, gradientColor))
	}
}

// sharing says which weights are shared; nothing if none is.
func (l *lesson) sharing() []string {
	var names []string
	for i, places := range l.places {
		if places != nil {
			names = append(names, l.Nodes[i].Title())
		}
	}
	const most = 6
	if more := len(names) - most; more > 0 {
		names = append(names[:most], fmt.Sprintf("%d more", more))
	}
	switch len(names) {
	case 0:
		return nil
	case 1:
		return []string{names[0] + " is shared: one number with a box at each place that uses it. Its gradient is the sum of what all of them hand back."}
	}
	return []string{strings.Join(names, ", ") + " are shared: each is one number with a box at each place that uses it. Its gradient is the sum of what all of them hand back."}
}

// A framed step is drawn as a frame around columns.
type framed struct {
	name        string
	first, last int // columns
}

// turns returns for each node when its column is found: 0 before all steps of
// an unrolled loop, then by step, and then what follows them. It reports
// whether the steps can be told apart so, each computed only from what comes
// before it.
func (l *lesson) turns(steps []recording.Step) (turn []int, ordered bool) {
	turn = make([]int, len(l.Nodes))
	for k, s := range steps {
		for _, i := range s.Nodes {
			if l.loss[i] {
				return nil, false
			}
			turn[i] = k + 1
		}
	}
	for i := range l.Nodes {
		if l.loss[i] {
			continue
		}
		for _, e := range l.Nodes[i].In {
			switch from := turn[l.Edges[e].From]; {
			case turn[i] == 0 && from > 0:
				turn[i] = len(steps) + 1
			case from > turn[i]:
				return nil, false
			}
		}
	}
	return turn, true
}

// heading draws the heading of a column, in line with those of the others: the
// name of a step above its first column.
func (l *lesson) heading(frame *dot.Graph, column int) dot.Node {
	id := fmt.Sprintf("heading%03d", column)
	heading := frame.Node(id)
	heading.Attr("id", id)
	heading.Attr("shape", "plaintext")
	heading.Attr("fontname", fontName)
	text := " "
	for _, f := range l.framed {
		if f.first == column {
			text = htmlText(f.name)
		}
	}
	heading.Attr("label", dot.HTML(font(grayColor, headingSize, text)))
	return heading
}

// mostLanes is the most values across a column that a place is kept free for.
const mostLanes = 4

// lanes keeps places free at the top of a row, for what the steps of a loop
// hand on across the column.
func (l *lesson) lanes(frame *dot.Graph, row string, column int) []dot.Node {
	passing := map[int]bool{} // the outputs on their way to the loss count as one
	for _, e := range l.Edges {
		from, to := e.From, l.columns[e.To]
		if l.loss[e.To] {
			from, to = l.Root, l.last
		}
		if l.framed != nil && l.isComputed(e.From) && l.columns[e.From] < column && column < to {
			passing[from] = true
		}
	}
	all := make([]dot.Node, min(len(passing), mostLanes))
	for k := range all {
		id := fmt.Sprintf("%slane%03d%d", row, column, k)
		all[k] = frame.Node(id)
		all[k].Attr("id", id)
		all[k].Attr("shape", "box")
		all[k].Attr("style", "invis")
		all[k].Attr("label", dot.Literal(`"\n"`))
	}
	return all
}
