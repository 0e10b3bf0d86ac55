package train

import "time"

// SetClock makes a Progress read another clock.
func (p *Progress) SetClock(now func() time.Time) { p.now = now }

// SetClock makes a TensorBoard read another clock.
func (b *TensorBoard) SetClock(now func() time.Time) { b.now = now }
