package operations_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"nabla/internal/operations"
)

// A declared operation is one found in autograd's source.
type declared struct {
	inputs int // of an elementwise one, 0 for others
	mask   bool
}

// Every operation of autograd has a row that describes it correctly, and every
// row belongs to an operation of autograd or of drawings.
func TestEveryOperationHasARow(t *testing.T) {
	all := operationsOf(t)
	if len(all) < 100 {
		t.Fatalf("only %d operations were found", len(all))
	}
	for name, d := range all {
		o := operations.Of(name)
		elementwise := o.Class == operations.Elementwise
		switch {
		case o.Name == "":
			t.Errorf("operation %q of autograd has no row in internal/operations/table.go", name)
		case elementwise != (d.inputs > 0) || elementwise && o.Inputs != d.inputs:
			t.Errorf("%s: the row says class %d and %d inputs, autograd an elementwise one of %d (0 for none)", name, o.Class, o.Inputs, d.inputs)
		case o.Backward == nil && !elementwise && !d.mask && o.Class != operations.Leaf && o.Class != operations.Scratch:
			t.Errorf("%s: the row does not say what becomes of the gradient", name)
		}
	}
	for _, o := range operations.All() {
		if _, known := all[o.Name]; !known && o.Class != operations.Picture {
			t.Errorf("a row of %q, which autograd does not declare", o.Name)
		}
		if operations.Of(o.Name).Name != o.Name {
			t.Errorf("two rows of %q", o.Name)
		}
		if o.Class == operations.Unknown {
			t.Errorf("%s has no class", o.Name)
		}
	}
	if o := operations.Of("no such"); o.Name != "" || o.Class != operations.Unknown {
		t.Errorf("an unknown operation is %+v", o)
	}
}

// operationsOf reads the declarations of autograd.
func operationsOf(t *testing.T) map[string]declared {
	t.Helper()
	all := map[string]declared{}
	eachFile(t, "../../autograd", func(_ string, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			if kind, ok := literal.Type.(*ast.Ident); !ok || kind.Name != "operation" {
				return true
			}
			name, d := "", declared{}
			for _, element := range literal.Elts {
				pair, ok := element.(*ast.KeyValueExpr)
				if !ok {
					continue
				}
				switch pair.Key.(*ast.Ident).Name {
				case "name":
					name = textOf(pair.Value)
				case "unary":
					d.inputs = 1
				case "binary":
					d.inputs = 2
				case "mask":
					d.mask = true
				}
			}
			if name != "" {
				all[name] = d
			}
			return true
		})
		ast.Inspect(file, func(n ast.Node) bool {
			if name, d := madeByCustom(n); name != "" {
				all[name] = d
			}
			return true
		})
	})
	return all
}

// madeByCustom recognizes an operation that package matrix makes for
// autograd.CustomInto, by a call of operation or mask.
func madeByCustom(n ast.Node) (name string, d declared) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 2 {
		return "", d
	}
	if f, ok := call.Fun.(*ast.Ident); !ok || f.Name != "operation" && f.Name != "mask" {
		return "", d
	} else {
		d.mask = f.Name == "mask"
	}
	return textOf(call.Args[0]), d
}

// Outside autograd, the table and programs, code asks for an operation by a
// constant or a property from the table, not by a string: strings would be
// forgotten when an operation is renamed, or when another one with the property
// is added. Packages onnx and xla have tables of their own, by these names or
// those of ONNX, and tests that each operation stands in them.
func TestNoNamesElsewhere(t *testing.T) {
	looked := 0
	eachFile(t, "../..", func(path string, file *ast.File) {
		for _, folder := range []string{"autograd", "internal/kernel", "internal/operations", "examples", "bench", "onnx", "xla"} {
			if strings.HasPrefix(path, "../../"+folder+"/") {
				return
			}
		}
		looked++
		ast.Inspect(file, func(n ast.Node) bool {
			for _, e := range asked(n) {
				if name := textOf(e); operations.Of(name).Name != "" {
					t.Errorf("%s: %q is asked for by its name: see internal/operations", path, name)
				}
			}
			return true
		})
	})
	if looked < 100 {
		t.Errorf("only %d files were looked at", looked)
	}
}

// asked returns the expressions that a syntax node compares an operation's name
// with.
func asked(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if n.Op == token.EQL || n.Op == token.NEQ {
			if isOp(n.X) || isOp(n.Y) {
				return []ast.Expr{n.X, n.Y}
			}
		}
	case *ast.SwitchStmt:
		if n.Tag == nil || !isOp(n.Tag) {
			return nil
		}
		var all []ast.Expr
		for _, clause := range n.Body.List {
			all = append(all, clause.(*ast.CaseClause).List...)
		}
		return all
	case *ast.IndexExpr: // of a map indexed by name
		return []ast.Expr{n.Index}
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "Is" || f.Sel.Name == "Of") {
			return n.Args
		}
	case *ast.CompositeLit:
		return keysByOperation(n)
	}
	return nil
}

// keysByOperation returns the keys of a map literal by operations: one in which
// at least half of the keys are names of operations.
func keysByOperation(n *ast.CompositeLit) []ast.Expr {
	if _, ok := n.Type.(*ast.MapType); !ok {
		return nil
	}
	var keys []ast.Expr
	for _, e := range n.Elts {
		if pair, ok := e.(*ast.KeyValueExpr); ok && operations.Of(textOf(pair.Key)).Name != "" {
			keys = append(keys, pair.Key)
		}
	}
	if 2*len(keys) < len(n.Elts) {
		return nil
	}
	return keys
}

// isOp reports whether an expression is an operation's name: n.Op or op.
func isOp(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return e.Sel.Name == "Op"
	case *ast.Ident:
		return e.Name == "op"
	}
	return false
}

func textOf(e ast.Expr) string {
	literal, ok := e.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return ""
	}
	text, _ := strconv.Unquote(literal.Value)
	return text
}

// eachFile parses the Go files below a folder, except tests.
func eachFile(t *testing.T, root string, f func(path string, file *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != "..":
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err == nil {
			f(filepath.ToSlash(path), file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
