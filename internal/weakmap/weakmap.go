// Package weakmap has a map that does not keep its keys alive: what is stored
// for a parameter is dropped when nothing else refers to the parameter.
package weakmap

import (
	"runtime"
	"sync"
	"unsafe"
	"weak"
)

// A Map holds a value for each key that is still reachable from elsewhere. When
// the garbage collector finds a key unreachable, its entry is dropped. A value
// must not refer to its own key, which would then always be reachable. The zero
// Map is empty. A copy of a Map that has entries shares them.
//
// Only one goroutine at a time may use a Map. Entries are dropped on another
// goroutine, for which the Map has a lock.
type Map[K, V any] struct{ *table[K, V] }

// A table is indexed by the address of a key, which is faster than a weak
// pointer. A new key may get the address of a dead one before the dead one's
// entry is dropped, so each entry knows its key.
type table[K, V any] struct {
	lock     sync.Mutex
	entries  map[uintptr]entry[K, V]
	cleanups *cleanups
}

type entry[K, V any] struct {
	key   weak.Pointer[K]
	value V
}

// cleanups holds the keys' cleanups, to be stopped if the table dies first:
// otherwise a key that outlives many tables would accumulate them.
type cleanups struct {
	lock  sync.Mutex
	byKey map[uintptr]runtime.Cleanup
}

func address[K any](key *K) uintptr { return uintptr(unsafe.Pointer(key)) }

// Get returns the value of a key.
func (m Map[K, V]) Get(key *K) (value V, ok bool) {
	if m.table == nil {
		return value, false
	}
	m.lock.Lock()
	defer m.lock.Unlock()
	e, ok := m.entries[address(key)]
	if !ok || e.key.Value() != key {
		return value, false
	}
	return e.value, true
}

// Set stores the value of a key.
func (m *Map[K, V]) Set(key *K, value V) {
	if m.table == nil {
		m.table = newTable[K, V]()
	}
	m.lock.Lock()
	defer m.lock.Unlock()
	e, ok := m.entries[address(key)]
	if !ok || e.key.Value() != key {
		e.key = weak.Make(key)
		m.cleanups.add(address(key), runtime.AddCleanup(key, drop[K, V], death[K, V]{weak.Make(m.table), e.key, address(key)}))
	}
	e.value = value
	m.entries[address(key)] = e
}

// Len returns the number of keys.
func (m Map[K, V]) Len() int {
	if m.table == nil {
		return 0
	}
	m.lock.Lock()
	defer m.lock.Unlock()
	return len(m.entries)
}

func newTable[K, V any]() *table[K, V] {
	t := &table[K, V]{entries: map[uintptr]entry[K, V]{}, cleanups: &cleanups{byKey: map[uintptr]runtime.Cleanup{}}}
	runtime.AddCleanup(t, (*cleanups).stop, t.cleanups)
	return t
}

// A death is the data about a dead key.
type death[K, V any] struct {
	table   weak.Pointer[table[K, V]]
	key     weak.Pointer[K]
	address uintptr
}

// drop drops the entry of a dead key, unless another key has taken its place.
func drop[K, V any](d death[K, V]) {
	t := d.table.Value()
	if t == nil {
		return
	}
	t.lock.Lock()
	defer t.lock.Unlock()
	if t.entries[d.address].key == d.key {
		delete(t.entries, d.address)
		t.cleanups.remove(d.address)
	}
}

func (c *cleanups) add(address uintptr, cleanup runtime.Cleanup) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.byKey[address] = cleanup
}

func (c *cleanups) remove(address uintptr) {
	c.lock.Lock()
	defer c.lock.Unlock()
	delete(c.byKey, address)
}

func (c *cleanups) stop() {
	c.lock.Lock()
	defer c.lock.Unlock()
	for _, cleanup := range c.byKey {
		cleanup.Stop()
	}
}
