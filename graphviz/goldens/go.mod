module nabla/graphviz/goldens

go 1.26.0

require (
	github.com/goccy/go-graphviz v0.2.10
	nabla v0.0.0
)

require (
	github.com/disintegration/imaging v1.6.2 // indirect
	github.com/emicklei/dot v1.11.0 // indirect
	github.com/flopp/go-findfont v0.1.0 // indirect
	github.com/fogleman/gg v1.3.0 // indirect
	github.com/golang/freetype v0.0.0-20170609003504-e2365dfdc4a0 // indirect
	github.com/tetratelabs/wazero v1.10.1 // indirect
	golang.org/x/image v0.30.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.28.0 // indirect
	gonum.org/v1/gonum v0.17.0 // indirect
)

replace nabla => ../..
