// Command karate finds out which side the members of a karate club took when it
// split, from who is friends with whom and the sides of two.
//
//	go run ./examples/karate [-seed N] [-epochs N] [-out DIR] [-results]
//
// Wayne Zachary watched the club from 1970 to 1972: 34 members and 78
// friendships. Its instructor, member 0, and its officer, member 33, fell out,
// and each member followed one of them (An Information Flow Model for Conflict
// and Fission in Small Groups, 1977). A network of graph convolutions (Kipf and
// Welling, 2017) is told the sides of these two alone. It knows nothing of a
// member but the friends, and learns in 300 passes over the whole graph.
//
// It prints how many of the 34 it has right, and writes karate.svg into the
// folder karate (or -out): the friendships, each member in the shade that the
// network gives it, with a ring in the color of the side that it took.
package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"

	"nabla/autograd"
	"nabla/examples/internal/command"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
)

const members = 34

// friendships has for each member the friends of a higher number.
var friendships = [members][]int{
	0: {1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 17, 19, 21, 31}, 1: {2, 3, 7, 13, 17, 19, 21, 30},
	2: {3, 7, 8, 9, 13, 27, 28, 32}, 3: {7, 12, 13}, 4: {6, 10}, 5: {6, 10, 16}, 6: {16}, 8: {30, 32, 33},
	9: {33}, 13: {33}, 14: {32, 33}, 15: {32, 33}, 18: {32, 33}, 19: {33}, 20: {32, 33}, 22: {32, 33},
	23: {25, 27, 29, 32, 33}, 24: {25, 27, 31}, 25: {31}, 26: {29, 33}, 27: {33}, 28: {31, 33},
	29: {32, 33}, 30: {32, 33}, 31: {32, 33}, 32: {33},
}

// officers are the members who followed the officer; the others followed the
// instructor.
var officers = []int{9, 14, 15, 18, 20, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33}

// known are the members whose sides are told: 0 and 1.
var known, sides = autograd.NewInts([]int{0, members - 1}), autograd.NewInts([]int{0, 1})

// edges returns the friendships in both directions, [2, 156].
func edges() autograd.Ints {
	var sources, targets []int
	for a, friends := range friendships {
		for _, b := range friends {
			sources, targets = append(sources, a, b), append(targets, b, a)
		}
	}
	return autograd.NewInts(slices.Concat(sources, targets), 2, len(sources))
}

func main() {
	c := command.New("karate", 300)
	c.Embedded = true
	c.Main(func(_ context.Context) error { return run(c) })
}

// A network gives each member two scores, one for each side.
type network struct{ First, Second *layers.GraphConv }

func (n *network) forward(g *autograd.Graph, edges autograd.Ints) autograd.Value {
	h := n.First.Run(g.Constant(autograd.Eye(members)), edges).Tanh() // a member's features: its number
	return n.Second.Run(h, edges)
}

func run(c *command.Command) error {
	rng, graph := rand.New(rand.NewPCG(c.Seed, 0)), edges()
	n := &network{layers.NewGraphConv(rng, members, 8), layers.NewGraphConv(rng, 8, 2)}
	layers.Name(n)
	g, optimizer := autograd.NewGraph(autograd.Options{}), optim.NewAdamW(0.01)
	for range c.Epochs {
		g.Reset()
		told := n.forward(g, graph).IndexSelect(0, known)
		loss := losses.CategoricalCrossEntropyLabelsWith(told, sides, losses.Options{Logits: true})
		optimizer.Step(loss.Backward())
	}
	g.Reset()
	shares, right := n.forward(g, graph).Softmax(1).Tensor(), 0
	for m := range members {
		if (shares.At(m, 1) > 0.5) == slices.Contains(officers, m) {
			right++
		} else {
			c.Print("member %d is given to the wrong side, by %.2f", m, max(shares.At(m, 0), shares.At(m, 1)))
		}
	}
	c.Result("epochs=%d right=%d of=%d", c.Epochs, right, members)
	return c.Write("karate.svg", func(path string) error { return os.WriteFile(path, []byte(draw(shares)), 0o644) })
}

// layout places friends near each other, and all others apart: each pair pushes
// by 1/distance, friends pull by distance², and steps get shorter.
func layout() (at [members]complex128) {
	for m := range at {
		at[m] = complex(math.Cos(float64(m)), math.Sin(float64(m)))
	}
	for step := 1.0; step > 0.001; step *= 0.99 {
		var force [members]complex128
		pull := func(a, b int, strength float64) {
			way := at[b] - at[a]
			distance := math.Hypot(real(way), imag(way))
			f := way * complex(strength*distance-0.05/(distance*distance), 0)
			force[a], force[b] = force[a]+f, force[b]-f
		}
		for a := range members {
			for b := a + 1; b < members; b++ {
				if pull(a, b, 0.01); slices.Contains(friendships[a], b) {
					pull(a, b, 2)
				}
			}
		}
		for m, f := range force {
			at[m] += f * complex(0.1*step/(1+math.Hypot(real(f), imag(f))), 0)
		}
	}
	return at
}

// draw returns a drawing of the graph, with the members' shares in the sides.
func draw(shares autograd.Tensor) string {
	const zoom, margin = 190, 20
	at, lo, hi, lines, circles := layout(), 0i, 0i, "", ""
	for m := range at {
		at[m] *= zoom
		lo = complex(min(real(lo), real(at[m])), min(imag(lo), imag(at[m])))
		hi = complex(max(real(hi), real(at[m])), max(imag(hi), imag(at[m])))
	}
	for a, friends := range friendships {
		x, y, share, ring := real(at[a]), imag(at[a]), shares.At(a, 1), "#1f5fb4"
		for _, b := range friends {
			lines += fmt.Sprintf("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#bbb\"/>\n", x, y, real(at[b]), imag(at[b]))
		}
		if slices.Contains(officers, a) {
			ring = "#c8501e"
		}
		circles += fmt.Sprintf("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"12\" fill=\"rgb(%.0f,%.0f,%.0f)\" stroke=\"%s\" stroke-width=\"3\"><title>%.2f for the officer</title></circle>\n", x, y, 120+135*share, 170-20*share, 235-145*share, ring, share)
		circles += fmt.Sprintf("<text x=\"%.1f\" y=\"%.1f\">%d</text>\n", x, y+4, a)
	}
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"%.1f %.1f %.1f %.1f\" font-family=\"sans-serif\" font-size=\"11\" text-anchor=\"middle\">\n",
		real(lo)-margin, imag(lo)-margin, real(hi-lo)+2*margin, imag(hi-lo)+2*margin) + lines + circles + "</svg>\n"
}
