package layout

import "slices"

// A Column is a column of items that is given: those above a line that all
// columns share, and those below it, from top to bottom.
type Column struct{ Above, Below []*Item }

func (c Column) items() []*Item { return slices.Concat(c.Above, c.Below) }

// PlaceColumns lays out items whose columns are given, Plan.Items aside, with
// that distance between the items of a column. What stands above the line is
// centered among what does so in other columns, and so is what stands below.
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
		stack(c.Above, (up-stackHeight(c.Above, row))/2, row)
		stack(c.Below, up+row+(down-stackHeight(c.Below, row))/2, row)
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

// stackHeight is how high items are one below the other.
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

// stack sets items one below the other.
func stack(items []*Item, y, row float64) {
	for _, i := range items {
		i.Y = y
		y += i.H + row
	}
}
