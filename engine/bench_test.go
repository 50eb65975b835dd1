package engine_test

import (
	"context"
	"testing"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/workflow"
)

type noop struct{}

func (noop) Invoke(_ context.Context, req platform.Request) (*platform.Response, error) {
	return &platform.Response{Status: 200, Body: req.Body, Observation: function.Observation{Outcome: function.OutcomeOK}}, nil
}

func BenchmarkRunOneStage(b *testing.B) {
	e := engine.New(engine.Config{Invoker: noop{}})
	p, err := engine.Compile(workflow.Workflow{Name: "one", Do: []workflow.Task{{Name: "a", Path: "/do/0/a", Call: &workflow.Call{Function: "f"}}}})
	if err != nil {
		b.Fatal(err)
	}
	in := engine.Input{Body: []byte(`{"a":1}`), ContentType: "application/json"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Run(context.Background(), p, in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInvoke(b *testing.B) {
	e := engine.New(engine.Config{Invoker: noop{}})
	in := engine.Input{Body: []byte(`{"a":1}`), ContentType: "application/json"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Invoke(context.Background(), "f", in); err != nil {
			b.Fatal(err)
		}
	}
}
