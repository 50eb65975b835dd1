package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/platform/local/internal/sandbox"
	"github.com/aquatope/aquatope/platform/local/internal/wire"
)

type state int

const (
	stateStarting state = iota
	stateReady
	stateStopping
)

// instance is the scheduler's view of one sandbox. Platform.mu guards what
// changes; box and client are set before the instance is ready and stay.
type instance struct {
	rev       *revision
	name      string
	state     state
	doomed    bool // takes no more requests and stops after those it has
	inFlight  int
	idleSince time.Time
	begun     time.Time // when its start was decided
	readyAt   time.Time
	quit      chan struct{} // closed by retire

	box    sandbox.Instance
	client *wire.Client
	dead   chan struct{} // closed when its process ended by itself, after:
	oom    bool          // it was killed at its memory limit
	exit   string        // how it ended
}

// start adds an instance and begins its life. Platform.mu is held.
func (r *revision) start(now time.Time) {
	r.p.serial++
	in := &instance{
		rev: r, name: fmt.Sprintf("%s-%d", r.rev.Name, r.p.serial), begun: now,
		quit: make(chan struct{}), dead: make(chan struct{}),
	}
	r.instances = append(r.instances, in)
	r.p.used = add(r.p.used, r.rev.Resources)
	r.p.lives.Add(1)
	go in.live()
}

// live is an instance's life, from start to the moment nothing of it is left.
func (in *instance) live() {
	p := in.rev.p
	defer p.lives.Done()
	err := in.begin()
	if err == nil {
		select {
		case <-in.box.Done():
			in.died()
		case <-in.quit:
		}
	}
	if in.box != nil {
		if err := in.box.Stop(p.cfg.StopGrace); err != nil {
			p.cfg.Logger.Error("stopping an instance", "instance", in.name, "error", err)
		}
	}
	if in.client != nil {
		in.client.Close()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r := in.rev
	r.instances = slices.DeleteFunc(r.instances, func(o *instance) bool { return o == in })
	p.used = sub(p.used, r.rev.Resources)
	r.balance()
	p.freed()
}

// begin starts the sandbox and waits until it accepts connections.
func (in *instance) begin() error {
	p, rev := in.rev.p, in.rev.rev
	ctx, cancel := context.WithTimeout(context.Background(), rev.Function.StartTimeout)
	defer cancel()
	created, err := in.create(ctx)
	for range portAttempts {
		if !errors.Is(err, sandbox.ErrPortTaken) {
			break
		}
		if err := in.box.Stop(0); err != nil {
			p.cfg.Logger.Error("stopping an instance", "instance", in.name, "error", err)
		}
		in.box = nil
		created, err = in.create(ctx)
	}
	s := platform.Start{
		Time: in.begun, Function: rev.Function.Name, Revision: rev.Name, Instance: in.name, Resources: rev.Resources,
		Create: created.Sub(in.begun), Ready: time.Since(created),
	}
	if err != nil {
		s.Error = err.Error()
	}
	p.cfg.StartObserver(s)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		in.startFailed(err)
		return err
	}
	if in.state == stateStopping { // retired in the meantime
		return nil
	}
	in.client = wire.New(in.box.Addr(), p.cfg.MaxResponse)
	now := time.Now()
	in.state, in.readyAt, in.idleSince = stateReady, now, now
	in.rev.balance()
	return nil
}

// portAttempts bounds how often a start is repeated because another program
// was faster to take its port.
const portAttempts = 3

// create starts the sandbox and waits until it accepts connections. It returns
// when the sandbox existed.
func (in *instance) create(ctx context.Context) (created time.Time, err error) {
	in.box, err = in.rev.p.driver.Start(ctx, sandbox.Spec{Instance: in.name, Revision: in.rev.rev})
	created = time.Now()
	if err != nil {
		in.box = nil
		return created, err
	}
	return created, in.awaitReady(ctx)
}

