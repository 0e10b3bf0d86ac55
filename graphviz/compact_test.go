package graphviz

import "testing"

func TestCompact(t *testing.T) {
	for source, want := range map[string]string{
		"// a comment\n\n\tconst x = 1;\n":                   "const x=1;\n",
		"if (a && b) {\n\treturn \"a = b\";\n}\n":            "if(a&&b){\nreturn \"a = b\";\n}\n",
		"x = a + +b - -c;\n":                                 "x=a + +b - -c;\n",
		"y = a / b / c;\n":                                   "y=a / b / c;\n",
		"s.replace(/[ /] = (a) /, ' ( ) ');\n":               "s.replace(/[ /] = (a) /,' ( ) ');\n",
		"t = `a = ${b ? `c = ${d} ;` : \"} = `\"} = e`;\n":   "t=`a = ${b ? `c = ${d} ;` : \"} = `\"} = e`;\n",
		`u = "\" = " + 'it\'s = ';` + "\n":                   `u="\" = " + 'it\'s = ';` + "\n",
		"url = 1; // what stands behind a statement stays\n": "url=1;// what stands behind a statement stays\n",
		"return x in y;\n":                                   "return x in y;\n",
		"const f = (x) => x ** 2 >= 3 ? 1 : 0;\n":            "const f=(x)=>x**2>=3?1:0;\n",
	} {
		if got := compact(source); got != want {
			t.Errorf("compact(%q) = %q, want %q", source, got, want)
		}
		if got := compact(want); got != want {
			t.Errorf("compact(%q) = %q, not the same", want, got)
		}
	}
}
