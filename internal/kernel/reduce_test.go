package kernel_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/internal/kernel"
)

// reductions names each reduction and its definition for one column.
var reductions = []struct {
	name string
	f64  func(dst, x []float64, outer, n, inner int)
	f32  func(dst, x []float32, outer, n, inner int)
	one  func(x []float64) float64
}{
	{"Sum", kernel.Sum[float64], kernel.Sum[float32], total},
	{"Mean", kernel.Mean[float64], kernel.Mean[float32], func(x []float64) float64 { return total(x) / float64(len(x)) }},
	{"Prod", kernel.Prod[float64], kernel.Prod[float32], func(x []float64) float64 {
		p := 1.0
		for _, v := range x {
			p *= v
		}
		return p
	}},
	{"Max", kernel.Max[float64], kernel.Max[float32], func(x []float64) float64 { return slices.Max(append(x, math.Inf(-1))) }},
	{"Min", kernel.Min[float64], kernel.Min[float32], func(x []float64) float64 { return slices.Min(append(x, math.Inf(1))) }},
	{"LogSumExp", kernel.LogSumExp[float64], kernel.LogSumExp[float32], func(x []float64) float64 { return math.Log(mapped(x, math.Exp)) }},
	{"Norm1", norm[float64](1), norm[float32](1), func(x []float64) float64 { return mapped(x, math.Abs) }},
	{"Norm2", norm[float64](2), norm[float32](2), func(x []float64) float64 {
		return math.Sqrt(mapped(x, func(v float64) float64 { return v * v }))
	}},
	{"Norm3", norm[float64](3), norm[float32](3), func(x []float64) float64 {
		return math.Cbrt(mapped(x, func(v float64) float64 { return math.Abs(v * v * v) }))
	}},
	{"NormInf", norm[float64](math.Inf(1)), norm[float32](math.Inf(1)), func(x []float64) float64 {
		most := 0.0
		for _, v := range x {
			most = max(most, math.Abs(v))
		}
		return most
	}},
	{"Var0", variance[float64](0), variance[float32](0), func(x []float64) float64 { return varianceOf(x, 0) }},
	{"Var1", variance[float64](1), variance[float32](1), func(x []float64) float64 { return varianceOf(x, 1) }},
	{"Std0", deviation[float64](0), deviation[float32](0), func(x []float64) float64 { return math.Sqrt(varianceOf(x, 0)) }},
	{"Std1", deviation[float64](1), deviation[float32](1), func(x []float64) float64 { return math.Sqrt(varianceOf(x, 1)) }},
}

func norm[T kernel.Float](p float64) func(dst, x []T, outer, n, inner int) {
	return func(dst, x []T, outer, n, inner int) { kernel.Norm(dst, x, outer, n, inner, p) }
}

func variance[T kernel.Float](correction int) func(dst, x []T, outer, n, inner int) {
	return func(dst, x []T, outer, n, inner int) { kernel.Var(dst, x, outer, n, inner, correction) }
}

func deviation[T kernel.Float](correction int) func(dst, x []T, outer, n, inner int) {
	return func(dst, x []T, outer, n, inner int) { kernel.Std(dst, x, outer, n, inner, correction) }
}

func total(x []float64) float64 { return mapped(x, func(v float64) float64 { return v }) }

func mapped(x []float64, f func(float64) float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += f(v)
	}
	return sum
}

func varianceOf(x []float64, correction int) float64 {
	if len(x) <= correction {
		return math.NaN()
	}
	mean := total(x) / float64(len(x))
	return mapped(x, func(v float64) float64 { return (v - mean) * (v - mean) }) / float64(len(x)-correction)
}

// forms are outer × n × inner: sizes around those of leaves (128) and chunks of
// columns (64), and empty ones.
var forms = [][3]int{
	{1, 1, 1}, {2, 3, 1}, {3, 5, 2}, {1, 127, 1}, {2, 129, 1}, {1, 1000, 1}, {2, 300, 3}, {1, 3, 64}, {2, 4, 65}, {1, 257, 130}, {0, 3, 2}, {2, 0, 3},
	{2, 0, 1}, {2, 3, 0}, {2, 0, 100},
}

