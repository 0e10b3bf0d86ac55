package kernel_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// withoutVectors are the functions that have portable loops alone.
var withoutVectors = []string{
	"Lgamma", "Digamma", "Polygamma", // rare, with many cases for each element
	"Atan2", "Hypot", "Fmod", "Remainder", "Cbrt", "ErfInv", "Sinc", // rare
	"PowScalar", // calls Square, cube or anyPower
}

// withoutVectorGradient are functions with vectors whose derivative has none.
var withoutVectorGradient = []string{
	"AddScalar", // copies the incoming gradient
}

// Each exported kernel has a use outside of this package and the tests.
func TestEachKernelIsUsed(t *testing.T) {
	uses := map[string]bool{}
	for _, file := range parsed(t, filepath.Join("..", "..")) {
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "kernel" {
					uses[s.Sel.Name] = true
				}
			}
			return true
		})
	}
	if len(uses) < 100 {
		t.Fatalf("found uses of only %d kernels", len(uses))
	}
	for _, file := range parsed(t, ".") {
		for name := range declared(file) {
			if ast.IsExported(name) && !uses[name] {
				t.Errorf("%s is used by nothing outside this package: an elementwise function is an operation of autograd", name)
			}
		}
	}
}

// Each Unary and Binary has a vector form, and its derivative too, or is listed
// as one without.
func TestEachFunctionHasVectors(t *testing.T) {
	tables, err := os.ReadFile("tables_amd64.go")
	if err != nil {
		t.Fatal(err)
	}
	vectors := map[string]bool{} // and whether the derivative has some
	for _, row := range regexp.MustCompile(`(?s)\{of: &(\w+),(.*?)\n\t\},`).FindAllStringSubmatch(string(tables), -1) {
		vectors[row[1]] = vectors[row[1]] || strings.Contains(row[2], "D64:")
	}
	tested := map[string]bool{}
	for _, row := range unaries {
		tested[row.name] = true
	}
	for _, row := range binaries {
		tested[row.name] = true
	}
	functions := 0
	for _, file := range parsed(t, ".") {
		for name, value := range declared(file) {
			kind, hasGradient := functionOf(value)
			if kind == "" {
				continue
			}
			functions++
			if ast.IsExported(name) && !tested[name] {
				t.Errorf("%s: has no row in unaries or binaries, for the tests", name)
			}
			vectorGradient, ok := vectors[name]
			if isListed := slices.Contains(withoutVectors, name); ok == isListed {
				t.Errorf("%s: has vectors %v, in the list of those without %v", name, ok, isListed)
			}
			if kind == "Binary" || !ok || !hasGradient {
				continue
			}
			if isListed := slices.Contains(withoutVectorGradient, name); vectorGradient == isListed {
				t.Errorf("%s′: has vectors %v, in the list of those without %v", name, vectorGradient, isListed)
			}
		}
	}
	if functions < 70 {
		t.Errorf("found only %d functions", functions)
	}
}

// functionOf recognizes a Unary or Binary by the expression that makes it, and
// reports whether it has a derivative.
func functionOf(value ast.Expr) (kind string, hasGradient bool) {
	switch v := value.(type) {
	case *ast.CallExpr:
		if name, ok := v.Fun.(*ast.Ident); ok && strings.HasPrefix(name.Name, "of") {
			switch name.Name {
			case "ofXY":
				return "Binary", true
			case "ofXYZ": // a Ternary, which is a derivative itself
				return "", false
			}
			return "Unary", true
		}
	case *ast.CompositeLit:
		if name, ok := v.Type.(*ast.Ident); ok && (name.Name == "Unary" || name.Name == "Binary") {
			return name.Name, slices.ContainsFunc(v.Elts, func(e ast.Expr) bool {
				return e.(*ast.KeyValueExpr).Key.(*ast.Ident).Name == "D"
			})
		}
	}
	return "", false
}

// declared are a file's functions, with a nil expression, and variables.
func declared(file *ast.File) map[string]ast.Expr {
	names := map[string]ast.Expr{}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				names[d.Name.Name] = nil
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok && len(v.Values) == len(v.Names) {
					for i, name := range v.Names {
						names[name.Name] = v.Values[i]
					}
				}
			}
		}
	}
	return names
}

// parsed returns the Go files of a folder and those below it, without tests,
// hidden folders and other modules.
func parsed(t *testing.T, root string) []*ast.File {
	t.Helper()
	var files []*ast.File
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != root {
			_, err := os.Stat(filepath.Join(path, "go.mod"))
			if err == nil || (strings.HasPrefix(entry.Name(), ".") && entry.Name() != "..") {
				return filepath.SkipDir
			}
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		files = append(files, file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
