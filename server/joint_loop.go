package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/sim/rehearsal"
	"github.com/aquatope/aquatope/store"
	"github.com/aquatope/aquatope/workflow"
)

// joints are the last joint decision of every workflow, and those that are asked for.
type joints struct {
	mu    sync.Mutex
	of    map[string]*api.JointPlan
	asked chan jointRequest
}

// jointRequest asks for a decision over a workflow; free says that its resources
// may be changed.
type jointRequest struct {
	workflow string
	free     bool
}

// jointQueue bounds the decisions that wait; others come with the next round.
const jointQueue = 16

func newJoints() *joints {
	return &joints{of: map[string]*api.JointPlan{}, asked: make(chan jointRequest, jointQueue)}
}

func (j *joints) get(name string) *api.JointPlan {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.of[name]
}

func (j *joints) set(name string, p *api.JointPlan) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.of[name] = p
}

// ask has a decision made soon.
func (j *joints) ask(r jointRequest) {
	select {
	case j.asked <- r:
	default:
	}
}

// terms are what decisions in force say of functions. One that several workflows
// call has the best that any of them wants for it.
func (j *joints) terms(flows []*workflow.Workflow) map[string]control.Terms {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := map[string]control.Terms{}
	undecided := map[string]bool{}
	for _, w := range flows {
		p := j.of[w.Name]
		for _, fn := range w.Functions() {
			if p == nil || !p.Applied {
				undecided[fn] = true
				continue
			}
			t := control.Terms{Price: p.PriceSeconds, OnDemand: p.IsOnDemand(fn), Alone: !p.LookAhead}
			if other, ok := out[fn]; ok {
				t = control.Terms{Price: max(t.Price, other.Price), OnDemand: t.OnDemand && other.OnDemand, Alone: t.Alone && other.Alone}
			}
			out[fn] = t
		}
	}
	for fn := range undecided {
		delete(out, fn)
	}
	return out
}

// jointLoop decides over resources and warm pool of tuned workflows together: after
// a tuning, and from time to time over the pool alone.
func (s *Server) jointLoop(ctx context.Context) {
	if err := s.recallJoint(ctx); err != nil && ctx.Err() == nil {
		s.log.Error("taking up what was decided over resources and warm pool: it is decided anew", "error", err)
	}
	every := time.NewTicker(jointWindows * s.config.Window)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-s.joint.asked:
			s.decideAndFollow(ctx, r)
		case <-every.C:
			if s.tunings.busy() {
				continue // what is measured must not be disturbed, and tells more soon
			}
			for _, w := range s.flows() {
				if w.QoS.Latency > 0 {
					s.decideAndFollow(ctx, jointRequest{workflow: w.Name})
				}
			}
		}
	}
}

// recallJoint takes up, from the journal, the last decision over every workflow
// that is deployed, so that a restart changes nothing. The mode may have changed.
func (s *Server) recallJoint(ctx context.Context) error {
	for _, w := range s.flows() {
		last, err := s.store.Decisions(ctx, store.DecisionFilter{Controller: "joint", Subject: w.Name, Limit: 1})
		if err != nil {
			return err
		}
		if len(last) == 0 {
			continue
		}
		var p api.JointPlan
		if err := json.Unmarshal(last[0].Data, &p); err != nil {
			return fmt.Errorf("reading the journal's last joint decision over %s: %w", w.Name, err)
		}
		p.Applied = p.Applied && s.config.Pool == control.ModeApply
		s.joint.set(w.Name, &p)
	}
	s.pool.SetTerms(s.joint.terms(s.flows()))
	return nil
}

func (s *Server) decideAndFollow(ctx context.Context, r jointRequest) {
	p, err := s.decideJointly(ctx, r.workflow, r.free)
	if err == nil {
		err = s.follow(ctx, r.workflow, p, r.free)
	}
	var told *api.Problem
	switch {
	case err == nil:
		s.log.Info("decided over resources and warm pool together", "workflow", r.workflow, "applied", p.Applied, "reason", p.Reason)
	case ctx.Err() != nil:
	case errors.Is(err, errYoung), errors.Is(err, rehearsal.ErrElsewhere), errors.As(err, &told):
		s.log.Debug("not deciding over resources and warm pool together", "workflow", r.workflow, "reason", err)
	default:
		s.log.Error("deciding over resources and warm pool together: what is in force stays", "workflow", r.workflow, "error", err)
	}
}
