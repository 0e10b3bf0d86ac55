package autograd

import "time"

// SetClock replaces the clock of a graph's profile.
func (g *Graph) SetClock(now func() time.Duration) { g.profile.clock = now }
