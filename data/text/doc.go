// Package text turns texts into ids, which a network's embedding takes, and ids
// into texts.
//
//	words, err := text.NewWords(sentences, 2) // those that occur at least twice
//	if err != nil {
//		return err
//	}
//	rows, err := text.EncodeAll(words, sentences)
//	if err != nil {
//		return err
//	}
//	ids, lengths := text.Pad(rows) // [rows, steps] and [rows]
//	fmt.Println(ids.Shape(), lengths.Values(), words.Decode(rows[1]))
//
// # Tokenisers
//
// A [Tokenizer] cuts a text into tokens, each of which has an id:
//
//   - [Characters]: code points. Few ids, long rows.
//   - [Words]: words and punctuation. Many ids; rare words are unknown.
//   - [BytePairs]: pieces learned from texts, which cover any bytes.
//
// Decode gives back what Encode was given, to the byte: always for BytePairs,
// and for Characters and Words where nothing was unknown. All learn the same
// from the same texts, on every machine.
//
// The ids 0 to 3 are the same for all: [Padding], [Start], [End] and [Unknown].
// Encode adds none of the first three; whoever makes the rows of a task does.
// For a network that learns to write, these are what it reads, from the start
// on, and what comes next, up to the end:
//
//	read, next := text.Following(rows)
//
// # Files
//
// [Save] and [Load] keep a tokeniser in a file of lines that people can read.
// [Load] refuses a file that is not exactly as one was saved, and says in which
// line, so that a file from elsewhere does no harm.
//
// # Bad input
//
// A text that is not valid UTF-8 is a *[UTF8Error], which says at which byte;
// BytePairs take it. An id that a tokeniser does not have panics with an
// *[autograd.IndexError]. Nothing here normalises Unicode: an é of one code
// point and an é of two are different.
package text
