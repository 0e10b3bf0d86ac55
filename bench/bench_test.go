package main

import (
	"fmt"
	"testing"

	"nabla/autograd"
)

// The workloads as benchmarks, for benchstat; one operation is a step.
func BenchmarkNabla(b *testing.B) {
	for _, w := range workloads() {
		benchmark(b, w, w.name, w.nabla)
	}
}

// The peers that run in this process, as benchmarks.
func BenchmarkPeers(b *testing.B) {
	for _, w := range workloads() {
		for _, p := range w.peers {
			if p.prepare != nil {
				benchmark(b, w, w.name+"/"+p.name, p.prepare)
			}
		}
	}
}

func benchmark(b *testing.B, w workload, name string, prepare prepare) {
	for _, precision := range []autograd.Precision{autograd.Float32, autograd.Float64} {
		b.Run(fmt.Sprintf("%s/%v", name, precision), func(b *testing.B) {
			step := prepare(precision)
			step()
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
			if w.flops > 0 {
				b.ReportMetric(w.flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			}
		})
	}
}
