package metrics

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// String returns the matrix as a table of text, with a line for each actual
// class and a column for each predicted one. It ends without a newline.
//
//	actual \ predicted  cold  hot
//	cold                   2    1
//	hot                    1    2
func (m *ConfusionMatrix) String() string {
	rows := [][]string{append([]string{`actual \ predicted`}, m.Classes...)}
	for label, counts := range m.Counts {
		row := []string{m.Classes[label]}
		for _, count := range counts {
			row = append(row, strconv.Itoa(count))
		}
		rows = append(rows, row)
	}
	return table(rows)
}

// Report returns a table of text with the scores of each class, the accuracy,
// and the averages [ConfusionMatrix.Macro] and [ConfusionMatrix.Weighted]. The
// last column counts rows. It ends without a newline.
//
//	class          precision  recall     F1  rows
//	cold               0.667   0.667  0.667     3
//	hot                0.667   0.667  0.667     3
//	accuracy                          0.667     6
//	macro mean         0.667   0.667  0.667     6
//	weighted mean      0.667   0.667  0.667     6
func (m *ConfusionMatrix) Report() string {
	rows := [][]string{{"class", "precision", "recall", "F1", "rows"}}
	for label, name := range m.Classes {
		rows = append(rows, scoresRow(name, m.Class(label)))
	}
	rows = append(rows,
		[]string{"accuracy", "", "", decimals(m.Accuracy()), strconv.Itoa(m.Total())},
		scoresRow("macro mean", m.Macro()),
		scoresRow("weighted mean", m.Weighted()))
	return table(rows)
}

func scoresRow(name string, s Scores) []string {
	return []string{name, decimals(s.Precision), decimals(s.Recall), decimals(s.F1), strconv.Itoa(s.Support)}
}

func decimals(x float64) string { return fmt.Sprintf("%.3f", x) }

// table aligns the first column to the left and the others to the right, two
// spaces apart. All rows have the same length.
func table(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for column, cell := range row {
			widths[column] = max(widths[column], utf8.RuneCountInString(cell))
		}
	}
	lines := make([]string, len(rows))
	for i, row := range rows {
		var line strings.Builder
		fmt.Fprintf(&line, "%-*s", widths[0], row[0])
		for column, cell := range row[1:] {
			fmt.Fprintf(&line, "  %*s", widths[column+1], cell)
		}
		lines[i] = line.String()
	}
	return strings.Join(lines, "\n")
}
