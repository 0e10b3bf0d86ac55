module nabla/bench/peers/products

go 1.26.5

require (
	golang.org/x/sys v0.49.0
	nabla v0.0.0
)

require gonum.org/v1/gonum v0.17.0 // indirect

replace nabla => ../../..
