package kernel_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/internal/kernel"
)

// The sizes of blocks for the caches of common processors.
func TestBlockSizes(t *testing.T) {
	const kib, mib = 1 << 10, 1 << 20
	for _, test := range []struct {
		name          string
		second, third int
		want          [3]int
	}{
		{"Zen 3", 512 * kib, 32 * mib, [3]int{192 * kib, mib, 256 * kib}},
		{"Haswell with 4 MiB", 256 * kib, 4 * mib, [3]int{96 * kib, mib, 128 * kib}},
		{"with 2 and 1.5 MiB", 2 * mib, 3 * mib / 2, [3]int{192 * kib, 384 * kib, mib}},
		{"without a third cache", mib, 0, [3]int{192 * kib, 512 * kib, 512 * kib}},
		{"tiny", 64 * kib, 64 * kib, [3]int{24 * kib, 64 * kib, 32 * kib}},
	} {
		if diff := cmp.Diff(test.want, kernel.BlockSizes(test.second, test.third)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// The processor and Linux agree about the second-level cache, where Linux knows
// it.
func TestCacheSizes(t *testing.T) {
	text, err := os.ReadFile("/sys/devices/system/cpu/cpu0/cache/index2/size")
	number, isKiB := strings.CutSuffix(strings.TrimSpace(string(text)), "K")
	want, notNumber := strconv.Atoi(number)
	if err != nil || !isKiB || notNumber != nil {
		t.Skip("Linux does not know")
	}
	if second, _ := kernel.CacheSizes(); second != want<<10 {
		t.Errorf("a second-level cache of %d bytes, but Linux says %s", second, text)
	}
}

// The bits do not depend on the caches, though the blocks do.
func TestMatMulSameBitsForAnyCaches(t *testing.T) {
	t.Run("float32", sameBitsForAnyCaches[float32])
	t.Run("float64", sameBitsForAnyCaches[float64])
}

func sameBitsForAnyCaches[T kernel.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 17))
	for _, size := range [][3]int{{203, 205, 207}, {600, 40, 400}, {130, 514, 70}, {200, 1030, 300}, {310, 2060, 40}} {
		for variant := range 4 {
			p := newProduct[T](rng, size[0], size[1], size[2], variant)
			want := p.compute(t, kernel.MatMul[T])
			p.check(t, want)
			for _, caches := range [][2]int{{64 << 10, 0}, {256 << 10, 1 << 20}, {512 << 10, 32 << 20}} {
				kernel.WithCaches(caches[0], caches[1], func() {
					if got := p.compute(t, kernel.MatMul[T]); !slices.Equal(got, want) {
						t.Errorf("%v: other bits with caches of %d bytes", p, caches)
					}
				})
			}
		}
	}
}
