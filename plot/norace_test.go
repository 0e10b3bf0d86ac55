//go:build !race

package plot_test

const raceDetector = false
