//go:build !amd64

package kernel

// spin lets a moment go by.
func spin(rounds int) {
	for range rounds {
	}
}
