// Package verses holds 11,664 verses of the Bible in English and Spanish: text
// to sort by genre, to write on, and to translate. The verses are those of at
// most 20 words in either language, in the order of the books, of which
// numbers 1 to 66 run from Genesis to Revelation.
//
//	all := verses.Load()
//	train, test := all.Train(), all.Test()
//	first := train[0]
//	fmt.Println(len(train), len(test))
//	fmt.Println(verses.Book(first.Book), first.Group, first.English, first.Spanish)
//
// # Sources
//
// The English text is the King James Version in its edition of 1769, the
// Spanish one the Reina-Valera of 1909. Both are in the public domain: in the
// United Kingdom alone, printing the King James Version is a privilege of the
// Crown. The numbering of chapters and verses by which the two were put beside
// each other differs in a few places, so that some pairs do not match.
//
// # Split
//
// Every tenth row, counted from 0, is for testing: 1,167 rows. The other 10,497
// are for training. Neighbouring verses are often of one story, so the test
// rows are not as far from the others as a book of their own would be.
//
// # Groups
//
// A [Group] is a genre: books 1 to 5 are law, 6 to 17 history, 18 to 22 poetry,
// 23 to 39 prophecy, 40 to 44 gospels and Acts, and 45 to 66 letters, with the
// Revelation. The largest, poetry, has 31.8 % of the test rows.
package verses
