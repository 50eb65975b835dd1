// Package local is the platform of one machine: it runs instances of
// functions as processes or containers with enforced limits of CPU and memory,
// within a budget for the machine as a whole, and measures every invocation.
//
// One mutex guards all state of the scheduler. It is never held during I/O: a
// goroutine per instance starts it, watches it and stops it, and invocations
// talk to instances from the caller's goroutine.
package local

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/platform/local/internal/sandbox"
)

// Platform runs instances on this machine. Make one with New.
type Platform struct {
	cfg    Config
	driver sandbox.Driver
	lock   *os.File       // of the data folder
	lives  sync.WaitGroup // one per instance
	serial uint64         // of instance names

	mu        sync.Mutex
	closed    bool
	used      function.Resources // by all instances that exist
	short     bool               // an instance was not admitted since the last look
	revisions map[string]*revision
	routes    map[string]*route
	flying    int           // invocations accepted and not ended
	idle      chan struct{} // closed when flying falls to 0 while closed
}

var _ platform.Platform = (*Platform)(nil)

// New takes over cfg.DataDir, ends what an earlier platform there left
// running, and returns a platform without any revision. Close it.
func New(cfg Config) (*Platform, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(cfg.DataDir)
	if err != nil {
		return nil, err
	}
	driver, err := newDriver(cfg, lock)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the %s driver: %w", cfg.Driver, err), lock.Close())
	}
	return &Platform{
		cfg: cfg, driver: driver, lock: lock,
		revisions: map[string]*revision{}, routes: map[string]*route{}, idle: make(chan struct{}),
	}, nil
}

// Enforced says which limits take effect on this machine, and why others do not.
func (p *Platform) Enforced() Enforced {
	e := p.driver.Enforced()
	return Enforced{CPU: e.CPU, Memory: e.Memory, Reason: e.Reason}
}

// Enforced says which limits take effect. Where one does not, measurements
// say nothing about resources, and tuning has to refuse.
type Enforced struct {
	CPU    bool   `json:"cpu"`
	Memory bool   `json:"memory"`
	Reason string `json:"reason,omitempty"` // what is missing and what to do about it
}

// Deploy makes a revision known; see platform.Platform.
func (p *Platform) Deploy(ctx context.Context, rev function.Revision) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := p.fits(rev); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errClosed
	}
	if r, ok := p.revisions[rev.Name]; ok {
		if !r.same(rev) {
			return fmt.Errorf("revision %s is deployed with other content: give the new content another name", rev.Name)
		}
		r.removed = false
		return nil
	}
	p.revisions[rev.Name] = newRevision(p, rev)
	return nil
}

// errClosed is returned by what comes after Close.
var errClosed = errors.New("the platform is shutting down")

// fits refuses what can never run here.
func (p *Platform) fits(rev function.Revision) error {
	r, limit := rev.Resources, p.cfg.Capacity
	switch {
	case rev.Name == "" || rev.Function.Name == "":
		return errors.New("a revision needs a name and a function with a name")
	case r.CPU <= 0 || r.Memory <= 0:
		return fmt.Errorf("revision %s needs CPU and memory above zero, got %s", rev.Name, r)
	case r.CPU > limit.CPU || r.Memory > limit.Memory:
		return fmt.Errorf("revision %s needs %s, more than all that instances may use here (%s): ask for less or raise the capacity",
			rev.Name, r, limit)
	}
	return nil
}

// Scale sets what is kept warm of a revision; see platform.Platform.
func (p *Platform) Scale(ctx context.Context, name string, s platform.Scale) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.Warm < 0 || s.KeepAlive < 0 {
		return fmt.Errorf("scaling %s: %d warm instances kept alive for %s: neither may be negative", name, s.Warm, s.KeepAlive)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.revisions[name]
	if !ok || p.closed {
		return fmt.Errorf("scaling %s: no such revision is deployed", name)
	}
	r.scale = s
	r.balance()
	return nil
}

// Remove retires a revision; see platform.Platform.
func (p *Platform) Remove(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if r, ok := p.revisions[name]; ok {
		r.removed = true
		p.unroute(r)
		r.balance()
	}
	return nil
}

// Snapshot returns the state of all revisions; see platform.Platform.
func (p *Platform) Snapshot(ctx context.Context) (platform.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return platform.Snapshot{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := platform.Snapshot{Time: time.Now(), Capacity: p.cfg.Capacity, Used: p.used}
	for _, name := range slices.Sorted(maps.Keys(p.revisions)) {
		s.Revisions = append(s.Revisions, p.revisions[name].state())
	}
	return s, nil
}

// Close accepts nothing new, waits for invocations under way and waiting until
// ctx is done, then stops all instances. It returns when nothing is left.
func (p *Platform) Close(ctx context.Context) error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return errClosed
	}
	p.closed = true
	if p.flying == 0 {
		close(p.idle)
	}
	p.mu.Unlock()

	var late error
	select {
	case <-p.idle:
	case <-ctx.Done():
		late = fmt.Errorf("closing the local platform before all invocations ended: %w", ctx.Err())
	}
	p.mu.Lock()
	for _, r := range p.revisions {
		r.shutdown()
	}
	p.mu.Unlock()
	p.lives.Wait()
	return errors.Join(late, p.driver.Close(), p.lock.Close())
}
