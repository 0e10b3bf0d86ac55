package nabla_test

import (
	"bufio"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// Every code line in the README, in the pages of docs and in the package docs
// also occurs in a test or an example program, so that it is compiled and run;
// those in Python in a script that a test runs.
func TestDocsAreTested(t *testing.T) {
	tested := map[string]bool{}
	shown := map[string][]string{"README.md": blocks(t, "README.md", "go")}
	pages, err := filepath.Glob("docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages in docs, error %v", len(pages), err)
	}
	for _, page := range pages {
		shown[page] = append(blocks(t, page, "go"), blocks(t, page, "python")...)
	}
	walk(t, ".py", func(path string) {
		for _, line := range lines(t, path) {
			tested[strings.TrimSpace(line)] = true
		}
	})
	walk(t, ".go", func(path string) {
		switch {
		case strings.HasSuffix(path, "_test.go"), strings.HasPrefix(path, "examples"+string(filepath.Separator)):
			for _, line := range lines(t, path) {
				tested[strings.TrimSpace(line)] = true
			}
		case filepath.Base(path) == "doc.go":
			shown[path] = docBlocks(t, path)
		}
	})
	if len(shown) < 10 {
		t.Fatalf("only %d documents found", len(shown))
	}
	for path, code := range shown {
		for _, line := range code {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") && !tested[line] {
				t.Errorf("%s: no test or example has the line %q", path, line)
			}
		}
	}
}

// The continuous integration runs the README's first commands.
func TestReadmeCommands(t *testing.T) {
	readme, ci := strings.Join(lines(t, "README.md"), "\n"), strings.Join(lines(t, ".ci/run"), "\n")
	for _, command := range []string{"go run ./examples/hotels", "go test ./..."} {
		if !strings.Contains(readme, command) {
			t.Errorf("the README lacks %q", command)
		}
		if !strings.Contains(ci, command) {
			t.Errorf(".ci/run lacks %q", command)
		}
	}
}

// A full-line comment is at most 80 columns wide, with tabs of 4: wider ones
// cannot be read beside another file. Code in comments, expected output,
// directives and URLs are as wide as they must be.
func TestCommentsAreNarrow(t *testing.T) {
	walk(t, ".go", func(path string) {
		output := false
		for i, line := range lines(t, path) {
			if strings.HasPrefix(line, "// Code generated ") {
				return
			}
			text, isComment := strings.CutPrefix(strings.TrimSpace(line), "//")
			output = isComment && (output || strings.HasPrefix(text, " Output:") || text == " Unordered output:")
			isProse := strings.HasPrefix(text, " ") && !output && !strings.Contains(text, "://")
			width := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    "))
			if isComment && isProse && width > 80 {
				t.Errorf("%s:%d: the comment is %d columns wide", path, i+1, width)
			}
		}
	})
}

// walk calls f for each file with that end of its name.
func walk(t *testing.T, end string, f func(path string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case strings.HasSuffix(path, end):
			f(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n")
}

// blocks returns the lines of the blocks of a language in a Markdown file.
func blocks(t *testing.T, path, language string) []string {
	t.Helper()
	var code []string
	inside := false
	for _, line := range lines(t, path) {
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```"+language
		case inside:
			code = append(code, line)
		}
	}
	return code
}

// docBlocks returns the code lines in a package's doc comment, which are
// indented by a tab, without shell commands.
func docBlocks(t *testing.T, path string) []string {
	t.Helper()
	var code []string
	scanner := bufio.NewScanner(strings.NewReader(strings.Join(lines(t, path), "\n")))
	for scanner.Scan() {
		line, ok := strings.CutPrefix(scanner.Text(), "//\t")
		if ok && !strings.HasPrefix(line, "go ") && !strings.HasPrefix(line, "dot ") {
			code = append(code, line)
		}
	}
	return code
}
