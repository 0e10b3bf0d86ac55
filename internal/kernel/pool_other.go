//go:build !amd64

package kernel

// spin waits for a moment.
func spin(rounds int) {
	for range rounds {
	}
}
