package autograd

// A scopeTable numbers the scopes of a graph, which nest. Scope 0 is the graph
// itself. Numbers are kept over Reset: the next recording has the same layers.
type scopeTable struct {
	paths   []string // by number
	last    []string // the last name of each path
	parents []int32
	numbers map[scopeKey]int32
	current int32
	visits  []int32 // the scopes that the last recording entered, in order: the first guess
	visit   int
}

type scopeKey struct {
	parent int32
	name   string
}

func (t *scopeTable) reset() {
	if t.paths == nil {
		t.paths, t.last, t.parents, t.numbers = []string{""}, []string{""}, []int32{0}, map[scopeKey]int32{}
	}
	t.current, t.visit = 0, 0
}

func (t *scopeTable) enter(name string) {
	if t.visit < len(t.visits) {
		if guess := t.visits[t.visit]; t.parents[guess] == t.current && t.last[guess] == name {
			t.visit++
			t.current = guess
			return
		}
	}
	t.find(name)
	t.visits = append(t.visits[:t.visit], t.current)
	t.visit++
}

// find enters a scope by its name.
func (t *scopeTable) find(name string) {
	key := scopeKey{t.current, name}
	number, ok := t.numbers[key]
	if !ok {
		path := name
		if t.current != 0 {
			path = t.paths[t.current] + "/" + name
		}
		number = int32(len(t.paths))
		t.paths, t.parents, t.last = append(t.paths, path), append(t.parents, t.current), append(t.last, name)
		t.numbers[key] = number
	}
	t.current = number
}

// Enter opens a scope: what is recorded until Leave belongs to it. Scopes
// nest; a layer opens one of its name.
//
//	g.Enter("encoder")
//	defer g.Leave()
func (g *Graph) Enter(name string) { g.scopes.enter(name) }

// Leave closes the scope opened last.
func (g *Graph) Leave() {
	if g.scopes.current == 0 {
		panic(&GraphError{"Leave", "no scope is open", callSite()})
	}
	g.scopes.current = g.scopes.parents[g.scopes.current]
}

// names returns the path to a scope, the outermost first.
func (t *scopeTable) names(scope int32) []string {
	var names []string
	for ; scope != 0; scope = t.parents[scope] {
		names = append([]string{t.last[scope]}, names...)
	}
	return names
}
