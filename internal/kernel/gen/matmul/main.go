// Command matmul writes the assembly of the matrix product: for both precisions
// the tiles of the product, the rows of dot products, and the copies that put a
// matrix into panels. There is a set of kernels for AVX2 with FMA, and one for
// AVX-512. Every kernel ends with VZEROUPPER, because a dirty upper half slows
// down the SSE moves of all Go code that follows.
package main

import "github.com/mmcloughlin/avo/build"

func main() {
	for _, p := range precisions() {
		tiles(p)
		dots(p)
		packs(p)
		convolutions(p)
	}
	build.Generate()
}
