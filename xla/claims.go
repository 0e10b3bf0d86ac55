package xla

import (
	"fmt"
	"sync"

	"nabla/autograd"
)

// Two Trainers that use the same Param would each have numbers of their own of
// it, and nobody would notice that one of them does not see what the other
// learns. So a Param that one changes is an error in another.

// claims are the Params that open Trainers have on their devices, and whether
// they change them.
var (
	claiming sync.Mutex
	claims   = map[*autograd.Param]map[*trainer]bool{}
)

// claim notes which Params the trainer learns and which it only uses. It
// returns an error, and notes nothing, if another one is in the way.
func (w *trainingWriter) claim(learned []tapeParam) error {
	wanted := map[*autograd.Param]bool{}
	for _, p := range w.made.tape.params {
		wanted[p.param] = false
	}
	for _, p := range learned {
		wanted[p.param] = true
	}
	for _, o := range w.found.observed {
		wanted[o.param] = true
	}
	claiming.Lock()
	defer claiming.Unlock()
	for p, changes := range wanted {
		for other, changed := range claims[p] {
			if other != w.trainer && (changes || changed) && other.client.alive() == nil {
				return fmt.Errorf("xla: parameter %s is on the devices of another Trainer: one of the two would not see what the other learns; Read and Close that one first", p.Name())
			}
		}
	}
	for p, changes := range wanted {
		if claims[p] == nil {
			claims[p] = map[*trainer]bool{}
		}
		claims[p][w.trainer] = claims[p][w.trainer] || changes
	}
	return nil
}

// unclaim forgets a trainer that is closed.
func unclaim(t *trainer) {
	claiming.Lock()
	defer claiming.Unlock()
	for p := range claims {
		if delete(claims[p], t); len(claims[p]) == 0 {
			delete(claims, p)
		}
	}
}
