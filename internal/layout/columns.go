package layout

import "slices"

// A Column is a given column of items, from top to bottom: those above a line
// shared by all columns, and those below it.
type Column struct {
	Above, Below []*Item
	Top          bool // they stand at the top of their part, not in its middle
}

func (c Column) items() []*Item { return slices.Concat(c.Above, c.Below) }

// PlaceColumns lays out a plan whose columns are given (instead of Plan.Items),
// with distance row between the items of a column. The items above the line are
// centered against those of other columns, unless they stand at the top, and so
// are the items below.
func PlaceColumns(plan Plan, columns []Column, row float64) Result {
	plan.Items = nil
	up, down := 0.0, 0.0
	for r, c := range columns {
		up, down = max(up, stackHeight(c.Above, row)), max(down, stackHeight(c.Below, row))
		for _, i := range c.items() {
			i.Rank = r
			plan.Items = append(plan.Items, i)
		}
	}
	for _, c := range columns {
		above, below := (up-stackHeight(c.Above, row))/2, (down-stackHeight(c.Below, row))/2
		if c.Top {
			above, below = 0, 0
		}
		stack(c.Above, above, row)
		stack(c.Below, up+row+below, row)
	}
	return plan.widen(func(gap float64) Result {
		x := 0.0
		for _, c := range columns {
			width := 0.0
			for _, i := range c.items() {
				width = max(width, i.W)
			}
			for _, i := range c.items() {
				i.X = x + (width-i.W)/2
			}
			x += width + gap
		}
		return Result{Width: x - gap, Height: up + row + down}
	})
}

// stackHeight returns the height of stacked items.
func stackHeight(items []*Item, row float64) float64 {
	if len(items) == 0 {
		return 0
	}
	height := -row
	for _, i := range items {
		height += i.H + row
	}
	return height
}

// stack places items one below the other.
func stack(items []*Item, y, row float64) {
	for _, i := range items {
		i.Y = y
		y += i.H + row
	}
}
