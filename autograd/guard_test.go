package autograd_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
)

// TestEveryOperationHasARow reads the package's source: each operation that
// it declares, and each exported function and method of Value that returns
// Values, needs a row in the table.
func TestEveryOperationHasARow(t *testing.T) {
	for _, missing := range withoutRow(packageSource(t)) {
		t.Errorf("%s has no row in the table of ops_test.go", missing)
	}
}

// TestGuardSeesMissingRows shows the guard an operation and methods that the
// table lacks.
func TestGuardSeesMissingRows(t *testing.T) {
	source := parsed(t, "new.go", `package autograd

var (
	opNew  = operation{name: "brand new", method: "BrandNew"}
	opPair = operation{"positional pair", "Pair", nil, nil, false}
	opTanh = operation{name: "tanh", method: "Tanh"}
)

func (x Value) BrandNew() Value       { return x }
func (x Value) Parts(n int) []Value   { return nil }
func Both(x, y Value) (Value, error)  { return x, nil }
func (x Value) Tanh() Value           { return x }
func (x Value) Rank() int             { return 0 }
func (x Value) hidden() Value         { return x }
`)
	want := []string{
		`operation "brand new"`, `operation "positional pair"`,
		"function BrandNew", "function Parts", "function Both",
	}
	if diff := cmp.Diff(want, withoutRow([]*ast.File{source})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRowsRecordWhatTheyName checks that a row of an operation that the
// package declares does record it, so that no row stands for another.
func TestRowsRecordWhatTheyName(t *testing.T) {
	declared := map[string]bool{}
	for _, file := range packageSource(t) {
		for _, op := range operations(file) {
			declared[plain(op)] = true
		}
	}
	for _, r := range opRows {
		if !declared[plain(r.op)] || slices.Contains(notNodes, r.op) {
			continue
		}
		g := newGraph(autograd.Options{})
		y := r.f(variables(g, r.draw(r.rowShapes()))...)
		recorded := slices.ContainsFunc(slices.Collect(y.Graph().Nodes()), func(n autograd.Node) bool { return n.Op == r.op })
		if !recorded {
			t.Errorf("row %q records no node of that operation", r.name())
		}
	}
}

// notNodes are operations whose results are integers or constants.
var notNodes = []string{"argmax", "argmin", "one hot"}

// notOperations are declared as operations, or return Values, and compute
// nothing: they bring numbers into a graph, or give one a name.
var notOperations = []string{"constant", "variable", "param", "gradient", "Named", "As"}

// withoutRow returns what the files declare and the table lacks.
func withoutRow(files []*ast.File) []string {
	rows := map[string]bool{}
	for _, r := range opRows {
		rows[plain(r.op)] = true
	}
	var missing []string
	note := func(kind, name string) {
		if !rows[plain(name)] && !slices.Contains(notOperations, name) {
			missing = append(missing, kind+" "+name)
		}
	}
	for _, file := range files {
		for _, op := range operations(file) {
			if !rows[plain(op)] && !slices.Contains(notOperations, op) {
				missing = append(missing, fmt.Sprintf("operation %q", op))
			}
		}
		for _, function := range valueFunctions(file) {
			note("function", function)
		}
	}
	return missing
}

// plain is a name without what tells "leaky relu" from LeakyReLU.
func plain(name string) string { return strings.ToLower(strings.ReplaceAll(name, " ", "")) }

// operations returns the names of the operations that a file declares.
func operations(file *ast.File) []string {
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if !ok || !isNamed(literal.Type, "operation") {
			return true
		}
		if name := nameOf(literal); name != "" {
			names = append(names, name)
		}
		return true
	})
	return names
}

// nameOf returns the name in an operation's literal, with keys or without.
func nameOf(literal *ast.CompositeLit) string {
	for i, element := range literal.Elts {
		value := element
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			if !isNamed(pair.Key, "name") {
				continue
			}
			value = pair.Value
		} else if i > 0 {
			continue
		}
		if text, ok := value.(*ast.BasicLit); ok && text.Kind == token.STRING {
			name, _ := strconv.Unquote(text.Value)
			return name
		}
	}
	return ""
}

func isNamed(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// valueFunctions returns the exported functions, and methods of Value, that
// return Values.
func valueFunctions(file *ast.File) []string {
	var names []string
	for _, declaration := range file.Decls {
		f, ok := declaration.(*ast.FuncDecl)
		if !ok || !f.Name.IsExported() || f.Type.Results == nil {
			continue
		}
		if f.Recv != nil && !isNamed(f.Recv.List[0].Type, "Value") {
			continue
		}
		if slices.ContainsFunc(f.Type.Results.List, func(r *ast.Field) bool { return returnsValues(r.Type) }) {
			names = append(names, f.Name.Name)
		}
	}
	return names
}

func returnsValues(e ast.Expr) bool {
	if list, ok := e.(*ast.ArrayType); ok {
		e = list.Elt
	}
	return isNamed(e, "Value")
}

// packageSource parses the package's files but for its tests.
func packageSource(t *testing.T) []*ast.File {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, parsed(t, path, string(source)))
	}
	if len(files) == 0 {
		t.Fatal("no source files")
	}
	return files
}

func parsed(t *testing.T, path, source string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
