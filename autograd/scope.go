package autograd

// A scopeTable numbers the scopes of a graph, which nest. Scope 0 is the graph
// itself. The numbers are kept across Reset, since the next recording has the
// same layers.
type scopeTable struct {
	paths   []string // by number
	last    []string // the last name of each path
	parents []int32
	numbers map[scopeKey]int32
	current int32
	latest  int32 // the scope entered last
	entered int   // scopes of this recording, each as often as it was entered
}

type scopeKey struct {
	parent int32
	name   string
}

// spareScopes is how many scopes are remembered beyond those of a recording.
const spareScopes = 1000

// reset leaves all scopes. If each recording has new names, the old ones are
// forgotten before there are too many.
func (t *scopeTable) reset() {
	if t.paths == nil || len(t.paths) > 2*t.entered+spareScopes {
		t.paths, t.last, t.parents, t.numbers = []string{""}, []string{""}, []int32{0}, map[scopeKey]int32{}
	}
	t.current, t.latest, t.entered = 0, 0, 0
}

// enter enters a scope by its name. Recordings mostly enter the same scopes in
// the same order, so that the next number is the first guess.
func (t *scopeTable) enter(name string) {
	t.entered++
	t.latest++
	if next := int(t.latest); next >= len(t.paths) || t.parents[next] != t.current || t.last[next] != name {
		t.latest = t.find(name)
	}
	t.current = t.latest
}

// find returns the number of a scope in the current one, which it adds when it
// is new.
func (t *scopeTable) find(name string) int32 {
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
	return number
}

// Enter opens a scope: everything recorded until Leave belongs to it. Scopes
// nest. A layer opens a scope with its own name.
//
//	g.Enter("encoder")
//	defer g.Leave()
func (g *Graph) Enter(name string) { g.scopes.enter(name) }

// Leave closes the scope that was opened last.
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
