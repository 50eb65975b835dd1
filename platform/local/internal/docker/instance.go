package docker

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/moby/moby/client"

	"github.com/aquatope/aquatope/platform/local/internal/sandbox"
)

// instance is one container.
type instance struct {
	sandbox.Usage

	driver *Driver
	id     string
	addr   string
	pid    int // of the main process, as the host sees it
	out    *sandbox.Output
	stop   context.CancelFunc // ends the goroutines that watch it
	done   chan struct{}
	exit   string      // valid after done
	oom    atomic.Bool // the engine says so
}

func (in *instance) Addr() string          { return in.addr }
func (in *instance) Done() <-chan struct{} { return in.done }
func (in *instance) Exit() string          { return in.exit }

// Alive looks for the process itself: an engine cleans up before it tells.
func (in *instance) Alive() bool { return sandbox.Alive(in.pid) }

// Verify has nothing to check: the address is the container's own.
func (in *instance) Verify() error { return nil }

// OOMKills combines what the group counts, which is gone soon after its last
// process, with what the engine noticed.
func (in *instance) OOMKills() int {
	if n := in.Usage.OOMKills(); n > 0 || !in.oom.Load() {
		return n
	}
	return 1
}

// drainOutput is how long the rest of an ended container's output is waited for.
const drainOutput = 2 * time.Second

func (in *instance) Tail() []string {
	select {
	case <-in.done:
		select {
		case <-in.out.Done():
		case <-time.After(drainOutput):
		}
	default:
	}
	return in.out.Tail()
}

func (in *instance) Stop(grace time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), grace+housekeeping)
	defer cancel()
	select {
	case <-in.done:
	default:
		// An error means that it ended in the meantime, or that the engine is
		// gone, which removing it will tell.
		_, _ = in.driver.api.ContainerKill(ctx, in.id, client.ContainerKillOptions{Signal: "SIGTERM"})
		t := time.NewTimer(grace)
		defer t.Stop()
		select {
		case <-in.done:
		case <-t.C:
		}
	}
	err := in.driver.remove(ctx, in.id)
	in.stop()
	<-in.done
	<-in.out.Done()
	if in.Meter != nil {
		in.Meter.Close()
	}
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errors.Join(err, errors.New("the Docker engine does not answer; the container is removed at the next start"))
	}
	return err
}