func column(x []float64, o, n, inner, i int) []float64 {
	c := make([]float64, n)
	for k := range c {
		c[k] = x[(o*n+k)*inner+i]
	}
	return c
}

func TestReductionsAgainstDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, row := range reductions {
		for _, form := range forms {
			outer, n, inner := form[0], form[1], form[2]
			x := randoms(rng, outer*n*inner)
			got, got32 := randoms(rng, outer*inner), make([]float32, outer*inner)
			row.f64(got, x, outer, n, inner)
			row.f32(got32, narrow(x), outer, n, inner)
			for j := range got {
				want := row.one(column(x, j/inner, n, inner, j%inner))
				if !near(got[j], want, 1e-12) && math.Abs(got[j]-want) > 1e-12 {
					t.Errorf("%s of %v: element %d is %v, want %v", row.name, form, j, got[j], want)
				}
				if !near(float64(got32[j]), want, 1e-4) && math.Abs(float64(got32[j])-want) > 1e-5 {
					t.Errorf("%s of %v in float32: element %d is %v, want %v", row.name, form, j, got32[j], want)
				}
			}
		}
	}
}

func TestReductionEdges(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, row := range []struct {
		name string
		x    []float64
		want float64
	}{
		{"Max", []float64{1, nan, inf}, nan}, {"Min", []float64{nan, 1, -inf}, nan}, {"Sum", []float64{inf, -inf}, nan}, {"Prod", []float64{0, inf}, nan},
		{"LogSumExp", []float64{-inf, -inf}, -inf}, {"LogSumExp", []float64{inf, 1}, inf}, {"LogSumExp", []float64{inf, nan}, nan},
		{"LogSumExp", []float64{1000, 1000}, 1000 + math.Ln2}, {"LogSumExp", []float64{0, -50}, 1.9287498479639178e-22},
		{"LogSumExp", []float64{-1000, -inf}, -1000}, {"LogSumExp", []float64{nan, -inf}, nan},
		{"Norm2", []float64{3e200, 4e200}, 5e200}, {"Norm2", []float64{3e-200, 4e-200}, 5e-200}, {"Norm2", []float64{0, 0}, 0},
		{"Norm3", []float64{1e200, 1e200}, 1.2599210498948732e200}, {"Norm3", []float64{1e-310, 1e-310}, 1.2599210498948732e-310},
		{"Norm2", []float64{5e-324, 0}, 5e-324}, {"Norm2", []float64{math.MaxFloat64, 0}, math.MaxFloat64}, {"Norm2", []float64{1, -inf}, inf},
		{"Norm2", []float64{inf, nan}, nan}, {"NormInf", []float64{-7, nan}, nan}, {"Norm1", []float64{-inf, 1}, inf},
		{"Var1", []float64{5}, nan}, {"Var0", []float64{5}, 0}, {"Std1", []float64{3, 3, 3}, 0}, {"Var0", []float64{1e9 + 1, 1e9 + 2, 1e9 + 3}, 2.0 / 3},
		{"Var1", []float64{1, nan}, nan}, {"Std1", []float64{1, -inf}, nan}, {"Mean", nil, nan},
		{"Var1", []float64{1e200, 2e200, 4e200}, inf}, {"Std1", []float64{1e200, 2e200, 4e200}, 1.5275252316519468e200},
		{"Var1", []float64{1e-170, 2e-170, 4e-170}, 0}, {"Std1", []float64{1e-170, 2e-170, 4e-170}, 1.5275252316519468e-170},
		{"Std0", []float64{1.7e308, 1.7e308}, 0}, {"Std0", []float64{1.7e308, -1.7e308}, 1.7e308},
		{"Std1", []float64{0, 2e-320, 0, 2e-320}, math.Sqrt(4./3) * 1e-320},
		{"Mean", []float64{1.7e308, 1.7e308, -1.7e308, 1.7e308}, 8.5e307}, {"Mean", []float64{inf, 1}, inf}, {"Mean", []float64{inf, -inf}, nan},
		// The mean of neighbours is rounded: without the correction of its
		// error the variance is twice as large.
		{"Var1", []float64{1, 1 + 0x1p-52}, 0x1p-105}, {"Var0", []float64{1, 1 + 0x1p-52}, 0x1p-106},
		{"Std0", []float64{1, 1 + 0x1p-52}, 0x1p-53}, {"Std0", []float64{0x1p600, 0x1p600 + 0x1p548}, 0x1p547},
		// The mean of equal numbers is rounded too, here by one unit in the
		// last place.
		{"Std1", []float64{-785300.123, -785300.123, -785300.123, -785300.123, -785300.123, -785300.123, -785300.123}, 0},
		{"Sum", nil, 0}, {"Prod", nil, 1}, {"Norm3", nil, 0}, {"Var0", nil, nan},
	} {
		for _, r := range reductions {
			if r.name != row.name {
				continue
			}
			n := len(row.x)
			var one [1]float64
			r.f64(one[:], row.x, 1, n, 1)
			pairs, two := make([]float64, 2*n), make([]float64, 2)
			for i, v := range row.x {
				pairs[2*i], pairs[2*i+1] = v, v
			}
			r.f64(two, pairs, 1, n, 2)
			if !near(one[0], row.want, 2e-15) || !near(two[1], row.want, 2e-15) {
				t.Errorf("%s of %v is %v as a row and %v as columns, want %v", row.name, row.x, one[0], two[1], row.want)
			}
		}
	}
}

