package local

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/platform/local/internal/wire"
)

// Invoke runs one invocation; see platform.Platform.
func (p *Platform) Invoke(ctx context.Context, req platform.Request) (*platform.Response, error) {
	now := time.Now()
	obs := function.Observation{
		Time: now, RunID: req.RunID, Workflow: req.Workflow, Stage: req.Stage, Trial: req.Trial, Attempt: req.Attempt,
		Function: req.Function, Revision: req.Revision, InputBytes: int64(len(req.Body)),
	}
	resp, ierr := p.invoke(ctx, req, &obs)
	if ierr != nil {
		obs.Outcome, obs.Message = ierr.Outcome, ierr.Detail
	}
	p.cfg.Observer(obs)
	if ierr != nil {
		e := *ierr // a start's failure is shared by all who waited for it
		e.Observation = obs
		return nil, &e
	}
	return &platform.Response{Status: resp.Status, Header: resp.Header, Body: resp.Body, Observation: obs}, nil
}

func (p *Platform) invoke(ctx context.Context, req platform.Request, obs *function.Observation) (*wire.Response, *platform.InvokeError) {
	r, ierr := p.enter(req)
	if ierr != nil {
		return nil, ierr
	}
	defer p.leave()
	obs.Function, obs.Revision, obs.Resources = r.rev.Function.Name, r.rev.Name, r.rev.Resources
	for range maxAttempts {
		in, ierr := r.acquire(ctx, obs)
		if ierr != nil {
			return nil, ierr
		}
		obs.Instance = in.name
		resp, ierr, again := in.serve(ctx, req, obs)
		if !again {
			return resp, ierr
		}
	}
	return nil, &platform.InvokeError{
		Outcome: function.OutcomeCrash,
		Detail:  fmt.Sprintf("%d instances of function %s in a row accept no connections although they did when they started", maxAttempts, req.Function),
	}
}

// maxAttempts bounds how many instances are tried that turn out to be gone
// before anything was sent to them.
const maxAttempts = 3

// enter finds the revision for a request and counts the invocation in.
func (p *Platform) enter(req platform.Request) (*revision, *platform.InvokeError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, rejected(errClosed.Error(), 0)
	}
	var r *revision
	if req.Revision != "" {
		r = p.revisions[req.Revision]
		if r == nil || r.removed {
			return nil, rejected("revision "+req.Revision+" is not deployed", 0)
		}
	} else {
		if rt, ok := p.routes[req.Function]; ok {
			r = rt.next()
		}
		if r == nil {
			return nil, rejected("function "+req.Function+" is not deployed, or nothing is routed to it", 0)
		}
	}
	p.flying++
	return r, nil
}

func (p *Platform) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.flying--; p.flying == 0 && p.closed {
		close(p.idle)
	}
}

func rejected(detail string, retry time.Duration) *platform.InvokeError {
	return &platform.InvokeError{Outcome: function.OutcomeRejected, Detail: detail, RetryAfter: retry}
}

// acquire returns an instance with the request counted in. It notes in obs
// how long that took.
func (r *revision) acquire(ctx context.Context, obs *function.Observation) (*instance, *platform.InvokeError) {
	p := r.p
	p.mu.Lock()
	if r.queue.Len() == 0 {
		if in := r.free(); in != nil {
			in.inFlight++
			p.mu.Unlock()
			return in, nil
		}
	}
	w, ierr := r.enqueue()
	p.mu.Unlock()
	if ierr != nil {
		return nil, ierr
	}
	deadline := time.NewTimer(p.cfg.QueueDeadline)
	defer deadline.Stop()
	var g grant
	select {
	case g = <-w.result:
	case <-ctx.Done():
		if g = r.abandon(w); g == (grant{}) {
			g.err = &platform.InvokeError{Outcome: function.OutcomeCanceled, Detail: "the caller went away while waiting for an instance"}
		} else if g.in != nil {
			r.giveBack(g.in)
			g = grant{err: &platform.InvokeError{Outcome: function.OutcomeCanceled, Detail: "the caller went away while waiting for an instance"}}
		}
	case <-deadline.C:
		if g = r.abandon(w); g == (grant{}) {
			g.err = rejected(fmt.Sprintf("no instance of function %s was free within %s: all capacity is in use", r.rev.Function.Name, p.cfg.QueueDeadline), time.Second)
		}
	}
	waited := time.Since(w.arrived)
	if g.err != nil {
		obs.Queue += waited
		return nil, g.err
	}
	if g.fresh {
		obs.Cold = true
		from := g.in.begun
		if w.arrived.After(from) {
			from = w.arrived
		}
		cold := g.in.readyAt.Sub(from)
		obs.ColdStart += cold
		waited -= cold
	}
	obs.Queue += max(0, waited)
	return g.in, nil
}

// enqueue adds a waiter. Platform.mu is held.
func (r *revision) enqueue() (*waiter, *platform.InvokeError) {
	starting, serving := r.live()
	if starting+serving == 0 && r.backoff.remaining(time.Now()) > 0 {
		return nil, r.startError()
	}
	if r.queue.Len() >= r.p.cfg.QueueLimit {
		return nil, rejected(fmt.Sprintf("%d requests wait for function %s already", r.queue.Len(), r.rev.Function.Name), time.Second)
	}
	w := &waiter{arrived: time.Now(), result: make(chan grant, 1)}
	w.place = r.queue.PushBack(w)
	r.balance()
	return w, nil
}

