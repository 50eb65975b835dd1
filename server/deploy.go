package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/manifest"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/workflow"
)

// deploy makes what a bundle declares run. Nothing changes unless everything
// in it is sound; then functions go first, so that no workflow is ever without
// them. What is not in the bundle stays.
func (s *Server) deploy(ctx context.Context, b *manifest.Bundle, dryRun bool) (api.Deployment, error) {
	s.deploying.Lock()
	defer s.deploying.Unlock()
	d := api.Deployment{DryRun: dryRun, Changes: []api.Change{}}
	now := s.catalog.Load()
	if err := b.Check(slices.Sorted(maps.Keys(now.functions))...); err != nil {
		return d, manifestProblem(err)
	}
	next := now.clone()
	var functions []deployedFunction
	for _, f := range b.Functions {
		change := api.DescribeFunction(f)
		deployed := deployedFunction{function: f, revision: function.NewRevision(f, f.Resources)}
		old, exists := now.functions[f.Name]
		switch {
		case exists && reflect.DeepEqual(old.function, f):
			change.Action = api.ActionUnchanged
		case exists:
			change.Action = api.ActionUpdated
		}
		if change.Action != api.ActionUnchanged {
			functions = append(functions, deployed)
		}
		next.functions[f.Name] = deployed
		d.Changes = append(d.Changes, change)
	}
	var workflows []*workflow.Workflow
	for _, w := range b.Workflows {
		change := api.DescribeWorkflow(w)
		deployed, err := compile(w)
		if err != nil {
			return d, err
		}
		old, exists := now.workflows[w.Name]
		switch {
		case exists && old.plan.Digest() == deployed.plan.Digest() && reflect.DeepEqual(old.workflow.Payloads, w.Payloads):
			change.Action = api.ActionUnchanged
		case exists:
			change.Action = api.ActionUpdated
		}
		if change.Action != api.ActionUnchanged {
			workflows = append(workflows, w)
		}
		next.workflows[w.Name] = deployed
		d.Changes = append(d.Changes, change)
	}
	if dryRun {
		return d, nil
	}
	if err := s.start(ctx, functions); err != nil {
		return d, err
	}
	if err := s.save(ctx, functions, workflows); err != nil {
		return d, err
	}
	s.catalog.Store(next)
	for _, f := range functions {
		if old, ok := now.functions[f.function.Name]; ok && old.revision.Name != f.revision.Name {
			s.retire(old.revision.Name)
		}
	}
	s.metrics.promises(next)
	return d, nil
}

func compile(w *workflow.Workflow) (deployedWorkflow, error) {
	plan, err := engine.Compile(*w)
	if err != nil {
		return deployedWorkflow{}, &api.Problem{
			Title: "Workflow cannot run", Status: http.StatusUnprocessableEntity, Detail: err.Error(),
		}
	}
	return deployedWorkflow{workflow: w, plan: plan, stages: api.Stages(w)}, nil
}

// start makes the platform know functions and routes to them. When one is
// refused, those before it are taken back.
func (s *Server) start(ctx context.Context, functions []deployedFunction) error {
	known := s.catalog.Load().functions
	for i, f := range functions {
		if err := s.platform.Deploy(ctx, f.revision); err != nil {
			for _, done := range functions[:i] {
				if old, ok := known[done.function.Name]; !ok || old.revision.Name != done.revision.Name {
					s.retire(done.revision.Name)
				}
			}
			return &api.Problem{
				Title: "Function cannot run here", Status: http.StatusUnprocessableEntity,
				Detail: fmt.Sprintf("function %s: %v", f.function.Name, err),
			}
		}
	}
	for _, f := range functions {
		if err := s.platform.Scale(ctx, f.revision.Name, s.scaleOf(f.revision)); err != nil {
			return err
		}
		if err := s.platform.Route(ctx, f.function.Name, []platform.Traffic{{Revision: f.revision.Name, Percent: 100}}); err != nil {
			return err
		}
	}
	return nil
}

// retire removes a revision that nothing is routed to any more. It outlives
// the request that caused it.
func (s *Server) retire(revision string) {
	if err := s.platform.Remove(context.Background(), revision); err != nil {
		s.log.Error("removing a revision", "revision", revision, "error", err)
	}
}

// removeWorkflow takes a workflow out of the catalog.
func (s *Server) removeWorkflow(ctx context.Context, name string) error {
	s.deploying.Lock()
	defer s.deploying.Unlock()
	next := s.catalog.Load().clone()
	if _, ok := next.workflows[name]; !ok {
		return notFound("workflow", name, next.workflows)
	}
	if err := s.store.Undeploy(ctx, kindWorkflow, name); err != nil {
		return err
	}
	delete(next.workflows, name)
	s.catalog.Store(next)
	s.metrics.promises(next)
	return nil
}

// removeFunction takes a function out of the catalog and off the platform.
func (s *Server) removeFunction(ctx context.Context, name string) error {
	s.deploying.Lock()
	defer s.deploying.Unlock()
	next := s.catalog.Load().clone()
	f, ok := next.functions[name]
	if !ok {
		return notFound("function", name, next.functions)
	}
	if callers := next.callers(name); len(callers) > 0 {
		return &api.Problem{
			Title: "Function in use", Status: http.StatusConflict,
			Detail: fmt.Sprintf("function %s is called by %s", name, strings.Join(callers, ", ")),
			Hint:   "remove or change those workflows first",
		}
	}
	if err := s.store.Undeploy(ctx, kindFunction, name); err != nil {
		return err
	}
	delete(next.functions, name)
	s.catalog.Store(next)
	if err := s.platform.Route(ctx, name, nil); err != nil {
		return err
	}
	s.retire(f.revision.Name)
	return nil
}

// manifestProblem says what is wrong with manifests, one entry for each place.
func manifestProblem(err error) error {
	p := &api.Problem{
		Title: "Manifests are at fault", Status: http.StatusUnprocessableEntity, Detail: "the manifests cannot be deployed",
	}
	var list manifest.Errors
	if !errors.As(err, &list) {
		p.Detail = err.Error()
		return p
	}
	for _, e := range list {
		text := *e
		text.File, text.Line, text.Column = "", 0, 0
		location := fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Column)
		if e.Line == 0 {
			location = e.File
		}
		p.Errors = append(p.Errors, api.ProblemError{
			Location: location, Message: strings.TrimPrefix(text.Error(), ": "),
		})
	}
	return p
}
