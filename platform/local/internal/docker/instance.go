package docker

import (
	"context"
	"errors"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/moby/moby/client"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform/local/internal/cgroup"
	"github.com/aquatope/aquatope/platform/local/internal/sandbox"
)

// instance is one container.
type instance struct {
	driver *Driver
	id     string
	addr   string
	pid    int          // of the main process, as the host sees it
	meter  cgroup.Meter // nil where it cannot be measured
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
func (in *instance) Alive() bool {
	_, err := os.Stat("/proc/" + strconv.Itoa(in.pid))
	return err == nil
}

// Verify has nothing to check: the address is the container's own.
func (in *instance) Verify() error { return nil }

func (in *instance) CPUTime() (time.Duration, bool) {
	if in.meter == nil {
		return 0, false
	}
	return in.meter.CPUTime()
}

func (in *instance) ResetPeak() {
	if in.meter != nil {
		in.meter.ResetPeak()
	}
}

func (in *instance) PeakMemory() function.Bytes {
	if in.meter == nil {
		return 0
	}
	return function.Bytes(in.meter.PeakMemory())
}

// OOMKills combines what the group counts, which is gone soon after its last
// process, with what the engine noticed.
func (in *instance) OOMKills() int {
	n := 0
	if in.meter != nil {
		n = in.meter.OOMKills()
	}
	if n == 0 && in.oom.Load() {
		n = 1
	}
	return n
}

// drainOutput is how long the rest of an ended container's output is waited for.
const drainOutput = 300 * time.Millisecond

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
	if in.meter != nil {
		in.meter.Close()
	}
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errors.Join(err, errors.New("the Docker engine does not answer; the container is removed at the next start"))
	}
	return err
}