// abandon takes a waiter out of the queue. If it was served at the same moment
// the grant is returned.
func (r *revision) abandon(w *waiter) grant {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	if w.place == nil {
		return <-w.result
	}
	r.queue.Remove(w.place)
	w.place = nil
	r.settle()
	return grant{}
}

// giveBack returns an instance that was granted and not used.
func (r *revision) giveBack(in *instance) {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	in.release()
}

// serve sends the request to the instance and releases it. With again, nothing
// was sent, and another instance may be tried.
func (in *instance) serve(ctx context.Context, req platform.Request, obs *function.Observation) (_ *wire.Response, _ *platform.InvokeError, again bool) {
	fn := in.rev.rev.Function
	killed := in.box.OOMKills()
	if fn.Concurrency == 1 {
		in.box.ResetPeak()
	}
	before, _ := in.box.CPUTime()
	sent := time.Now()
	resp, pending, err := in.client.Do(ctx, req.Header, req.Body, fn.Timeout)
	obs.Execution = time.Since(sent)
	if after, ok := in.box.CPUTime(); ok {
		obs.CPUTime = after - before
	}
	obs.PeakMem = in.box.PeakMemory()
	if err == nil {
		obs.Status, obs.OutputBytes = resp.Status, int64(len(resp.Body))
		obs.Outcome = function.OutcomeOK
		if resp.Status >= http.StatusBadRequest {
			obs.Outcome = function.OutcomeError
			if in.box.OOMKills() > killed {
				// One of its processes was killed, and it lived to tell.
				obs.Outcome = function.OutcomeOOM
			}
		}
		in.finish(obs.Outcome == function.OutcomeOOM)
		return resp, nil, false
	}
	if pending != nil {
		go in.finishLater(pending)
		return nil, &platform.InvokeError{Outcome: function.OutcomeCanceled, Detail: "the caller went away"}, false
	}
	ierr, doom, again := in.explain(ctx, err, killed)
	in.finish(doom)
	return nil, ierr, again
}

// finish counts the request out, and the instance with it if it is not to be
// used again.
func (in *instance) finish(doom bool) {
	in.rev.p.mu.Lock()
	defer in.rev.p.mu.Unlock()
	if doom {
		in.doomed = true
	}
	in.release()
}

// finishLater keeps an instance busy while it works for a caller that left.
func (in *instance) finishLater(pending *wire.Pending) {
	err := pending.Wait()
	in.finish(errors.Is(err, wire.ErrTimeout))
}

// How long an instance whose connection broke is given to turn out to have
// ended: a moment for the kernel, then as long as it takes the driver to notice.
const (
	kernelNotice = 100 * time.Millisecond
	driverNotice = 30 * time.Second
)

// ended waits for an instance's end to be known, if it has ended.
func (in *instance) ended() bool {
	for _, wait := range []time.Duration{kernelNotice, driverNotice} {
		t := time.NewTimer(wait)
		select {
		case <-in.dead:
			t.Stop()
			return true
		case <-t.C:
		}
		if in.box.Alive() {
			return false
		}
	}
	return false
}

// explain turns an error of the connection into an outcome. doom says whether
// the instance must not be used again.
func (in *instance) explain(ctx context.Context, err error, killed int) (_ *platform.InvokeError, doom, again bool) {
	fn := in.rev.rev.Function
	fail := func(o function.Outcome, format string, args ...any) *platform.InvokeError {
		return &platform.InvokeError{Outcome: o, Detail: "function " + fn.Name + " " + fmt.Sprintf(format, args...)}
	}
	switch {
	case ctx.Err() != nil:
		return &platform.InvokeError{Outcome: function.OutcomeCanceled, Detail: "the caller went away"}, false, false
	case errors.Is(err, wire.ErrTimeout):
		return fail(function.OutcomeTimeout, "did not answer within its timeout of %s", fn.Timeout), true, false
	case errors.Is(err, wire.ErrTooLarge):
		return fail(function.OutcomeError, "answered with more than the %d bytes that are allowed", in.rev.p.cfg.MaxResponse), false, false
	case errors.Is(err, wire.ErrProtocol):
		return fail(function.OutcomeError, "broke the protocol: %v", err), false, false
	}
	// Read at once: the group of an ended container is soon gone.
	oom := in.box.OOMKills() > killed
	if in.ended() {
		if errors.Is(err, wire.ErrUnreachable) {
			return nil, true, true
		}
		if oom || in.oom {
			return fail(function.OutcomeOOM, "was killed at its memory limit of %s: give it more memory", in.rev.rev.Resources.Memory), true, false
		}
		return fail(function.OutcomeCrash, "ended during the invocation: %s", in.exit), true, false
	}
	switch {
	case errors.Is(err, wire.ErrUnreachable):
		return nil, true, true
	case oom || in.box.OOMKills() > killed:
		return fail(function.OutcomeOOM, "lost a process at its memory limit of %s: give it more memory", in.rev.rev.Resources.Memory), true, false
	}
	return fail(function.OutcomeError, "broke the connection: %v", err), false, false
}
