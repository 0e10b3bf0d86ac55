package images

import (
	"image/color"
	"image/draw"
	"unicode"
)

// The letters are 3 pixels wide and 5 high, and each takes a pixel more on its
// right and below it.
const (
	letterWidth  = 3
	letterHeight = 5
)

// letters hold each letter's rows from the top, an octal digit for each: 4 is
// the left pixel, 1 the right one.
var letters = map[rune]string{
	'0': "75557", '1': "26227", '2': "71747", '3': "71317", '4': "55711", '5': "74717", '6': "74757", '7': "71122", '8': "75757", '9': "75717",
	'A': "25755", 'B': "65656", 'C': "34443", 'D': "65556", 'E': "74647", 'F': "74644", 'G': "34553", 'H': "55755", 'I': "72227", 'J': "11152",
	'K': "55655", 'L': "44447", 'M': "57755", 'N': "65555", 'O': "25552", 'P': "65644", 'Q': "25563", 'R': "65655", 'S': "34216", 'T': "72222",
	'U': "55557", 'V': "55552", 'W': "55775", 'X': "55255", 'Y': "55222", 'Z': "71247",
	' ': "00000", '.': "00002", ',': "00024", ':': "02020", ';': "02024", '-': "00700", '−': "00700", '+': "02720", '=': "07070", '%': "51245",
	'/': "11244", '(': "12221", ')': "42224", '[': "64446", ']': "31113", '<': "12421", '>': "42124", '!': "22202", '?': "71202", '_': "00007",
	'\'': "22000", '"': "55000", '*': "05250", '×': "05250", '#': "57575", '°': "25200", '|': "22222", '→': "04764",
}

// unknown stands for a letter that there is none of.
const unknown = "77777"

// textWidth returns how many pixels a text takes at the given size of a pixel.
func textWidth(text string, size int) int { return len([]rune(text)) * (letterWidth + 1) * size }

// drawText draws a text with its left upper corner at x, y.
func drawText(dst draw.Image, x, y, size int, text string, c color.Color) {
	for _, r := range text {
		rows, ok := letters[unicode.ToUpper(r)]
		if !ok {
			rows = unknown
		}
		for i := range letterHeight * letterWidth {
			row, column := i/letterWidth, i%letterWidth
			if (rows[row]-'0')>>(letterWidth-1-column)&1 == 1 {
				fill(dst, x+column*size, y+row*size, x+(column+1)*size, y+(row+1)*size, c)
			}
		}
		x += (letterWidth + 1) * size
	}
}
