package weakmap

import (
	"runtime"
	"testing"
)

type key struct {
	name string
	big  []byte
}

// settle collects garbage until ready returns true: cleanups run on a goroutine
// of their own.
func settle(ready func() bool) bool {
	for range 100 {
		runtime.GC()
		if ready() {
			return true
		}
	}
	return false
}

func heap() int {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func TestGetAndSet(t *testing.T) {
	var m Map[key, int]
	a, b := &key{name: "a"}, &key{name: "b"}
	if v, ok := m.Get(a); ok || v != 0 || m.Len() != 0 {
		t.Errorf("the zero Map has %v, %v for a key, and %d keys", v, ok, m.Len())
	}
	m.Set(a, 1)
	m.Set(b, 2)
	m.Set(a, 3)
	for k, want := range map[*key]int{a: 3, b: 2} {
		if v, ok := m.Get(k); !ok || v != want {
			t.Errorf("%s: %v, %v, want %d", k.name, v, ok, want)
		}
	}
	if _, ok := m.Get(&key{name: "a"}); ok {
		t.Error("another key of the same contents is found")
	}
}

// The values of dead keys are dropped; those of the others stay.
func TestValuesGoWithTheirKeys(t *testing.T) {
	var m Map[key, []byte]
	kept := &key{name: "kept"}
	m.Set(kept, []byte("value"))
	before := heap()
	for range 200 {
		m.Set(&key{big: make([]byte, 1<<10)}, make([]byte, 400<<10)) // 80 MB in all
	}
	if !settle(func() bool { return m.Len() == 1 && heap() < before+1<<20 }) {
		t.Errorf("%d keys and %d kB are left", m.Len(), (heap()-before)>>10)
	}
	if v, ok := m.Get(kept); !ok || string(v) != "value" {
		t.Errorf("the key in use has %q, %v", v, ok)
	}
	runtime.KeepAlive(kept)
}

// A key that outlives many maps does not keep what they stored.
func TestKeyOutlivesMaps(t *testing.T) {
	k := &key{name: "k"}
	use := func(maps int) {
		for range maps {
			var m Map[key, []byte]
			m.Set(k, make([]byte, 4<<10))
		}
	}
	use(1000)
	settle(func() bool { return false })
	before := heap()
	use(20_000)
	if !settle(func() bool { return heap() < before+256<<10 }) {
		t.Errorf("20000 maps that are gone left %d kB", (heap()-before)>>10)
	}
	runtime.KeepAlive(k)
}

// A second key at the address of a dead one does not get its value, and the
// late cleanup of the first does not drop the value of the second.
func TestAddressesReused(t *testing.T) {
	var m Map[key, int]
	for i := range 200_000 {
		k := &key{}
		if _, ok := m.Get(k); ok {
			t.Fatal("a new key has a value")
		}
		m.Set(k, i)
		if v, ok := m.Get(k); !ok || v != i {
			t.Fatalf("a key has %v, %v, want %d", v, ok, i)
		}
	}
}

// Get, and Set of a known key, allocate nothing.
func TestAllocates(t *testing.T) {
	var m Map[key, int]
	k := &key{}
	m.Set(k, 1)
	if n := testing.AllocsPerRun(100, func() {
		v, _ := m.Get(k)
		m.Set(k, v+1)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