// Bounds of the pause between two looks at whether an instance is ready. In
// between it grows with the time waited, so that looking adds little to any
// start: neither delay nor load.
const (
	shortLook = 200 * time.Microsecond
	longLook  = 20 * time.Millisecond
)

func (in *instance) awaitReady(ctx context.Context) error {
	begun := time.Now()
	for {
		c, err := net.DialTimeout("tcp", in.box.Addr(), time.Second)
		if err == nil {
			_ = c.Close()
			return in.box.Verify()
		}
		pause := time.NewTimer(min(longLook, max(shortLook, time.Since(begun)/8)))
		select {
		case <-pause.C:
		case <-in.quit:
			pause.Stop()
			return errClosed
		case <-in.box.Done():
			pause.Stop()
			if err := in.box.Verify(); errors.Is(err, sandbox.ErrPortTaken) {
				return err
			}
			if in.box.OOMKills() > 0 {
				return fmt.Errorf("killed at its memory limit of %s while starting%s", in.rev.rev.Resources.Memory, in.said())
			}
			return fmt.Errorf("ended while starting: %s%s", in.box.Exit(), in.said())
		case <-ctx.Done():
			pause.Stop()
			return fmt.Errorf("not listening on $PORT %s after its start%s", in.rev.rev.Function.StartTimeout, in.said())
		}
	}
}

// said quotes what the instance printed last.
func (in *instance) said() string {
	lines := in.box.Tail()
	if len(lines) == 0 {
		return "; it printed nothing"
	}
	return "; it printed: " + strings.Join(lines, "\n")
}

// startFailed tells those who wait, and delays the next attempt. Platform.mu
// is held.
func (in *instance) startFailed(err error) {
	r := in.rev
	wasAsked := in.state == stateStopping
	in.state = stateStopping
	if wasAsked {
		return
	}
	r.backoff.fail(time.Now(), err.Error())
	r.p.cfg.Logger.Warn("an instance did not start", "instance", in.name, "error", err)
	if starting, serving := r.live(); starting+serving == 0 {
		r.fail(r.startError())
	}
}

// startError is what callers get while a revision cannot be started.
func (r *revision) startError() *platform.InvokeError {
	return &platform.InvokeError{
		Outcome: function.OutcomeStart, Detail: "function " + r.rev.Function.Name + " does not start: " + r.backoff.last,
		RetryAfter: r.backoff.remaining(time.Now()),
	}
}

// earlyEnd is how soon after getting ready an idle instance's end counts as a
// failed start.
const earlyEnd = 10 * time.Second

// died notes how a ready instance ended by itself.
func (in *instance) died() {
	p := in.rev.p
	oom, exit := in.box.OOMKills() > 0, in.box.Exit()
	tail := in.said()
	p.mu.Lock()
	defer p.mu.Unlock()
	in.oom, in.exit = oom, exit+tail
	wasReady := in.state == stateReady
	in.state = stateStopping
	close(in.dead)
	if !wasReady {
		return
	}
	p.cfg.Logger.Warn("an instance ended by itself", "instance", in.name, "oom", oom, "exit", exit, "inFlight", in.inFlight)
	if in.inFlight == 0 && time.Since(in.readyAt) < earlyEnd {
		in.rev.backoff.fail(time.Now(), "ended while idle: "+in.exit)
	}
	in.rev.balance()
}

func (in *instance) idle() bool { return in.state == stateReady && in.inFlight == 0 }

// release counts a request out. Platform.mu is held.
func (in *instance) release() {
	r := in.rev
	in.inFlight--
	if in.state == stateReady && !in.doomed {
		r.backoff.reset()
	}
	if in.inFlight > 0 {
		r.balance()
		return
	}
	in.idleSince = time.Now()
	if in.doomed || r.mustYield(in.idleSince) {
		in.retire()
	}
	r.balance()
	if r.p.short && in.idle() {
		r.p.freed()
	}
}

// retire stops an instance. Platform.mu is held.
func (in *instance) retire() {
	if in.state != stateStopping {
		in.state = stateStopping
		close(in.quit)
	}
}
