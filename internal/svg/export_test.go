package svg

import (
	"cmp"
	"slices"
)

// Faults returns the picture of a drawing and what is wrong with its geometry:
// texts that overlap or leave the canvas, and labels without a place.
func Faults(text string) (picture []byte, all []string, err error) {
	p, err := drawn(text)
	if err != nil {
		return nil, nil, err
	}
	last := len(p.texts) - 1
	texts, canvas := p.texts[:last], p.texts[last]
	slices.SortFunc(texts, func(a, b box) int { return cmp.Compare(a.left, b.left) })
	for i, a := range texts {
		if a.left < 0 || a.top < 0 || a.right > canvas.right || a.bottom > canvas.bottom {
			all = append(all, a.text+" leaves the canvas")
		}
		for _, b := range texts[i+1:] {
			if b.left < a.right && a.top < b.bottom && b.top < a.bottom {
				all = append(all, a.text+" lies over "+b.text)
			}
		}
	}
	for _, i := range p.order {
		if w, h := i.W, i.H; i.w > w && i.w > h || i.h > max(w, h) {
			all = append(all, i.attributes["id"]+" is smaller than its label")
		}
	}
	for _, l := range p.links {
		if l.W > 0 && !l.Labeled {
			all = append(all, "no place for "+l.lines[0][0].text)
		}
	}
	return p.Bytes(), all, nil
}
