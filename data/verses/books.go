package verses

import "nabla/autograd"

// A Group is a genre of books.
type Group int

// The groups, in the order of the books.
const (
	Law Group = iota
	History
	Poetry
	Prophecy
	Gospels // and Acts
	Letters
)

// groups are the groups' names and the last book of each.
var groups = [...]struct {
	name string
	last int
}{
	{"law", 5}, {"history", 17}, {"poetry", 22}, {"prophecy", 39}, {"gospels and Acts", 44}, {"letters", 66},
}

// GroupNames returns the names of all groups, by their numbers: those of the
// classes of [Rows.Groups].
func GroupNames() []string {
	var names []string
	for _, g := range groups {
		names = append(names, g.name)
	}
	return names
}

// String returns the group's name.
func (g Group) String() string {
	if g < 0 || int(g) >= len(groups) {
		return "unknown"
	}
	return groups[g].name
}

// groupOf returns the group of a book.
func groupOf(book int) Group {
	g := 0
	for book > groups[g].last {
		g++
	}
	return Group(g)
}

// Book returns the English name of the book of that number. It panics with an
// *[autograd.IndexError] if there is none; they count from 1.
func Book(number int) string {
	if number < 1 || number > len(books) {
		panic(autograd.NewIndexError("verses: Book", "book", number, len(books)+1))
	}
	return books[number-1]
}

var books = [...]string{
	"Genesis", "Exodus", "Leviticus", "Numbers", "Deuteronomy",
	"Joshua", "Judges", "Ruth", "1 Samuel", "2 Samuel", "1 Kings", "2 Kings",
	"1 Chronicles", "2 Chronicles", "Ezra", "Nehemiah", "Esther",
	"Job", "Psalms", "Proverbs", "Ecclesiastes", "Song of Solomon",
	"Isaiah", "Jeremiah", "Lamentations", "Ezekiel", "Daniel", "Hosea", "Joel",
	"Amos", "Obadiah", "Jonah", "Micah", "Nahum", "Habakkuk", "Zephaniah",
	"Haggai", "Zechariah", "Malachi",
	"Matthew", "Mark", "Luke", "John", "Acts",
	"Romans", "1 Corinthians", "2 Corinthians", "Galatians", "Ephesians",
	"Philippians", "Colossians", "1 Thessalonians", "2 Thessalonians",
	"1 Timothy", "2 Timothy", "Titus", "Philemon", "Hebrews", "James",
	"1 Peter", "2 Peter", "1 John", "2 John", "3 John", "Jude", "Revelation",
}