// The mean of long rows and columns of neighbours is rounded as well.
func TestVarianceOfNeighbors(t *testing.T) {
	const n = 1000
	x := make([]float64, n)
	for i := range x {
		x[i] = 1 + float64(i%2)*0x1p-52
	}
	for _, form := range [][3]int{{1, n, 1}, {1, n / 2, 2}} {
		y, want := make([]float64, form[2]), 0x1p-106
		kernel.Var(y, x, form[0], form[1], form[2], 0)
		if form[2] == 2 {
			want = 0
		}
		for _, v := range y {
			if v != want {
				t.Errorf("%v: %v, want %v", form, v, want)
			}
		}
	}
}

// A deviation of float32 numbers whose squares leave their range.
func TestFloat32DeviationOutOfRange(t *testing.T) {
	for _, unit := range []float32{1e20, 1, 1e-30, 1e-37} {
		x := make([]float32, 6)
		for i, v := range []float32{1, 2, 4} {
			x[2*i], x[2*i+1] = unit*v, unit*v
		}
		var y [2]float32
		kernel.Std(y[:], x, 1, 3, 2, 1)
		kernel.Std(y[:1], []float32{x[0], x[2], x[4]}, 1, 3, 1, 1)
		for _, v := range y {
			if math.Abs(float64(v/unit)-1.5275252) > 1e-6 {
				t.Errorf("Std of %v·[1 2 4] is %v", unit, v)
			}
		}
	}
	var mean [1]float32
	kernel.Mean(mean[:], []float32{3e38, 3e38}, 1, 2, 1)
	if mean[0] != 3e38 {
		t.Errorf("the mean of 3e38 twice is %v", mean[0])
	}
}

func TestCenter(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 0))
	for _, form := range forms {
		outer, n, inner := form[0], form[1], form[2]
		x, got, got32 := randoms(rng, outer*n*inner), make([]float64, outer*n*inner), make([]float32, outer*n*inner)
		kernel.Center(got, x, outer, n, inner)
		kernel.Center(got32, narrow(x), outer, n, inner)
		for j := range got {
			row := column(x, j/(n*inner), n, inner, j%inner)
			want := x[j] - total(row)/float64(n)
			if math.Abs(got[j]-want) > 1e-13 || math.Abs(float64(got32[j])-want) > 1e-6 {
				t.Errorf("%v: element %d is %v and %v, want %v", form, j, got[j], got32[j], want)
			}
		}
	}
}

