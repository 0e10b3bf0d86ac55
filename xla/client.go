package xla

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"unsafe"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/go-xla/pjrt"

	"nabla/autograd"
)

// A Client is a plugin's view of its devices: the cores of the processor, or
// the accelerators of the machine. It may be used from many goroutines. What
// nobody refers to any more is freed, at some time; Close frees it at once.
type Client struct{ *client }

type client struct {
	pjrt *pjrt.Client
	path string // of the plugin

	busy sync.RWMutex // held by Close, and for reading by whatever uses the devices

	mu     sync.Mutex
	closed bool
	owned  map[closer]bool // what Close has to free first
}

// A closer is what a client has to free.
type closer interface{ free() error }

// loading serializes the loading of plugins, of which the library keeps a
// list.
var loading sync.Mutex

// Open loads a PJRT plugin from a file and returns a client of it. It is an
// error, and nothing worse, if there is no such file or it is no plugin. A
// plugin stays loaded until the program ends, as it cannot be unloaded; opened
// again, it gives another client.
func Open(plugin string) (*Client, error) {
	path, err := checkPlugin(plugin)
	if err != nil {
		return nil, err
	}
	loading.Lock()
	defer loading.Unlock()
	loaded, err := pjrt.GetPlugin(path)
	if err != nil {
		return nil, fmt.Errorf("xla: plugin %s: %w", plugin, err)
	}
	made, err := loaded.NewClient(nil)
	if err != nil {
		return nil, fmt.Errorf("xla: plugin %s: %w", plugin, err)
	}
	if made.NumDevices() == 0 {
		return nil, errors.Join(fmt.Errorf("xla: plugin %s has no device here", plugin), made.Destroy())
	}
	c := &Client{&client{pjrt: made, path: path, owned: map[closer]bool{}}}
	runtime.AddCleanup(c, func(c *client) { _ = c.close() }, c.client)
	return c, nil
}

// checkPlugin returns the absolute path of a file that can be a plugin. The
// loader's own complaints would go to the standard error.
func checkPlugin(plugin string) (string, error) {
	if plugin == "" {
		return "", errors.New("xla: no plugin is named: want the path of a PJRT plugin")
	}
	path, err := filepath.Abs(plugin)
	if err != nil {
		return "", fmt.Errorf("xla: plugin: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("xla: plugin: %w", err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("xla: plugin %s is no file", plugin)
	}
	if runtime.GOOS == "linux" {
		if err := hasEntry(path); err != nil {
			return "", fmt.Errorf("xla: plugin %s: %w", plugin, err)
		}
	}
	return path, nil
}

// hasEntry returns an error unless a file is a library with the function that
// all plugins have.
func hasEntry(path string) error {
	library, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("it is no shared library: %w", err)
	}
	defer library.Close()
	if machine := machines[runtime.GOARCH]; library.Type != elf.ET_DYN || machine != 0 && library.Machine != machine {
		return fmt.Errorf("it is no shared library for %s: %v, %v", runtime.GOARCH, library.Type, library.Machine)
	}
	symbols, err := library.DynamicSymbols()
	if err != nil {
		return err
	}
	for _, s := range symbols {
		if s.Name == pjrt.GetPJRTApiFunctionName && s.Section != elf.SHN_UNDEF {
			return nil
		}
	}
	return fmt.Errorf("it has no function %s: it is no PJRT plugin", pjrt.GetPJRTApiFunctionName)
}

var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// Close frees the devices' memory: all that was compiled by the client ends
// with it. It waits for calls and steps under way. A second Close does nothing.
func (c *Client) Close() error { return c.close() }

func (c *client) close() error {
	c.busy.Lock()
	defer c.busy.Unlock()
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	owned := c.owned
	c.owned = nil
	c.mu.Unlock()
	var all error
	for o := range owned {
		all = errors.Join(all, o.free())
	}
	if err := errors.Join(all, c.pjrt.Destroy()); err != nil {
		return fmt.Errorf("xla: %w", err)
	}
	return nil
}

// own makes Close free something.
func (c *client) own(o closer) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed
	}
	c.owned[o] = true
	return nil
}

// disown frees something before Close.
func (c *client) disown(o closer) error {
	c.mu.Lock()
	known := c.owned[o]
	delete(c.owned, o)
	c.mu.Unlock()
	if !known {
		return nil
	}
	return o.free()
}

var errClosed = errors.New("xla: the client is closed")

// enter keeps Close waiting until leave. It returns an error after Close.
func (c *client) enter() error {
	c.busy.RLock()
	if err := c.alive(); err != nil {
		c.busy.RUnlock()
		return err
	}
	return nil
}

