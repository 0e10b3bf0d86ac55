package export

import (
	"testing"

	"nabla/internal/operations"
)

// Every operation of the table has a writer, is written out, or is refused by
// name.
func TestEveryOperationHasAWay(t *testing.T) {
	for _, o := range operations.All() {
		switch o.Class {
		case operations.Leaf, operations.Scratch, operations.Picture:
			continue
		}
		writes, outlined, no := writers[o.Name] != nil, writtenOut[o.Name] != nil, refused[o.Name] != ""
		switch {
		case !writes && !outlined && !no:
			t.Errorf("%q is neither written nor refused", o.Name)
		case no && (writes || outlined):
			t.Errorf("%q is refused and written", o.Name)
		}
	}
	for name := range refused {
		if operations.Of(name).Name == "" {
			t.Errorf("%q is refused, and no operation", name)
		}
	}
}
