package kernel

// blockSizes are the sizes of a matrix product's blocks, in bytes, as far as
// the caches decide them. They say when a number is read, never in what order
// numbers are added: a result has the same bits for all of them.
type blockSizes struct {
	blockBytes  int // of a block of a, which all strips of a panel of b pass by
	panelBytes  int // of a panel of b, depth deep, for which the workers are called
	secondBytes int // of a block of b that is read in place, again for each row of tiles
}

// sizes are those for this processor; tests try others.
var sizes = sizesFor(cacheSizes())

// sizesFor returns the sizes for a processor with these caches.
//
//   - A block of a takes three eighths of the second-level cache, since strips
//     of b and lines of c run through it, but at most 192 KiB: more gained
//     nothing.
//   - A panel of b takes a quarter of the third, which other programs use too,
//     but at most 1 MiB; without a third-level cache, half of the second.
//   - A b that is not packed may take half of the second.
func sizesFor(second, third int) blockSizes {
	s := blockSizes{
		blockBytes:  min(second*3/8, 192<<10),
		panelBytes:  min(third/4, 1<<20),
		secondBytes: second / 2,
	}
	if third == 0 {
		s.panelBytes = min(second/2, 1<<20)
	}
	const unit = depth * 8 * maxHeight // the blocks must hold a tile, and the panels a strip
	s.blockBytes = max(s.blockBytes/unit, 1) * unit
	s.panelBytes = max(s.panelBytes>>16, 1) << 16
	return s
}

// cacheSizes returns the sizes of the second- and the third-level cache, 0 for
// one that there is not. If the processor tells none, or what no processor has,
// as under some emulators, it returns those of a modest one.
func cacheSizes() (second, third int) {
	for _, leaf := range []uint32{0x4, 0x8000001d} { // Intel's and AMD's; they are alike
		if most, _, _, _ := cpuid(leaf&0x80000000, 0); most < leaf {
			continue
		}
		for i := range uint32(8) {
			a, b, c, _ := cpuid(leaf, i)
			kind, level := a&31, a>>5&7
			if kind == 0 {
				break
			}
			const data, unified = 1, 3
			if kind != data && kind != unified {
				continue
			}
			bytes := int(b>>22+1) * int(b>>12&0x3ff+1) * int(b&0xfff+1) * int(c+1) // ways, partitions, line, sets
			switch level {
			case 2:
				second = bytes
			case 3:
				third = bytes
			}
		}
		if second > 0 {
			break
		}
	}
	if second < 64<<10 || second > 64<<20 {
		return 512 << 10, 4 << 20
	}
	return second, third
}
