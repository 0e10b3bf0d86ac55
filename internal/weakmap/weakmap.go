// Package weakmap has a map that does not keep its keys alive: what is stored
// beside a parameter goes when nobody else holds the parameter.
package weakmap

import (
	"runtime"
	"sync"
	"unsafe"
	"weak"
)

// A Map holds a value for each key that is still in use elsewhere. When the
// garbage collector finds that a key is not, it drops the entry. A value must
// not lead to its own key, which would then always be in use. The zero Map is
// empty. A copy of a Map that has entries shares them.
//
// A Map serves one goroutine at a time. Entries are dropped on another, for
// which it has a lock of its own.
type Map[K, V any] struct{ *table[K, V] }

// A table is found by the address of a key, which is faster than by a weak
// pointer. Another key may get the address of one that is gone before its entry
// is dropped, so the entry knows whose it is.
type table[K, V any] struct {
	lock     sync.Mutex
	entries  map[uintptr]entry[K, V]
	cleanups *cleanups
}

type entry[K, V any] struct {
	key   weak.Pointer[K]
	value V
}

// cleanups are those of the keys, to be stopped when the table goes first: a
// key that outlives many tables would collect them.
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

// Set stores a value beside a key.
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

// A death is what is known of a key that is gone.
type death[K, V any] struct {
	table   weak.Pointer[table[K, V]]
	key     weak.Pointer[K]
	address uintptr
}

// drop drops the entry of a key that is gone, unless another key has taken its
// place.
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
