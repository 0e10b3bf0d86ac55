package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"nabla/data/text"
	"nabla/decode"
	"nabla/examples/internal/shade"
)

// writeVerses prints what the network writes on from the prompt, and from
// nothing.
func (s settings) writeVerses(net network, t text.Tokenizer) error {
	rng := rand.New(rand.NewPCG(s.Seed, 1))
	for _, prompt := range []string{s.prompt, s.prompt, "", "", ""} {
		ids, err := t.Encode(prompt)
		if err != nil {
			return err
		}
		written := write(net, rng, append([]int{text.Start}, ids...), s.temperature)
		s.Print("%s|%s", prompt, t.Decode(written))
	}
	return nil
}

// write returns the characters that follow ids, up to an end or the longest
// that a verse may be.
func write(net network, rng *rand.Rand, ids []int, temperature float64) []int {
	read, written := net.reader(), []int(nil)
	for _, id := range ids[:len(ids)-1] {
		read(id)
	}
	for id := ids[len(ids)-1]; len(ids)+len(written) < longest; {
		id = decode.Sample(rng, read(id), decode.Options{Temperature: temperature}).Item()
		if id == text.End {
			break
		}
		written = append(written, id)
	}
	return written
}

// show writes the page of surprises.
func (s settings) show(net network, t text.Tokenizer, lines []string) error {
	page := shade.Page{Title: "What surprises the network", Explanation: "The deeper the orange, the less probable the character was: white is 0 bits, orange 8."}
	for _, line := range lines[:min(20, len(lines))] {
		ids, err := t.Encode(line)
		if err != nil {
			return err
		}
		shown, total, last := []shade.Word(nil), 0.0, text.Start
		read := net.reader()
		for _, id := range ids {
			bits := -logProbability(read(last), id) / math.Ln2
			shown = append(shown, shade.Word{Word: t.Token(id), Weight: bits / 8, Note: fmt.Sprintf("%.1f bits", bits)})
			total, last = total+bits, id
		}
		page.Texts = append(page.Texts, shade.Text{Heading: fmt.Sprintf("%.2f bits a character", total/float64(len(ids))), Words: shown, Joined: true})
	}
	return s.WritePage("surprise.html", page)
}
