package kernel

// EachWindowSet calls f while each of the processor's sets of loops over
// windows is in use, the portable one first.
func EachWindowSet(f func(set string)) {
	before32, before64 := windows32, windows64
	defer func() { windows32, windows64 = before32, before64 }()
	windows32, windows64 = portableWindows[float32](), portableWindows[float64]()
	f("portable")
	if useAVX2 {
		windows32, windows64 = windows32AVX2.loops(), windows64AVX2.loops()
		f("AVX2")
	}
	if useAVX512 {
		windows32, windows64 = windows32AVX512.loops(), windows64AVX512.loops()
		f("AVX-512")
		windows32, windows64 = windows32AVX512.over(windows32AVX2.loops()), windows64AVX512.over(windows64AVX2.loops())
		f("AVX-512 and AVX2")
	}
}

// VectorOf is the least number of pairs that SplitPairs and JoinPairs take.
func VectorOf[T Float]() int { return windowLoopsOf[T](0).vector }

// SplitPairs takes rows of n pairs apart by the set in use.
func SplitPairs[T Float](even, odd, src []T, n, rows int) {
	windowLoopsOf[T](n).split(even, odd, src, n, rows, n, 2*n)
}

// JoinPairs puts them together.
func JoinPairs[T Float](dst, even, odd []T, n, rows int) {
	windowLoopsOf[T](n).join(dst, even, odd, n, rows, 2*n, n)
}
