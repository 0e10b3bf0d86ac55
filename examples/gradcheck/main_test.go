package main

import (
	"strings"
	"testing"
)

func TestNetwork(t *testing.T) {
	if err := checkNetwork(); err != nil {
		t.Error(err)
	}
}

func TestOperation(t *testing.T) {
	if err := checkOperation(gaussian(-2)); err != nil {
		t.Error(err)
	}
	if checkOperation(gaussian(2)) == nil {
		t.Error("a rule with the wrong sign passes")
	}
}

func TestPrints(t *testing.T) {
	var text strings.Builder
	run(&text)
	for _, line := range []string{
		"a network: its gradients are right\n",
		"an operation: its gradients are right\n",
		"the same with a wrong rule: gradcheck: ",
	} {
		if !strings.Contains(text.String(), line) {
			t.Errorf("the output lacks %q:\n%s", line, text.String())
		}
	}
}
