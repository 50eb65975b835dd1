package server

import (
	"context"
	"sync"
)

// job is work that a client starts, watches and stops: a tuning session or the
// measurement of a profile. S is what it shows of itself.
type job[S any] struct {
	cancel context.CancelFunc
	ended  chan struct{} // closed when nothing of it runs any more

	mu    sync.Mutex
	state S
}

func newJob[S any](cancel context.CancelFunc, state S) *job[S] {
	return &job[S]{cancel: cancel, ended: make(chan struct{}), state: state}
}

func (j *job[S]) snapshot() S {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state
}

func (j *job[S]) update(change func(*S)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change(&j.state)
}

// stop ends the work and waits until it has ended.
func (j *job[S]) stop(ctx context.Context) (S, error) {
	j.cancel()
	select {
	case <-j.ended:
	case <-ctx.Done():
		return j.snapshot(), ctx.Err()
	}
	return j.snapshot(), nil
}

// jobs holds the last job of every workflow.
type jobs[S any] struct {
	mu   sync.Mutex
	last map[string]*job[S]
}

func (t *jobs[S]) get(workflow string) *job[S] {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last[workflow]
}

func (t *jobs[S]) set(workflow string, j *job[S]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil {
		t.last = map[string]*job[S]{}
	}
	t.last[workflow] = j
}