func (c *client) leave() { c.busy.RUnlock() }

// alive returns an error after Close.
func (c *client) alive() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed
	}
	return nil
}

// Devices returns the number of devices. A plugin for processors has several,
// which share the cores.
func (c *Client) Devices() int { return c.pjrt.NumDevices() }

// Platform returns what the plugin calls its platform: "cpu", "cuda", "tpu".
func (c *Client) Platform() string { return c.pjrt.Platform() }

// An executable is a compiled program.
type executable struct {
	client  *client
	loaded  *pjrt.LoadedExecutable
	devices int
}

// compile compiles a program for as many devices, each of which runs it.
func (c *client) compile(text string, devices int) (*executable, error) {
	if err := c.alive(); err != nil {
		return nil, err
	}
	config := c.pjrt.Compile().WithStableHLO([]byte(text))
	if devices > 1 {
		config = config.WithSPMD(devices)
	}
	loaded, err := config.Done()
	if err != nil {
		return nil, fmt.Errorf("xla: compile: %w", err)
	}
	e := &executable{client: c, loaded: loaded, devices: devices}
	if err := c.own(e); err != nil {
		return nil, errors.Join(err, e.free())
	}
	return e, nil
}

func (e *executable) free() error { return e.loaded.Destroy() }

func (e *executable) close() error { return e.client.disown(e) }

// run executes the program. The arguments of the first device come first; so
// do the results. The donated arguments, of each device the same, are freed.
func (e *executable) run(arguments []*pjrt.Buffer, donated []int) ([]*pjrt.Buffer, error) {
	if err := e.client.alive(); err != nil {
		return nil, err
	}
	execution := e.loaded.Execute(arguments...)
	if len(donated) > 0 {
		each := len(arguments) / e.devices
		all := make([]bool, len(arguments))
		for device := range e.devices {
			for _, i := range donated {
				all[device*each+i] = true
			}
		}
		execution = execution.SetDonate(all)
	}
	results, err := execution.Done()
	if err != nil {
		return nil, fmt.Errorf("xla: run: %w", err)
	}
	return results, nil
}

// put copies numbers to a device. The numbers are []float64, []float32 or
// []int64.
func (c *client) put(data unsafe.Pointer, bytes int, kind dtypes.DType, shape []int, device int) (*pjrt.Buffer, error) {
	if err := c.alive(); err != nil {
		return nil, err
	}
	none := [1]byte{}
	raw := none[:]
	if bytes > 0 {
		raw = unsafe.Slice((*byte)(data), bytes)
	}
	b, err := c.pjrt.BufferFromHost().FromRawData(raw, kind, shape).ToDeviceNum(device).Done()
	if err != nil {
		return nil, fmt.Errorf("xla: copy to device %d: %w", device, err)
	}
	return b, nil
}

// putTensor copies a tensor to a device.
func (c *client) putTensor(t autograd.Tensor, device int) (*pjrt.Buffer, error) {
	if t.Precision() == autograd.Float32 {
		x := t.Raw32()
		return c.put(unsafe.Pointer(unsafe.SliceData(x)), 4*len(x), dtypes.Float32, t.Shape(), device)
	}
	x := t.Raw64()
	return c.put(unsafe.Pointer(unsafe.SliceData(x)), 8*len(x), dtypes.Float64, t.Shape(), device)
}

// putInts copies integers to a device.
func (c *client) putInts(values []int, shape []int, device int) (*pjrt.Buffer, error) {
	x := make([]int32, len(values))
	for i, v := range values {
		x[i] = int32(v)
	}
	return c.put(unsafe.Pointer(unsafe.SliceData(x)), 4*len(x), dtypes.Int32, shape, device)
}

// read copies the numbers of a device into a tensor.
func read(b *pjrt.Buffer, into autograd.Tensor) error {
	if into.Size() == 0 {
		return nil
	}
	var bytes []byte
	if into.Precision() == autograd.Float32 {
		x := into.Raw32()
		bytes = unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), 4*len(x))
	} else {
		x := into.Raw64()
		bytes = unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), 8*len(x))
	}
	if err := b.ToHost(bytes); err != nil {
		return fmt.Errorf("xla: copy from the device: %w", err)
	}
	return nil
}

// destroy frees buffers. What it cannot free now, the garbage collector will.
func destroy(buffers []*pjrt.Buffer) {
	for _, b := range buffers {
		if b != nil {
			_ = b.Destroy()
		}
	}
}
