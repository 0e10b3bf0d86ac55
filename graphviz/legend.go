package graphviz

import (
	"fmt"
	"strings"

	"github.com/emicklei/dot"
)

// legend adds a frame that explains the boxes and colours of this drawing.
func (c *canvas) legend() {
	frame := c.graph.Subgraph("legend", dot.ClusterOption{})
	frame.Attr("id", "legend")
	frame.Attr("label", dot.HTML(font(grayColor, headingSize, "legend")))
	frame.Attr("labeljust", "l")
	frame.Attr("style", "rounded")
	frame.Attr("fontname", fontName)
	frame.Attr("color", clusterColor)
	for i, l := range c.looks() {
		id := fmt.Sprintf("legend%02d", i)
		box := frame.Node(id)
		box.Attr("id", id)
		box.Attr("label", dot.HTML(font(inkColor, captionSize, htmlText(l.words))))
		l.apply(box)
		box.Attr("height", 0.3)
	}
	box := frame.Node("legend99")
	box.Attr("id", "legend99")
	box.Attr("label", c.colorTable())
	box.Attr("shape", "plain")
	box.Attr("fontname", fontName)
}

// looks returns the looks that occur in the drawing.
func (c *canvas) looks() []look {
	used := map[string]bool{}
	for i := range c.Nodes {
		if _, drawn := c.boxes[i]; drawn || c.o.View == Course {
			used[kindOfLook(&c.Nodes[i]).words] = true
			used[rootLook.words] = used[rootLook.words] || i == c.Root
			used[brokenLook.words] = used[brokenLook.words] || c.Nodes[i].Broken()
		}
	}
	broken := brokenLook
	broken.shape, broken.style = computedLook.shape, computedLook.style
	var all []look
	for _, l := range []look{inputLook, targetLook, constantLook, paramLook, variableLook, computedLook, groupLook, stubLook, rootLook, broken} {
		if used[l.words] {
			all = append(all, l)
		}
	}
	return all
}

// colorTable explains the colours of numbers.
func (c *canvas) colorTable() dot.HTML {
	var b strings.Builder
	b.WriteString(`<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2">`)
	line := func(fill, color, words string) {
		ground := ""
		if fill != "" {
			ground = ` BGCOLOR="` + fill + `"`
		}
		b.WriteString(`<TR><TD ALIGN="LEFT"` + ground + ">" + font(color, captionSize, htmlText(words)) + "</TD></TR>")
	}
	line("", valueColor, "value")
	line(tints[len(tints)-1], gradientColor, "gradient, the largest")
	line(tints[0], gradientColor, "gradient, small beside it")
	line("", zeroColor, "gradient, exactly zero")
	if c.o.View != Forward {
		line("", gradientColor, "arrow: × local factor = what is handed on")
	}
	return dot.HTML(b.String() + "</TABLE>")
}
