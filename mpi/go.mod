module nabla/mpi

go 1.26.0

require nabla v0.0.0

require (
	golang.org/x/sys v0.49.0 // indirect
	gonum.org/v1/gonum v0.17.0 // indirect
	google.golang.org/protobuf v1.36.11 // indirect
)

replace nabla => ../

require github.com/google/go-cmp v0.7.0
