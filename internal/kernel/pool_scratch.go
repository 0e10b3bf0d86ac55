package kernel

type scratch struct{}

func newScratch() scratch { return scratch{} }
