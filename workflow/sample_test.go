package workflow_test

import (
	"testing"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/workflow"
)

func TestSamples(t *testing.T) {
	declared := func(fn string) []function.Payload {
		if fn == "first" {
			return nil
		}
		return []function.Payload{{Name: "of " + fn}}
	}
	call := func(fn string) workflow.Task {
		return workflow.Task{Name: fn, Path: "/do/" + fn, Call: &workflow.Call{Function: fn}}
	}
	w := &workflow.Workflow{Do: []workflow.Task{call("first"), call("second"), call("third")}}
	if got := w.Samples(declared); len(got) != 1 || got[0].Name != "of second" {
		t.Errorf("without samples of its own: %v", got)
	}
	w.Payloads = []function.Payload{{Name: "own"}}
	if got := w.Samples(declared); len(got) != 1 || got[0].Name != "own" {
		t.Errorf("with samples of its own: %v", got)
	}
	if got := (&workflow.Workflow{Do: w.Do[:1]}).Samples(declared); got != nil {
		t.Errorf("where nothing declares any: %v", got)
	}
}
