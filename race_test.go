//go:build race

package nabla_test

const raceEnabled = true
