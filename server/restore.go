package server

import (
	"context"
	"fmt"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/manifest"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/store"
	"github.com/aquatope/aquatope/workflow"
)

// The kinds of documents in the store.
const (
	kindFunction = "function"
	kindWorkflow = "workflow"
)

// save keeps what was deployed, as manifests, so that a newer version reads
// them with its own reader.
func (s *Server) save(ctx context.Context, functions []deployedFunction, workflows []*workflow.Workflow) error {
	var docs []store.Deployment
	now := time.Now()
	add := func(kind, name string, b manifest.Bundle) error {
		text, err := manifest.Marshal(&b)
		if err != nil {
			return fmt.Errorf("keeping %s %s: %w", kind, name, err)
		}
		docs = append(docs, store.Deployment{Kind: kind, Name: name, Time: now, Document: text})
		return nil
	}
	for _, f := range functions {
		if err := add(kindFunction, f.function.Name, manifest.Bundle{Functions: []function.Function{f.function}}); err != nil {
			return err
		}
	}
	for _, w := range workflows {
		if err := add(kindWorkflow, w.Name, manifest.Bundle{Workflows: []*workflow.Workflow{w}}); err != nil {
			return err
		}
	}
	if len(docs) == 0 {
		return nil
	}
	return s.store.Deploy(ctx, docs...)
}

// restore deploys what the store holds and takes up runs that had not ended.
func (s *Server) restore(ctx context.Context) error {
	if err := s.restoreDeployments(ctx); err != nil {
		return err
	}
	unfinished, _, err := s.store.Runs(ctx, store.RunFilter{Status: run.StatusRunning, Limit: maxUnfinished})
	if err != nil {
		return fmt.Errorf("reading unfinished runs: %w", err)
	}
	for _, r := range unfinished {
		s.running.of(r.Workflow).Add(1)
	}
	n, err := s.engine.Resume(ctx)
	if err != nil {
		return fmt.Errorf("taking up runs: %w", err)
	}
	if n > 0 {
		s.log.Info("took up asynchronous runs", "runs", n)
	}
	return nil
}

// maxUnfinished bounds the runs that are counted at a start; more are taken up
// all the same.
const maxUnfinished = 1_000_000

// restoreDeployments makes what was deployed run again. What this version or
// this machine cannot run any more is left out and said: the rest must work.
func (s *Server) restoreDeployments(ctx context.Context) error {
	docs, err := s.store.Deployments(ctx)
	if err != nil {
		return fmt.Errorf("reading what was deployed: %w", err)
	}
	next := s.catalog.Load().clone()
	for _, d := range docs {
		if err := s.restoreOne(ctx, next, d); err != nil {
			s.log.Error("deploying again after a restart", "kind", d.Kind, "name", d.Name, "error", err)
			s.warn(fmt.Sprintf("%s %s could not be deployed again: %v", d.Kind, d.Name, err))
		}
	}
	s.catalog.Store(next)
	s.metrics.promises(next)
	return nil
}

func (s *Server) restoreOne(ctx context.Context, into *catalog, d store.Deployment) error {
	b, err := manifest.Parse(d.Kind+" "+d.Name, d.Document)
	if err != nil {
		return err
	}
	for _, f := range b.Functions {
		deployed := deployedFunction{function: f, revision: function.NewRevision(f, f.Resources)}
		if err := s.start(ctx, []deployedFunction{deployed}); err != nil {
			return err
		}
		into.functions[f.Name] = deployed
	}
	for _, w := range b.Workflows {
		deployed, err := compile(w)
		if err != nil {
			return err
		}
		into.workflows[w.Name] = deployed
	}
	return nil
}