func TestCenterEdges(t *testing.T) {
	rng := rand.New(rand.NewPCG(100, 0))
	for _, n := range []int{1, 3, 7, 100, 1000} {
		for range 100 {
			v := rng.NormFloat64() * 1e6
			x, x32 := make([]float64, n), make([]float32, n)
			kernel.Fill(x, v)
			kernel.Fill(x32, float32(v))
			kernel.Center(x, x, 1, n, 1)
			kernel.Center(x32, x32, 1, n, 1)
			if slices.ContainsFunc(x, isNonzero[float64]) || slices.ContainsFunc(x32, isNonzero[float32]) {
				t.Fatalf("%d times %v leaves %v and %v", n, v, x[0], x32[0])
			}
		}
	}
	x := []float64{1.7e308, 1.7e308, 1.4e308}
	kernel.Center(x, x, 1, 3, 1)
	for i, want := range []float64{1e307, 1e307, -2e307} {
		if !near(x[i], want, 1e-14) {
			t.Errorf("element %d is %v, want %v", i, x[i], want)
		}
	}
}

func isNonzero[T kernel.Float](v T) bool { return v != 0 }

// Sums of many float32 numbers keep their digits, along rows and columns.
func TestLongFloat32Sums(t *testing.T) {
	x := make([]float32, 3_000_000)
	kernel.Fill(x, 0.1)
	var sum [3]float32
	kernel.Sum(sum[:1], x[:1_000_000], 1, 1_000_000, 1)
	if math.Abs(float64(sum[0])-100000) > 0.1 {
		t.Errorf("sum of a row is %v", sum[0])
	}
	kernel.Sum(sum[:], x, 1, 1_000_000, 3)
	if math.Abs(float64(sum[2])-100000) > 0.1 {
		t.Errorf("sum of a column is %v", sum[2])
	}
}

func TestMeanOfManyOnes(t *testing.T) {
	x := make([]float32, 1<<25)
	kernel.Fill(x, 1)
	var mean [1]float32
	kernel.Mean(mean[:], x, 1, len(x), 1)
	if mean[0] != 1 {
		t.Errorf("mean is %v", mean[0])
	}
}

func TestArgMaxArgMin(t *testing.T) {
	nan := math.NaN()
	for _, row := range []struct {
		x        []float64
		most, at int
	}{
		{[]float64{1, 3, 3, 0, 0}, 1, 3}, {[]float64{1, nan, 9, nan, -9}, 1, 1}, {[]float64{nan, 5}, 0, 0}, {[]float64{math.Inf(-1)}, 0, 0},
		{[]float64{math.Inf(1), math.Inf(-1)}, 0, 1},
	} {
		n := len(row.x)
		for _, inner := range []int{1, 2, 70} {
			wide := make([]float64, n*inner)
			for i := range wide {
				wide[i] = row.x[i/inner]
			}
			most, least, want, wantLeast := make([]int, inner), make([]int, inner), make([]int, inner), make([]int, inner)
			for i := range want {
				want[i], wantLeast[i] = row.most, row.at
			}
			kernel.ArgMax(most, wide, 1, n, inner)
			kernel.ArgMin(least, wide, 1, n, inner)
			if diff := cmp.Diff([][]int{want, wantLeast}, [][]int{most, least}); diff != "" {
				t.Errorf("%v × %d (-want +got):\n%s", row.x, inner, diff)
			}
		}
	}
}

func TestCumulative(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, form := range forms {
		outer, n, inner := form[0], form[1], form[2]
		x := randoms(rng, outer*n*inner)
		for _, reverse := range []bool{false, true} {
			sums, products := slices.Clone(x), slices.Clone(x)
			kernel.CumSum(sums, sums, outer, n, inner, reverse)
			kernel.CumProd(products, products, outer, n, inner, reverse)
			for j := range outer * inner {
				o, i := j/inner, j%inner
				c := column(x, o, n, inner, i)
				for k := range n {
					part := c[:k+1]
					if reverse {
						part = c[k:]
					}
					want, wantProduct := total(part), 1.0
					for _, v := range part {
						wantProduct *= v
					}
					at := (o*n+k)*inner + i
					if math.Abs(sums[at]-want) > 1e-11 || !near(products[at], wantProduct, 1e-12) {
						t.Fatalf("%v, reverse %v, element %d: %v and %v, want %v and %v", form, reverse, at, sums[at], products[at], want, wantProduct)
					}
				}
			}
		}
	}
	x := make([]float32, 1_000_000)
	kernel.Fill(x, 0.1)
	kernel.CumSum(x, x, 1, len(x), 1, false)
	if last := x[len(x)-1]; math.Abs(float64(last)-100000) > 0.1 {
		t.Errorf("float32 running sum ends at %v", last)
	}
}

func TestSoftmaxAgainstDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, form := range forms {
		outer, n, inner := form[0], form[1], form[2]
		x, gy := randoms(rng, outer*n*inner), randoms(rng, outer*n*inner)
		size := len(x)
		y, logY, g, logG := slices.Clone(x), slices.Clone(x), slices.Clone(gy), slices.Clone(gy)
		y32, log32 := narrow(x), narrow(x)
		kernel.Softmax(y, y, outer, n, inner)
		kernel.LogSoftmax(logY, logY, outer, n, inner)
		kernel.Softmax(y32, y32, outer, n, inner)
		kernel.LogSoftmax(log32, log32, outer, n, inner)
		kernel.SoftmaxGrad(g, g, y, outer, n, inner)
		kernel.LogSoftmaxGrad(logG, logG, logY, outer, n, inner)
		for at := range size {
			o, i := at/(n*inner), at%inner
			c, cg, cy := column(x, o, n, inner, i), column(gy, o, n, inner, i), column(y, o, n, inner, i)
			sum, dot := mapped(c, math.Exp), 0.0
			for k := range cg {
				dot += cg[k] * cy[k]
			}
			want := []float64{math.Exp(x[at]) / sum, x[at] - math.Log(sum), y[at] * (gy[at] - dot), gy[at] - y[at]*total(cg)}
			got := []float64{y[at], logY[at], g[at], logG[at]}
			for j := range want {
				if math.Abs(got[j]-want[j]) > 1e-12 {
					t.Fatalf("%v, element %d: %v, want %v", form, at, got, want)
				}
			}
			if math.Abs(float64(y32[at])-want[0]) > 1e-6 || math.Abs(float64(log32[at])-want[1]) > 1e-5 {
				t.Fatalf("%v, element %d in float32: %v and %v, want %v", form, at, y32[at], log32[at], want)
			}
		}
	}
}

func TestSoftmaxEdges(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, row := range []struct{ x, y, logY []float64 }{
		{[]float64{1000, 0, -1000}, []float64{1, 0, 0}, []float64{0, -1000, -2000}},
		{[]float64{0, -inf}, []float64{1, 0}, []float64{0, -inf}},
		{[]float64{-inf, -inf}, []float64{nan, nan}, []float64{nan, nan}},
		{[]float64{inf, 0}, []float64{nan, nan}, []float64{nan, nan}},
		{[]float64{nan, 0}, []float64{nan, nan}, []float64{nan, nan}},
		{[]float64{0, -50}, []float64{1, 1.928749847963918e-22}, []float64{-1.928749847963918e-22, -50}},
	} {
		n := len(row.x)
		for _, inner := range []int{1, 2} {
			x, y, logY := make([]float64, n*inner), make([]float64, n*inner), make([]float64, n*inner)
			for i := range x {
				x[i] = row.x[i/inner]
			}
			kernel.Softmax(y, x, 1, n, inner)
			kernel.LogSoftmax(logY, x, 1, n, inner)
			for i := range x {
				if !near(y[i], row.y[i/inner], 1e-15) || !near(logY[i], row.logY[i/inner], 1e-15) {
					t.Errorf("softmax of %v, inner %d: element %d is %v and %v, want %v and %v", row.x, inner, i, y[i], logY[i], row.y[i/inner], row.logY[i/inner])
				}
			}
		}
	}
	g := []float64{3, 5}
	kernel.SoftmaxGrad(g, g, []float64{1, 0}, 1, 2, 1)
	if diff := cmp.Diff([]float64{0, 0}, g); diff != "" {
		t.Errorf("gradient of a probability 0 (-want +got):\n%s", diff)
	}
}

func ExampleSum() {
	sums := make([]float64, 3)
	kernel.Sum(sums, []float64{1, 2, 3, 4, 5, 6}, 1, 2, 3)
	fmt.Println(sums)
	// Output: [5 7 9]
}
