package page

import (
	"testing"
)

func TestCompact(t *testing.T) {
	for source, want := range map[string]string{
		"// a comment\n\n\tconst x = 1;\n":                    "const x=1;",
		"if (a && b) {\n\treturn \"a = b\";\n}\n":             "if(a&&b){return \"a = b\";}\n",
		"f(a,\n\tb)\ng()\n":                                   "f(a,b)\ng()\n",
		"x = a + +b - -c;\n":                                  "x=a+ +b- -c;",
		"x = a++ + --b;\n":                                    "x=a++ + --b;",
		"y = a / b / c - d;\n":                                "y=a/b/c-d;",
		"y = (a + b) / /[/]/.exec(c);\n":                      "y=(a+b)/ /[/]/.exec(c);",
		"s.replace(/[ /] = (a) /, ' ( ) ');\n":                "s.replace(/[ /] = (a) /,' ( ) ');",
		"t = `a = ${b ? `c = ${d} ;` : \"} = `\"} = e`;\n":    "t=`a = ${b ? `c = ${d} ;` : \"} = `\"} = e`;",
		`u = "\" = " + 'it\'s // ';` + "\n":                   `u="\" = "+'it\'s // ';`,
		"url = 1; // what stands behind a statement, goes,\n": "url=1;",
		"v = 1 // here too;\nw = 2\n":                         "v=1\nw=2\n",
		"return x in y;\n":                                    "return x in y;",
		"const f = (x) => x ** 2 >= 3 ? 1 : 0;\n":             "const f=(x)=>x**2>=3?1:0;",
	} {
		if got := compact(source); got != want {
			t.Errorf("compact(%q) = %q, want %q", source, got, want)
		}
		if got := compact(want); got != want {
			t.Errorf("compact(%q) = %q, not the same", want, got)
		}
	}
}
