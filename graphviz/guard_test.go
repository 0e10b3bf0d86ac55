package graphviz_test

import (
	"go/ast"
	goparser "go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The package only draws: explanations, pages and the model of a recording are
// packages of their own. It has few exported names, and .ci/budget limits its
// lines.
func TestFewNames(t *testing.T) {
	const most = 30
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := goparser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			names = append(names, exportedBy(d)...)
		}
	}
	slices.Sort(names)
	if len(names) > most || len(names) < 20 {
		t.Errorf("%d exported names, at most %d: %s", len(names), most, strings.Join(names, ", "))
	}
}

// exportedBy returns the exported names that a declaration declares, without
// methods and fields.
func exportedBy(d ast.Decl) (names []string) {
	add := func(n *ast.Ident) {
		if n.IsExported() {
			names = append(names, n.Name)
		}
	}
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			add(d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				add(spec.Name)
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					add(n)
				}
			}
		}
	}
	return names
}
